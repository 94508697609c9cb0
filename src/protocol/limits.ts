/**
 * Every bound on what a stranger may send, in one place. Going over one is a named failure and ends the
 * connection it came on; nothing else notices.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const TIB = 1024 * 1024 * MIB;

/** Largest message on a link, in bytes of UTF-8. */
export const MESSAGE_MAX_BYTES = 64 * KIB;
/** Bytes that may wait in a link's send queue before its reader counts as gone. */
export const LINK_QUEUE_MAX_BYTES = MIB;
/** Messages a link may send for a while each second, and in one burst. */
export const LINK_MESSAGES_PER_SECOND = 100;
export const LINK_MESSAGES_BURST = 400;

export const NAME_MAX_CHARACTERS = 64;
export const SHARE_PATH_MAX_BYTES = 4096;
export const SHARE_PATH_MAX_LEVELS = 64;
export const QUERY_MAX_CHARACTERS = 200;

/** All header lines of one HTTP message together, in bytes. */
export const HEADERS_MAX_BYTES = 16 * KIB;
/** One NDJSON line of a listing, in bytes: room for a path of the greatest length, fully escaped. */
export const LIST_LINE_MAX_BYTES = 32 * KIB;
/** A JSON body that is read whole (never a listing, those are streams). */
export const JSON_BODY_MAX_BYTES = MIB;

/** From TCP connect until TLS, HTTP upgrade and JOIN are through. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The side that dialled a link sends PING this often. */
export const PING_INTERVAL_MS = 15_000;
/** A link that said nothing for this long (two missed PINGs and some grace) is gone. */
export const SILENCE_LIMIT_MS = 40_000;
/** A connection without a request or a byte of progress for this long is closed. */
export const IDLE_TIMEOUT_MS = 60_000;

/** TCP connections that one remote address may hold. */
export const CONNECTIONS_PER_ADDRESS = 1024;
/** Wrong network keys one address may show: so many at once, then one more every so often. */
export const WRONG_KEYS_BURST = 5;
export const WRONG_KEY_REFILL_MS = 10_000;

/** Addresses that a peer may report of itself, and that are dialled side by side. */
export const CANDIDATES_MAX = 16;
/** Most changes in one ROSTER message; long entries fill `MESSAGE_MAX_BYTES` with fewer. */
export const ROSTER_MESSAGE_ENTRIES = 64;

/** Runs of blocks in one line about what a peer has. */
export const RUNS_PER_LINE = 1024;
/** Those that may listen at once to what a peer has of one content. */
export const FOLLOWERS_PER_CONTENT = 256;
/** Others that fetch the same content, as one listener is told of them: enough to be well connected. */
export const FOLLOWERS_TOLD = 32;

/** A file that is shared can be no larger: its block list (32 MiB) is held in memory. */
export const FILE_MAX_BYTES = 16 * TIB;
