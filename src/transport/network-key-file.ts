import { randomBytes } from "node:crypto";
import path from "node:path";
import { Failure } from "../protocol/failures.ts";
import { type NetworkKey, parseNetworkKey } from "../protocol/network-key.ts";
import { createPrivateFile, readPrivateFile } from "./private-file.ts";

const KEY_BYTES = 32;

/**
 * The key of the private network of this home, made on the first call.
 * @throws Failure "home-unusable" if its file cannot be read or written, or holds something else
 */
export async function loadNetworkKey(home: string): Promise<NetworkKey> {
  const file = path.join(home, "network-key");
  const kept =
    (await readPrivateFile(file)) ??
    (await createPrivateFile(file, `${randomBytes(KEY_BYTES).toString("base64url")}\n`));
  const key = parseNetworkKey(kept.trim());
  if (key) return key;
  throw new Failure(
    "home-unusable",
    `Cannot read the network key in "${file}": restore it, or remove the file to begin a new network`,
  );
}
