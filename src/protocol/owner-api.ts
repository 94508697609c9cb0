import { z } from "zod";
import { LimitsChange, PeerRequest } from "./control-api.ts";
import { PeerIdSchema, PeerNameSchema, SharePathSchema, SizeSchema, TimeMsSchema } from "./schema.ts";
import { ACCEPT_RULES, SendRequest } from "./sending.ts";

/**
 * What only the owner at the machine asks of the running peer, and mostly from the page: the shapes behind settings, shares,
 * previews and dropped files. Paths in here are local ones, but for share paths.
 */

/** `tukar://...` for newcomers; several if this machine has several addresses. Nothing without an index server. */
export const Invitation = z.object({ invite: z.string().nullable(), others: z.array(z.string()) });
export type Invitation = z.infer<typeof Invitation>;

/** The query of `OWNER_ROUTES.content`. With `save` a browser saves the file, else it shows what is harmless. */
export const ContentRequest = PeerRequest.extend({ path: SharePathSchema, save: z.enum(["true", "false"]).optional() });
export type ContentRequest = z.infer<typeof ContentRequest>;

/** Somebody who is being sent a file right now, or waits for a slot. `peer.id`: `null` is a guest. */
export const Serving = z.object({
  id: z.int().min(1),
  peer: z.object({ id: PeerIdSchema.nullable(), host: z.string() }),
  /** Of the file; `null` if they are several small ones. */
  name: z.string().nullable(),
  /** Of this answer; large files take many. */
  bytes: SizeSchema,
  total: SizeSchema.nullable(),
  /** Bytes a second. */
  rate: z.number(),
  since: TimeMsSchema,
  waits: z.boolean(),
});
export type Serving = z.infer<typeof Serving>;

/** Where a share comes from: the options of the start, which stay until the next one, or a line of the manifest. */
export const Share = z.object({
  from: z.enum(["option", "manifest"]),
  /** Under which name others see it; empty: at the top. */
  name: z.string(),
  path: z.string(),
  kind: z.enum(["file", "folder", "missing"]),
});
export type Share = z.infer<typeof Share>;

export const Shares = z.object({ manifest: z.string().nullable(), shares: z.array(Share) });
export type Shares = z.infer<typeof Shares>;

/** `path` is an absolute local path of a file or folder; without a `name` its own serves. */
export const SharesChange = z.discriminatedUnion("action", [
  z.object({ action: z.literal("add"), path: z.string().min(1).max(4096), name: SharePathSchema.optional() }),
  z.object({ action: z.literal("remove"), name: SharePathSchema }),
]);
export type SharesChange = z.infer<typeof SharesChange>;

/** The query of `OWNER_ROUTES.places`: a local folder, or nothing for the user's own. */
export const PlacesRequest = z.object({ path: z.string().max(4096).optional() });
export type PlacesRequest = z.infer<typeof PlacesRequest>;

/** What lies in a local folder, for whoever picks one to share. Hidden ones are left out; at most `PLACES_MAX`. */
export const Places = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  entries: z.array(z.object({ name: z.string(), path: z.string(), kind: z.enum(["file", "folder"]) })),
});
export type Places = z.infer<typeof Places>;

export const PLACES_MAX = 2_000;

/** What is kept for the next start; options of the command line go before it. `null`: not set. */
export const KeptSettings = z.object({
  name: PeerNameSchema.nullable().default(null),
  accept: z.enum(ACCEPT_RULES).nullable().default(null),
  guests: z.boolean().nullable().default(null),
  limits: LimitsChange.default({ up: null, down: null, slots: null }),
});
export type KeptSettings = z.infer<typeof KeptSettings>;

/** Settings as they are now, and under `next` what will be different after the next start. */
export const Settings = z.object({
  name: PeerNameSchema,
  accept: z.enum(ACCEPT_RULES),
  guests: z.boolean(),
  received: z.string(),
  limits: LimitsChange,
  next: z.object({ name: PeerNameSchema, guests: z.boolean() }),
  /** Whose offers are taken without asking. */
  trusted: z.array(z.object({ id: PeerIdSchema, name: z.string() })),
});
export type Settings = z.infer<typeof Settings>;

/** What is left out stays. `accept` and `limits` count at once, the others from the next start on; all are kept. */
export const SettingsChange = z.object({
  name: PeerNameSchema.optional(),
  accept: z.enum(ACCEPT_RULES).optional(),
  guests: z.boolean().optional(),
  limits: LimitsChange.optional(),
});
export type SettingsChange = z.infer<typeof SettingsChange>;

/** Whether offers of a peer are taken without asking, whatever the rule, from now on. */
export const TrustChange = z.object({ peer: PeerIdSchema, always: z.boolean() });
export type TrustChange = z.infer<typeof TrustChange>;

/** A drop gathers files that a browser brings, until they are sent or discarded. */
export const Drop = z.object({ drop: z.uuid() });
export type Drop = z.infer<typeof Drop>;

/** The query of `OWNER_ROUTES.dropFile`, whose body is the file. `path`: where it lies among what was dropped. */
export const DropFile = Drop.extend({ path: SharePathSchema });
export type DropFile = z.infer<typeof DropFile>;

export const Dropped = z.object({ bytes: SizeSchema });
export type Dropped = z.infer<typeof Dropped>;

/** Sends what was dropped, as `send` does. */
export const DropSend = Drop.extend(SendRequest.pick({ peer: true, wait: true }).shape);
export type DropSend = z.infer<typeof DropSend>;

export const Done = z.object({ done: z.literal(true) });
export type Done = z.infer<typeof Done>;

export const OWNER_ROUTES = {
  invite: { method: "GET", path: "/api/invite" },
  /** The bytes of a file that a peer shares, as they come; takes `Range`. They are not verified: `get` does that. */
  content: { method: "GET", path: "/api/content" },
  serving: { method: "GET", path: "/api/serving" },
  shares: { method: "GET", path: "/api/shares" },
  changeShares: { method: "POST", path: "/api/shares/change" },
  places: { method: "GET", path: "/api/places" },
  settings: { method: "GET", path: "/api/settings" },
  changeSettings: { method: "POST", path: "/api/settings/change" },
  trust: { method: "POST", path: "/api/trust" },
  openDrop: { method: "POST", path: "/api/drops" },
  dropFile: { method: "PUT", path: "/api/drops/file" },
  sendDrop: { method: "POST", path: "/api/drops/send" },
  discardDrop: { method: "POST", path: "/api/drops/discard" },
  openapi: { method: "GET", path: "/api/openapi.json" },
} as const;

/** Bounds on what may wait to be sent: of one drop, of all drops together, and what stays free on the disk. */
export const DROPS_MAX = 32;
export const DROPS_MAX_BYTES = 64 * 1024 ** 3;
export const DROPS_LEAVE_FREE_BYTES = 512 * 1024 ** 2;
