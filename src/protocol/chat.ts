import { z } from "zod";
import { TEXT_MAX_LENGTH } from "./limits.ts";
import { PeerIdSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/** Talking as its owner sees it: the shapes behind `tukar msg`, `broadcast`, `chat` and `history PEER`. */

const Somebody = z.object({ id: PeerIdSchema, name: z.string() });

/**
 * The plain JSON peer that said something, or to whom it was said: id and name that it gives itself. `through`: the tukar peer whose id
 * stands beside it passed it on, or is to do so; then the name beside that id is no name of its own, but tells both.
 */
export const PlainParty = z.object({ id: z.string(), name: z.string(), through: z.boolean() });
export type PlainParty = z.infer<typeof PlainParty>;

/** `peer`: to whom, `null` for everybody. */
export const SayRequest = z.object({
  peer: z.string().min(1).max(300).nullable(),
  text: z.string().min(1).max(TEXT_MAX_LENGTH),
});
export type SayRequest = z.infer<typeof SayRequest>;

/** What becomes of a message. `message` is its number; what is to everybody ends with `sent`, all else with one of the last two. */
export const SayEvent = z.discriminatedUnion("event", [
  /** It went to everybody; the index server passed it on to `reached`, `null` if none said to how many. */
  z.object({ event: z.literal("sent"), message: z.int(), reached: SizeSchema.nullable() }),
  /** It cannot be brought at the moment: it is kept, and goes out when the receiver is there. */
  z.object({
    event: z.literal("kept"),
    message: z.int(),
    peer: Somebody,
    /** Whether the receiver is offline, or online and cannot be reached. */
    offline: z.boolean(),
    reason: z.string(),
  }),
  z.object({ event: z.literal("delivered"), message: z.int(), peer: Somebody }),
]);
export type SayEvent = z.infer<typeof SayEvent>;

const MESSAGE_STATES = ["received", "waiting", "delivered", "sent", "failed", "cancelled"] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export const CHAT_SCOPES = ["direct", "broadcast"] as const;

/** One message of a conversation. `peer`: the other side of it, `null` of what is to everybody. */
export const ChatMessage = z.object({
  id: z.int().min(1),
  scope: z.enum(CHAT_SCOPES),
  from: Somebody,
  peer: Somebody.nullable(),
  text: z.string(),
  at: TimeMsSchema,
  state: z.enum(MESSAGE_STATES),
  /** Why it waits or failed. */
  reason: z.string().nullable(),
  plain: PlainParty.optional(),
});
export type ChatMessage = z.infer<typeof ChatMessage>;

/**
 * The last messages with one peer, of the room (what is to everybody), or those that wait for somebody. `conversations`: the last message
 * of each conversation, the room among them.
 */
export const ChatRequest = z.discriminatedUnion("of", [
  z.object({ of: z.literal("peer"), peer: z.string().min(1).max(300), limit: z.coerce.number().pipe(z.int().min(1)) }),
  z.object({ of: z.literal("room"), limit: z.coerce.number().pipe(z.int().min(1)) }),
  z.object({ of: z.literal("waiting") }),
  z.object({ of: z.literal("conversations") }),
]);
export type ChatRequest = z.infer<typeof ChatRequest>;

/** Takes back messages that wait. */
export const ChatChange = z.object({
  action: z.literal("cancel"),
  which: z.union([z.literal("all"), z.array(z.int().min(1)).min(1).max(10_000)]),
});
export type ChatChange = z.infer<typeof ChatChange>;
