import { createHash } from "node:crypto";
import { type PeerId, peerIdFromDigest } from "../../protocol/peer-id.ts";

/**
 * The id under which a plain JSON peer is known here: of the form of all others, and never that of one of them, since theirs are
 * hashes of keys. It proves nothing: it follows from what the plain peer calls itself.
 */
export function plainPeerId(id: string): PeerId {
  return peerIdFromDigest(createHash("sha256").update(`tukar plain peer\n${id}`).digest());
}
