import path from "node:path";
import { z } from "zod";
import { type Address, formatAddress } from "../protocol/address.ts";
import { Failure } from "../protocol/failures.ts";
import { jsonOrUndefined } from "../protocol/json.ts";
import { type PeerId, shortId } from "../protocol/peer-id.ts";
import { PeerIdSchema } from "../protocol/schema.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

const KnownIds = z.record(z.string(), PeerIdSchema);

/** Who answered at which address the first time, as SSH remembers host keys. */
export type KnownIds = {
  /** The id remembered for an address. */
  get(address: Address): PeerId | undefined;
  /**
   * Remembers who answers at an address, if nobody is remembered for it yet.
   * @throws Failure "identity-mismatch" if somebody else is
   */
  meet(address: Address, id: PeerId): Promise<void>;
  /** Remembers an id that an invite vouches for, whoever was remembered before. */
  trust(address: Address, id: PeerId): Promise<void>;
};

/** @throws Failure "home-unusable" if the file in the home folder cannot be read or understood */
export async function openKnownIds(home: string): Promise<KnownIds> {
  const file = path.join(home, "known-ids.json");
  const parsed = KnownIds.safeParse(jsonOrUndefined((await readPrivateFile(file)) ?? "{}"));
  if (!parsed.success) {
    throw new Failure(
      "home-unusable",
      `Cannot read "${file}": it is not a table of addresses and ids; repair or remove it`,
    );
  }
  const ids = new Map(Object.entries(parsed.data));
  return {
    get: (address) => ids.get(formatAddress(address)),
    async meet(address, id) {
      const where = formatAddress(address);
      const known = ids.get(where);
      if (known === id) return;
      if (known !== undefined) throw changedIdentity(where, known, id, file);
      await remember(where, id);
    },
    async trust(address, id) {
      const where = formatAddress(address);
      if (ids.get(where) !== id) await remember(where, id);
    },
  };

  async function remember(where: string, id: PeerId): Promise<void> {
    ids.set(where, id);
    await writePrivateFile(file, `${JSON.stringify(Object.fromEntries(ids), null, 2)}\n`);
  }
}

/** The loud one: either the other side was set up anew, or somebody stands in between. */
export function changedIdentity(where: string, known: PeerId, shown: PeerId, file: string): Failure {
  const message =
    `THE IDENTITY OF ${where} HAS CHANGED: it was ${shortId(known)} and now shows ${shortId(shown)}. ` +
    `Somebody may be posing as it. If it was set up anew and you know so, remove its line from "${file}" or use its new invite`;
  return new Failure("identity-mismatch", message);
}
