import path from "node:path";
import { z } from "zod";
import { type Address, formatAddress } from "../protocol/address.ts";
import { Failure } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { type PeerId, shortId } from "../protocol/peer-id.ts";
import { PeerIdSchema } from "../protocol/schema.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

const Table = z.record(z.string(), PeerIdSchema);

/** Who answered at which address the first time, as SSH remembers host keys. */
export type KnownIds = {
  /**
   * Compares who answers at an address with who is remembered for it, if anybody is.
   * @throws Failure "identity-mismatch" if it is somebody else
   */
  check(address: Address, id: PeerId): Promise<void>;
  /** Remembers an id for an address, whoever was remembered before. */
  remember(address: Address, id: PeerId): Promise<void>;
};

/**
 * The file is read anew each time: several programs may share a home folder, and people may edit it.
 * @throws Failure "home-unusable" if the file in the home folder cannot be read or understood
 */
export async function openKnownIds(home: string): Promise<KnownIds> {
  const file = path.join(home, "known-ids.json");
  await readTable(file);
  return {
    async check(address, id) {
      const where = formatAddress(address);
      const known = (await readTable(file)).get(where);
      if (known !== undefined && known !== id) throw changedIdentity(where, known, id, file);
    },
    async remember(address, id) {
      const where = formatAddress(address);
      const table = await readTable(file);
      if (table.get(where) === id) return;
      table.set(where, id);
      await writePrivateFile(file, `${JSON.stringify(Object.fromEntries(table), null, 2)}\n`);
    },
  };
}

async function readTable(file: string): Promise<Map<string, PeerId>> {
  const parsed = Table.safeParse(jsonOrUndefined((await readPrivateFile(file)) ?? "{}"));
  if (parsed.success) return new Map(Object.entries(parsed.data));
  const message = `Cannot read "${file}": it is not a table of addresses and ids; repair or remove it`;
  throw new Failure("home-unusable", message);
}

/** The loud one: either the other side was set up anew, or somebody stands in between. */
function changedIdentity(where: string, known: PeerId, shown: PeerId, file: string): Failure {
  const message =
    `THE IDENTITY OF ${where} HAS CHANGED: it was ${shortId(known)} and now shows ${shortId(shown)}. ` +
    `Somebody may be posing as it. If it was set up anew and you know so, remove its line from "${file}" or use its new invite`;
  return new Failure("identity-mismatch", message);
}
