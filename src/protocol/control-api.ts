import { z } from "zod";
import { CHAT_SCOPES, PlainParty } from "./chat.ts";
import { parseContentId } from "./content-id.ts";
import { OFFER_FILES_MAX } from "./limits.ts";
import { OfferedItem } from "./offers.ts";
import { ContentIdSchema, PeerIdSchema, PeerNameSchema, PortSchema, SharePathSchema, SizeSchema } from "./schema.ts";
import { SearchEnd, SearchHit, SearchParameters } from "./search.ts";

/**
 * What a running peer does for its owner: the shapes behind the command line, its `--json` lines and the local API
 * on the control socket. Paths in here are local ones; strangers never see these objects.
 */

/** The slowest limit: below it connections would be taken for dead. And what nobody reaches. */
export const RATE_MIN = 1_000;
export const RATE_MAX = 1e12;
export const UPLOAD_SLOTS_MAX = 100_000;

const RateSchema = z.union([z.literal(0), z.int().min(RATE_MIN).max(RATE_MAX)]);

/** Said of plain JSON peers: they can be written to, share nothing, and are whoever they say. */
const IsPlain = z.literal(true).optional();

/** One line of `tukar peers`. `reachable` is what the index server found, `null` while it has not tried. */
export const PeerSummary = z.object({
  id: PeerIdSchema,
  name: PeerNameSchema,
  host: z.string(),
  port: PortSchema,
  files: SizeSchema,
  bytes: SizeSchema,
  reachable: z.boolean().nullable(),
  self: z.boolean(),
  plain: IsPlain,
});
export type PeerSummary = z.infer<typeof PeerSummary>;

/** What transfers are kept within, bytes a second and peers that are sent bytes at once. 0: no limit. */
export const Limits = z.object({
  up: SizeSchema,
  down: SizeSchema,
  slots: SizeSchema,
  /** Peers that are being sent bytes of files, and peers that wait for a slot. */
  serving: SizeSchema,
  waiting: SizeSchema,
});
export type Limits = z.infer<typeof Limits>;

/** What is `null` stays as it is. */
export const LimitsChange = z.object({
  up: RateSchema.nullable(),
  down: RateSchema.nullable(),
  slots: z.int().min(0).max(UPLOAD_SLOTS_MAX).nullable(),
});
export type LimitsChange = z.infer<typeof LimitsChange>;

/** `tukar info`. A visitor (a command without a running peer) has no port and shares nothing. */
export const Info = z.object({
  role: z.enum(["peer", "visitor"]),
  id: PeerIdSchema,
  name: PeerNameSchema,
  version: z.string(),
  home: z.string(),
  port: PortSchema.nullable(),
  received: z.string(),
  /** Where the owner's page is, with its token. */
  ui: z.string().nullable(),
  index: z
    .object({
      id: PeerIdSchema.nullable(),
      name: PeerNameSchema.nullable(),
      host: z.string(),
      port: PortSchema,
      private: z.boolean(),
      connected: z.boolean(),
    })
    .nullable(),
  /** Others that are linked with no index server between; `null` for a visitor. */
  mesh: z.object({ peers: SizeSchema, neighbours: SizeSchema, private: z.boolean() }).nullable(),
  shares: z.object({
    folders: z.array(z.object({ name: z.string(), path: z.string() })),
    manifest: z.string().nullable(),
    files: SizeSchema,
    bytes: SizeSchema,
    unhashed: SizeSchema,
    problems: z.array(z.string()).max(1000),
  }),
  limits: Limits,
  /** Where plain JSON peers are let in, and how many are here; missing where they are not. */
  plain: z.object({ port: PortSchema, peers: SizeSchema }).optional(),
});
export type Info = z.infer<typeof Info>;

/** `tukar ping`: which peer answered, where, and how long the answer took. */
export const PingAnswer = z.object({
  id: PeerIdSchema,
  name: PeerNameSchema,
  host: z.string(),
  port: PortSchema,
  milliseconds: z.number(),
});
export type PingAnswer = z.infer<typeof PingAnswer>;

/** Whom a person means: a name, an id or the beginning of one, an address. */
const PeerText = z.string().min(1).max(300);

export const PeerRequest = z.object({ peer: PeerText });
export type PeerRequest = z.infer<typeof PeerRequest>;

/** `tukar connect`: HOST:PORT of a peer. */
export const ConnectRequest = z.object({ address: z.string().min(1).max(300) });
export type ConnectRequest = z.infer<typeof ConnectRequest>;

