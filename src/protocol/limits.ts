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

/** Text of one message, in UTF-16 code units: escaped to the utmost it still fits into a message on a link. */
export const TEXT_MAX_LENGTH = 10_000;
/** Messages that wait for one who is offline, and for all; and how long they do. */
export const MESSAGES_WAITING_PER_PEER = 100;
export const MESSAGES_WAITING_MAX = 1_000;
export const MESSAGE_LIFE_MS = 7 * 24 * 60 * 60 * 1000;
/** How many nodes a flooded message passes at most, and how many of them each node remembers having handled. */
export const FLOOD_HOPS_MAX = 16;
export const FLOODED_REMEMBERED = 20_000;
/** A flooded message so much older, by its author's own clock, than the newest of that author is a replay. */
export const FLOOD_STALE_MS = 10 * 60 * 1000;
/** Flooded messages of one author, whatever way they come: so many at once, then so many a second. */
export const FLOODED_BURST = 400;
export const FLOODED_PER_SECOND = 100;
/** Copies of flooded messages that an index server has still to send: beyond that it takes no more of them. */
export const RELAY_COPIES_WAITING_MAX = 200_000;
/** Authors of flooded messages that are told apart at a time. */
export const FLOOD_AUTHORS_MAX = 20_000;

/** Records in one PEERS message; long ones fill `MESSAGE_MAX_BYTES` with fewer. And peers that one node of a mesh knows. */
export const PEERS_RECORDS_MAX = 64;
export const NODES_MAX = 4_096;
/** A record that was heard of longer ago is of no use to anybody. */
export const NODE_AGE_MAX_MS = 60 * 60 * 1000;
/** Neighbours that a node of a mesh looks for, and that it has at most. */
export const NEIGHBOURS_WANTED = 5;
export const NEIGHBOURS_MAX = 16;
/** A node of whom nothing was heard for so long is gone; in a mesh of more than 50 nodes, longer in proportion. */
export const NODE_SILENCE_MS = 45_000;
/** Files that one node names as matches of one query, and queries of one author: so many at once, then one every so often. */
export const QUERY_HITS_MAX = 200;
export const QUERIES_BURST = 30;
export const QUERY_REFILL_MS = 500;

export const NAME_MAX_CHARACTERS = 64;
export const SHARE_PATH_MAX_BYTES = 4096;
export const SHARE_PATH_MAX_LEVELS = 64;
export const QUERY_MAX_CHARACTERS = 200;

/** Hits of one page of a search: so many if nothing is said, at most so many. */
export const SEARCH_PAGE_DEFAULT = 100;
export const SEARCH_PAGE_MAX = 1_000;
/** Searches of one member: so many at once, then one more every so often. */
export const SEARCHES_BURST = 100;
export const SEARCH_REFILL_MS = 20;
/** Answers of one member's searches that may be under way at once: each is held in memory until it is read. */
export const SEARCHES_AT_ONCE = 16;
/** Sources of one content that are told. */
export const SOURCES_MAX = 1_000;

/** Changes that one upload to the index server's catalog may hold; whoever has more sends several. */
export const CATALOG_UPLOAD_CHANGES_MAX = 20_000;
/** From the first to the last byte of an upload, waiting for its turn included. */
export const CATALOG_UPLOAD_TIMEOUT_MS = 50_000;
/** Files that one peer may have in the catalog. */
export const CATALOG_FILES_MAX = 4_000_000;

/** All header lines of one HTTP message together, in bytes. */
export const HEADERS_MAX_BYTES = 16 * KIB;
/** One NDJSON line of a listing, in bytes: room for a path of the greatest length, fully escaped. */
export const LIST_LINE_MAX_BYTES = 32 * KIB;
/** A JSON body that is read whole (never a listing, those are streams). */
export const JSON_BODY_MAX_BYTES = MIB;

/** The largest file that travels in a bundle: one block, so that one hash verifies it. */
export const BUNDLE_FILE_MAX_BYTES = MIB;
/** Files that one request for a bundle may name. */
export const BUNDLE_FILES_MAX = 2048;
/** Bundles that a peer reads at once, for all who ask. */
export const BUNDLES_AT_ONCE = 32;

/** Files and empty folders of one offer, and what it may take as JSON. Whoever has more to give shares it. */
export const OFFER_FILES_MAX = 10_000;
export const OFFER_BODY_MAX_BYTES = 8 * MIB;
/** Offers of one sender that are open or being fetched, and of all. */
export const OFFERS_PER_SENDER = 32;
export const OFFERS_MAX = 1_000;
/** Offers of one sender, however they end: so many at once, then one more every so often. */
export const OFFERS_BURST = 100;
export const OFFER_REFILL_MS = 500;
/** How long an offer waits for somebody who is offline, or for an answer. */
export const OFFER_LIFE_MS = 7 * 24 * 60 * 60 * 1000;
/** Whoever follows an offer hears of it at least this often. */
export const OFFER_TOLD_EVERY_MS = 20_000;

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

/** Answers with bytes of files that go to one peer at once; more of them wait, so many of one peer and of all. */
export const UPLOADS_PER_PEER = 8;
export const UPLOADS_WAITING_PER_PEER = 64;
export const UPLOADS_WAITING_MAX = 1024;

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

/** A packet of multicast DNS (RFC 6762, 17), and all strings of the TXT record in an announcement. */
export const ANNOUNCEMENT_PACKET_MAX_BYTES = 9_000;
export const ANNOUNCEMENT_TEXT_MAX_BYTES = 512;
/** Packets about us that are read for a while each second, and in one burst. */
export const ANNOUNCEMENT_PACKETS_PER_SECOND = 100;
export const ANNOUNCEMENT_PACKETS_BURST = 200;
/** Announcements that are remembered, of all hosts and of one. */
export const ANNOUNCEMENTS_MAX = 64;
export const ANNOUNCEMENTS_PER_HOST = 8;
/** How long an announcement holds that is not repeated. */
export const ANNOUNCEMENT_LIFE_MS = 120_000;

/** A file that is shared can be no larger: its block list (32 MiB) is held in memory. */
export const FILE_MAX_BYTES = 16 * TIB;

/** Id of a plain JSON peer, in UTF-16 code units. */
export const PLAIN_ID_MAX_LENGTH = 100;
/** Connections of plain JSON peers: of one address, and in all. New ones of one address: so many at once, then one every so often. */
export const PLAIN_PER_ADDRESS_MAX = 16;
export const PLAIN_CONNECTIONS_MAX = 64;
export const PLAIN_DIALS_BURST = 64;
export const PLAIN_DIAL_REFILL_MS = 1_000;
/** Plain JSON peers that may be known through one connection. */
export const PLAIN_SPEAKERS_MAX = 16;
/** Tukar peers that a plain JSON peer is told of: it answers each with a line that names all whom it knows. */
export const PLAIN_INTRODUCED_MAX = 256;
/** What all plain JSON peers together say to tukar peers: so many messages at once, then so many a second. */
export const PLAIN_PASSED_ON_BURST = 200;
export const PLAIN_PASSED_ON_PER_SECOND = 50;
/** A plain JSON peer is sent a PING this often, and is gone when it said nothing for this long: two missed and some grace. */
export const PLAIN_PING_INTERVAL_MS = 30_000;
export const PLAIN_SILENCE_LIMIT_MS = 70_000;
