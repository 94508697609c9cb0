import { z } from "zod";
import { ContentIdSchema, PeerIdSchema, PeerNameSchema, PortSchema, SharePathSchema, SizeSchema } from "./schema.ts";

/**
 * What a running peer does for its owner: the shapes behind the command line, its `--json` lines and the local API
 * on the control socket. Paths in here are local ones; strangers never see these objects.
 */

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
});
export type PeerSummary = z.infer<typeof PeerSummary>;

/** `tukar info`. A visitor (a command without a running peer) has no port and shares nothing. */
export const Info = z.object({
  role: z.enum(["peer", "visitor"]),
  id: PeerIdSchema,
  name: PeerNameSchema,
  version: z.string(),
  home: z.string(),
  port: PortSchema.nullable(),
  received: z.string(),
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
  shares: z.object({
    folders: z.array(z.object({ name: z.string(), path: z.string() })),
    manifest: z.string().nullable(),
    files: SizeSchema,
    bytes: SizeSchema,
    unhashed: SizeSchema,
    problems: z.array(z.string()).max(1000),
  }),
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

export const PeerRequest = z.object({ peer: z.string().min(1).max(300) });
export type PeerRequest = z.infer<typeof PeerRequest>;

/** `path` is a share path, or empty for the top. */
export const ListRequest = PeerRequest.extend({
  path: z.union([z.literal(""), SharePathSchema]),
  recursive: z.boolean(),
});
export type ListRequest = z.infer<typeof ListRequest>;

/** The same as it stands in the query of `CONTROL_ROUTES.list`. */
export const ControlListQuery = ListRequest.extend({ recursive: z.enum(["true", "false"]) });

/**
 * `names` are share paths, base names, or with `recursive` folders too. `output` is an absolute local path: a folder
 * if it is one already, ends with a slash, or several files come; else the file to write. `null`: the received folder.
 */
export const GetRequest = PeerRequest.extend({
  names: z.array(z.string().min(1).max(4096)).min(1).max(10_000),
  recursive: z.boolean(),
  output: z.string().nullable(),
});
export type GetRequest = z.infer<typeof GetRequest>;

/** What happens while files are fetched. One that fails (`failed`) does not stop the others. */
export const GetEvent = z.discriminatedUnion("event", [
  /** The peer is still hashing the file: `bytes` of `total` are done. */
  z.object({ event: z.literal("hashing"), path: z.string(), bytes: SizeSchema, total: SizeSchema }),
  z.object({ event: z.literal("progress"), path: z.string(), bytes: SizeSchema, total: SizeSchema }),
  /** The peer went away; the next try comes after `retryInMs`. */
  z.object({ event: z.literal("waiting"), path: z.string(), reason: z.string(), retryInMs: z.number() }),
  /** One of several sources sent wrong bytes: it is not asked again, the others go on. */
  z.object({ event: z.literal("source-dropped"), path: z.string(), peer: z.string(), reason: z.string() }),
  z.object({
    event: z.literal("done"),
    path: z.string(),
    saved: z.string(),
    bytes: SizeSchema,
    content: ContentIdSchema,
    sources: z.int(),
    seconds: z.number(),
  }),
  z.object({ event: z.literal("skipped"), path: z.string(), saved: z.string(), reason: z.string() }),
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
  }),
  z.object({ event: z.literal("peer-left"), id: PeerIdSchema, name: PeerNameSchema }),
  /** The link to the index server was lost; it is being dialled again. */
  z.object({ event: z.literal("index-lost"), reason: z.string() }),
  z.object({ event: z.literal("index-back"), host: z.string(), port: PortSchema }),
  /** Something about the shares that their owner ought to know, for example a wrong manifest line. */
  z.object({ event: z.literal("problem"), message: z.string() }),
]);
export type PeerEvent = z.infer<typeof PeerEvent>;

/** Routes of the local API. Streams are NDJSON and end with a `failure` line (see `listing.ts`) if they fail midway. */
export const CONTROL_ROUTES = {
  info: { method: "GET", path: "/api/info" },
  peers: { method: "GET", path: "/api/peers" },
  list: { method: "GET", path: "/api/list" },
  ping: { method: "POST", path: "/api/ping" },
  get: { method: "POST", path: "/api/get" },
  events: { method: "GET", path: "/api/events" },
} as const;

/** The longest request: room for the most names that a `GetRequest` may hold, most of them of ordinary length. */
export const CONTROL_BODY_MAX_BYTES = 16 * 1024 * 1024;
/** The longest line of a stream: room for two paths (one of them local) and a failure's whole message. */
export const CONTROL_LINE_MAX_BYTES = 256 * 1024;