/** `path` is a share path, or empty for the top. */
export const ListRequest = PeerRequest.extend({
  path: z.union([z.literal(""), SharePathSchema]),
  recursive: z.boolean(),
});
export type ListRequest = z.infer<typeof ListRequest>;

/** The same as it stands in the query of `CONTROL_ROUTES.list`. */
export const ControlListQuery = ListRequest.extend({ recursive: z.enum(["true", "false"]) });

/**
 * `names` are share paths, base names, content ids, or with `recursive` folders too. Without a `peer` they are content ids alone, each
 * fetched from whoever offers it, and saved under the base name that it has there or, if it is in `called`, under that
 * of the path there. `output` is an absolute local path: a folder if it is one already, ends with a slash, or several
 * files come; else the file to write. `null`: the received folder.
 */
export const GetRequest = z
  .object({
    peer: PeerText.nullable(),
    names: z.array(z.string().min(1).max(4096)).min(1).max(10_000),
    called: z.record(z.string(), SharePathSchema).optional(),
    /** What the peer offered: then this is fetched, and `names` only tell people of it. */
    offered: z.array(OfferedItem).max(OFFER_FILES_MAX).optional(),
    recursive: z.boolean(),
    output: z.string().nullable(),
  })
  .refine(({ peer, names }) => peer !== null || names.every(parseContentId), "without a peer names are content ids");
export type GetRequest = z.infer<typeof GetRequest>;

/** `tukar search`: as the index server takes it, but for `peer`, and for `limit`, which counts over all pages. */
export const SearchRequest = SearchParameters.omit({ peer: true, cursor: true, limit: true }).extend({
  peer: PeerText.optional(),
  limit: z.coerce.number().pipe(z.int().min(1)),
});
export type SearchRequest = z.infer<typeof SearchRequest>;

/** Somebody online, and where. */
const Whereabouts = PeerSummary.pick({ id: true, name: true, host: true, port: true });

/** One content (or a file that is not hashed yet) that a search found; `path` is what it is called at `peer`. */
export const FoundFile = SearchHit.extend({ peer: Whereabouts });
export type FoundFile = z.infer<typeof FoundFile>;

/** One line of a search's answer; the last is the end, which tells whether there is more than was asked for. */
export const Found = z.discriminatedUnion("kind", [FoundFile, SearchEnd.extend({ more: z.boolean() })]);
export type Found = z.infer<typeof Found>;

export const SourcesRequest = z.object({ content: ContentIdSchema });
export type SourcesRequest = z.infer<typeof SourcesRequest>;

/** A peer that offers a content now, and what it is called there. */
export const ContentSource = Whereabouts.extend({ path: SharePathSchema });
export type ContentSource = z.infer<typeof ContentSource>;
/** The folder that was asked for, of a file that came with one. */
const Within = z.string().optional();

/** What happens while files are fetched. One that fails (`failed`) does not stop the others. */
export const GetEvent = z.discriminatedUnion("event", [
  /** Comes first: the number of this download in the queue, and whether it has to wait for a place. */
  z.object({ event: z.literal("added"), download: z.int(), waits: z.boolean() }),
  /** Comes last if the download cannot go on now: it stays in the queue and goes on by itself. */
  z.object({ event: z.literal("parked"), download: z.int(), reason: z.string() }),
  /** The peer is still hashing the file: `bytes` of `total` are done. */
  z.object({ event: z.literal("hashing"), path: z.string(), bytes: SizeSchema, total: SizeSchema }),
  z.object({ event: z.literal("progress"), path: z.string(), bytes: SizeSchema, total: SizeSchema }),
  /** How far all files are together, where there are several; at most four a second. */
  z.object({ event: z.literal("overall"), files: SizeSchema, bytes: SizeSchema, total: SizeSchema.nullable() }),
  /** The peer went away; the next try comes after `retryInMs`. */
  z.object({ event: z.literal("waiting"), path: z.string(), reason: z.string(), retryInMs: z.number() }),
  /** One of several sources sent wrong bytes: it is not asked again, the others go on. */
  z.object({ event: z.literal("source-dropped"), path: z.string(), peer: z.string(), reason: z.string() }),
  /** The peer lets others go first: this waits at place `position` of `waiting`. */
  z.object({ event: z.literal("queued"), path: z.string(), position: z.int(), waiting: z.int() }),
  z.object({
    event: z.literal("done"),
    path: z.string(),
    saved: z.string(),
    bytes: SizeSchema,
    content: ContentIdSchema,
    sources: z.int(),
    seconds: z.number(),
    within: Within,
  }),
  z.object({
    event: z.literal("skipped"),
    path: z.string(),
    saved: z.string(),
    reason: z.string(),
    within: Within,
  }),
  /** A folder is through: what became of the files in it, each of which had an event of its own. */
  z.object({
    event: z.literal("folder"),
    path: z.string(),
    saved: z.string(),
    done: SizeSchema,
    skipped: SizeSchema,
    failed: SizeSchema,
  }),
  z.object({ event: z.literal("failed"), path: z.string(), code: z.string(), message: z.string() }),
]);
export type GetEvent = z.infer<typeof GetEvent>;

