import { z } from "zod";
import { ContentIdSchema, PeerIdSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/** The queue of downloads as its owner sees it: the shapes behind `tukar downloads` and `tukar history`. */

export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Whom a download comes from. `id` is `null` until that peer has been met once. */
const FromPeer = z.object({ id: PeerIdSchema.nullable(), name: z.string() });

const Common = z.object({
  /** The number by which people name it. */
  id: z.int().min(1),
  peer: FromPeer.nullable(),
  /** The first name that was asked for, and how many names there are. */
  name: z.string(),
  names: z.int().min(1),
  recursive: z.boolean(),
  output: z.string().nullable(),
  /** Where it lands if `output` is `null`. */
  received: z.string(),
  priority: z.enum(PRIORITIES),
  /** Files and bytes that are there, and the bytes of all, once they are known. */
  files: SizeSchema,
  bytes: SizeSchema,
  total: SizeSchema.nullable(),
  /** What a single file resolved to. */
  content: ContentIdSchema.nullable(),
  added: TimeMsSchema,
});

const Ended = { ended: TimeMsSchema };
const Why = { code: z.string(), reason: z.string() };

/** One line of `tukar downloads`: a wish, and what has become of it. */
export const Download = z.discriminatedUnion("state", [
  Common.extend({ state: z.literal("queued") }),
  /** `rate` in bytes a second and `left` in seconds are `null` while nobody can tell. */
  Common.extend({ state: z.literal("running"), rate: z.number().nullable(), left: z.number().nullable() }),
  /** It cannot go on now: it is tried again when the peer comes back, at the latest at `retry`. */
  Common.extend({ state: z.literal("waiting"), ...Why, retry: TimeMsSchema }),
  Common.extend({ state: z.literal("paused") }),
  Common.extend({ state: z.literal("done"), ...Ended }),
  Common.extend({ state: z.literal("failed"), ...Ended, ...Why }),
  Common.extend({ state: z.literal("cancelled"), ...Ended }),
]);
export type Download = z.infer<typeof Download>;

/** Which downloads are to change: by number, or all that can. */
const Which = z.union([z.literal("all"), z.array(z.int().min(1)).min(1).max(10_000)]);

export const DownloadsChange = z.discriminatedUnion("action", [
  z.object({ action: z.enum(["pause", "resume", "cancel", "retry"]), which: Which }),
  z.object({ action: z.literal("priority"), which: Which, priority: z.enum(PRIORITIES) }),
  /** Takes those that ended off the list. */
  z.object({ action: z.literal("clear") }),
]);
export type DownloadsChange = z.infer<typeof DownloadsChange>;

export const DownloadsChanged = z.object({ changed: z.array(z.int()) });
export type DownloadsChanged = z.infer<typeof DownloadsChanged>;

export const HistoryRequest = z.object({ limit: z.int().min(1).max(1_000_000) });
export type HistoryRequest = z.infer<typeof HistoryRequest>;

/** The same as it stands in the query of `CONTROL_ROUTES.history`. */
export const ControlHistoryQuery = z.object({ limit: z.coerce.number().pipe(HistoryRequest.shape.limit) });

/** One line of `tukar history`: a file that was received whole. */
export const ReceivedFile = z.object({
  /** When it was there. */
  at: TimeMsSchema,
  path: z.string(),
  saved: z.string(),
  bytes: SizeSchema,
  content: ContentIdSchema,
  peer: FromPeer.nullable(),
  sources: SizeSchema,
  seconds: z.number(),
  download: z.int(),
});
export type ReceivedFile = z.infer<typeof ReceivedFile>;
