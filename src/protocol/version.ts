/** Version of the wire protocol. It grows when an older program could no longer follow. */
export const PROTOCOL_VERSION = 2;

/** Header with which either side of an HTTP exchange says which protocol version it speaks. */
export const VERSION_HEADER = "tukar-version";

export type VersionVerdict = "same" | "older" | "newer" | "not-tukar";

/**
 * Compares what the other side says in its `Tukar-Version` header with the version spoken here.
 * A missing or malformed header means that whoever answered is not tukar at all.
 */
export function judgeVersion(header: string | readonly string[] | undefined): VersionVerdict {
  if (typeof header !== "string" || !/^[1-9]\d{0,5}$/.test(header)) return "not-tukar";
  const theirs = Number(header);
  if (theirs === PROTOCOL_VERSION) return "same";
  return theirs < PROTOCOL_VERSION ? "older" : "newer";
}