/** What a running peer tells as it happens: the lines of `tukar peer --json` after `ready`. */
export const PeerEvent = z.discriminatedUnion("event", [
  z.object({ event: z.literal("shared"), files: SizeSchema, bytes: SizeSchema }),
  z.object({
    event: z.literal("peer-joined"),
    id: PeerIdSchema,
    name: PeerNameSchema,
    host: z.string(),
    port: PortSchema,
    plain: IsPlain,
  }),
  z.object({ event: z.literal("peer-left"), id: PeerIdSchema, name: PeerNameSchema, plain: IsPlain }),
  /** The link to the index server was lost; it is being dialled again. */
  z.object({ event: z.literal("index-lost"), reason: z.string() }),
  z.object({ event: z.literal("index-back"), host: z.string(), port: PortSchema }),
  /** A file that was to be fetched is there, whole and verified. `watched`: a `get` waits for it. */
  z.object({
    event: z.literal("received"),
    path: z.string(),
    saved: z.string(),
    bytes: SizeSchema,
    content: ContentIdSchema,
    peer: z.object({ id: PeerIdSchema.nullable(), name: z.string() }).nullable(),
    download: z.int(),
    watched: z.boolean(),
  }),
  /** Somebody offers files. `answer`: what became of it by the accept rule; an `open` one waits for its owner's answer. */
  z.object({
    event: z.literal("offer"),
    offer: z.int(),
    peer: z.object({ id: PeerIdSchema, name: z.string() }),
    names: z.array(z.string()),
    files: SizeSchema,
    bytes: SizeSchema,
    answer: z.enum(["open", "accepted", "declined"]),
  }),
  /** Somebody said something, to this peer (`direct`) or to everybody. `message`: its number in the history. */
  z.object({
    event: z.literal("message"),
    message: z.int(),
    from: z.object({ id: PeerIdSchema, name: z.string() }),
    scope: z.enum(CHAT_SCOPES),
    text: z.string(),
    plain: PlainParty.optional(),
  }),
  /** Something about the shares that their owner ought to know, for example a wrong manifest line. */
  z.object({ event: z.literal("problem"), message: z.string() }),
]);
export type PeerEvent = z.infer<typeof PeerEvent>;

/** Routes of the local API. Streams are NDJSON and end with a `failure` line (see `listing.ts`) if they fail midway. */
export const CONTROL_ROUTES = {
  info: { method: "GET", path: "/api/info" },
  peers: { method: "GET", path: "/api/peers" },
  list: { method: "GET", path: "/api/list" },
  search: { method: "GET", path: "/api/search" },
  sources: { method: "GET", path: "/api/sources" },
  ping: { method: "POST", path: "/api/ping" },
  get: { method: "POST", path: "/api/get" },
  connect: { method: "POST", path: "/api/connect" },
  limits: { method: "POST", path: "/api/limits" },
  events: { method: "GET", path: "/api/events" },
  /** Adds a `GetRequest` to the queue and answers with the `Download`. */
  addDownload: { method: "POST", path: "/api/downloads/add" },
  downloads: { method: "GET", path: "/api/downloads" },
  changeDownloads: { method: "POST", path: "/api/downloads/change" },
  history: { method: "GET", path: "/api/history" },
  send: { method: "POST", path: "/api/send" },
  sends: { method: "GET", path: "/api/sends" },
  changeSends: { method: "POST", path: "/api/sends/change" },
  /** Says something; the answer tells what becomes of it. */
  say: { method: "POST", path: "/api/say" },
  messages: { method: "GET", path: "/api/messages" },
  changeMessages: { method: "POST", path: "/api/messages/change" },
  offers: { method: "GET", path: "/api/offers" },
  answerOffers: { method: "POST", path: "/api/offers/answer" },
} as const;

/** The longest request: room for the most names that a `GetRequest` may hold, most of them of ordinary length. */
export const CONTROL_BODY_MAX_BYTES = 16 * 1024 * 1024;
/** The longest line of a stream: room for two paths (one of them local) and a failure's whole message. */
export const CONTROL_LINE_MAX_BYTES = 256 * 1024;
