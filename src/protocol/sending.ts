import { z } from "zod";
import { PeerIdSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/** Sending as its owner sees it: the shapes behind `tukar send`, `sends`, `offers`, `accept` and `decline`. */

/** What a peer does about offers: asks, takes those of everybody, or of those it knows, or none. */
export const ACCEPT_RULES = ["ask", "all", "known", "none"] as const;
export type AcceptRule = (typeof ACCEPT_RULES)[number];

const Somebody = z.object({ id: PeerIdSchema, name: z.string() });

/**
 * `peer`: to whom, `null` for everybody who is online. `paths` are absolute local paths of files and folders. `wait`: an
 * offer for somebody who is offline waits.
 */
export const SendRequest = z.object({
  peer: z.string().min(1).max(300).nullable(),
  paths: z.array(z.string().min(1).max(4096)).min(1).max(10_000),
  wait: z.boolean(),
});
export type SendRequest = z.infer<typeof SendRequest>;

const OfOne = { send: z.int(), peer: Somebody };

/** What happens while files are sent. Each receiver has its own `send`; the last event of each is one of the last three. */
export const SendEvent = z.discriminatedUnion("event", [
  /** The files are being hashed, `bytes` of `total` so far. */
  z.object({ event: z.literal("hashing"), bytes: SizeSchema, total: SizeSchema }),
  /** The receiver has heard of it. */
  z.object({ event: z.literal("offered"), ...OfOne, files: SizeSchema, bytes: SizeSchema }),
  /** The receiver is not there at the moment. */
  z.object({ event: z.literal("waiting"), ...OfOne, reason: z.string() }),
  z.object({ event: z.literal("accepted"), ...OfOne }),
  z.object({ event: z.literal("progress"), ...OfOne, bytes: SizeSchema, total: SizeSchema }),
  /** The receiver has all of it, verified. */
  z.object({ event: z.literal("delivered"), ...OfOne, files: SizeSchema, bytes: SizeSchema, seconds: z.number() }),
  z.object({ event: z.literal("declined"), ...OfOne, reason: z.string() }),
  z.object({ event: z.literal("failed"), ...OfOne, code: z.string(), message: z.string() }),
]);
export type SendEvent = z.infer<typeof SendEvent>;

export const SEND_STATES = ["waiting", "offered", "accepted", "delivered", "declined", "failed", "cancelled"] as const;
export type SendState = (typeof SEND_STATES)[number];

/** One line of `tukar sends`. `bytes` of `total` have arrived; `reason`: why it waits, was declined or failed. */
export const Send = z.object({
  id: z.int().min(1),
  peer: Somebody,
  names: z.array(z.string()),
  files: SizeSchema,
  bytes: SizeSchema,
  total: SizeSchema,
  state: z.enum(SEND_STATES),
  reason: z.string().nullable(),
  added: TimeMsSchema,
  ended: TimeMsSchema.nullable(),
});
export type Send = z.infer<typeof Send>;

/** Which are to change: by number, or all that can. */
const Which = z.union([z.literal("all"), z.array(z.int().min(1)).min(1).max(10_000)]);

/** `clear` takes those that ended off the list. */
export const SendsChange = z.discriminatedUnion("action", [
  z.object({ action: z.literal("cancel"), which: Which }),
  z.object({ action: z.literal("clear") }),
]);
export type SendsChange = z.infer<typeof SendsChange>;

export const OFFER_STATES = ["open", "accepted", "delivered", "declined", "withdrawn", "failed"] as const;
export type OfferState = (typeof OFFER_STATES)[number];

/** One line of `tukar offers`: what somebody offers. `download`: the number of the download that fetches it. */
export const ReceivedOffer = z.object({
  id: z.int().min(1),
  peer: Somebody.extend({ known: z.boolean() }),
  names: z.array(z.string()),
  files: SizeSchema,
  bytes: SizeSchema,
  state: z.enum(OFFER_STATES),
  reason: z.string().nullable(),
  download: z.int().nullable(),
  added: TimeMsSchema,
});
export type ReceivedOffer = z.infer<typeof ReceivedOffer>;

/** Whoever offered what is accepted is known from then on. */
export const OffersAnswer = z.object({ answer: z.enum(["accept", "decline"]), which: Which });
export type OffersAnswer = z.infer<typeof OffersAnswer>;

/** Numbers of what was in a state to be changed so. */
export const Changed = z.object({ changed: z.array(z.int()) });
export type Changed = z.infer<typeof Changed>;

/** The query of `CONTROL_ROUTES.downloads`, `sends` and `offers`: with those that ended, or without. */
export const ControlAllQuery = z.object({ all: z.enum(["true", "false"]) });
