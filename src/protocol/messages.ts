import { z } from "zod";
import { jsonOrUndefined } from "./json.ts";
import { CANDIDATES_MAX, ROSTER_MESSAGE_ENTRIES } from "./limits.ts";
import { HostSchema, RosterEntry } from "./roster.ts";
import { LineSchema, PeerIdSchema, PeerNameSchema, PortSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/** The messages of a link. Each is one JSON object in one WebSocket text frame. */

const Nothing = z.object({});

/** What each type of message carries in `data`. */
export const MESSAGE_DATA = {
  /**
   * First message of whoever dialled. A `peer` says where it listens, or `null` to be given a port; a `visitor`
   * only looks and fetches, and appears in no roster.
   */
  JOIN: z.object({
    program: LineSchema(64),
    role: z.enum(["peer", "visitor"]),
    port: PortSchema.nullable(),
    hosts: z.array(HostSchema).max(CANDIDATES_MAX),
    /** False for a peer that shares nothing this time: what is held of its catalog stays as it is, and is not found. */
    shares: z.boolean().optional(),
  }),
  /** The index server took the newcomer in. `port` is where a peer is to listen (its own if it named one). */
  WELCOME: z.object({ index_name: PeerNameSchema, port: PortSchema.nullable(), seen_host: HostSchema }),
  /** The peer now listens on this port. */
  LISTENING: z.object({ port: PortSchema }),
  /** The peer could not bind this port; `ASSIGN` gives it another. */
  PORT_REFUSED: z.object({ port: PortSchema }),
  ASSIGN: z.object({ port: PortSchema }),
  /**
   * Who came, whose entry changed and who left since the last ROSTER. If too many came or left at once, `untold` is how many
   * of them are not named.
   */
  ROSTER: z.object({
    joined: z.array(RosterEntry).max(ROSTER_MESSAGE_ENTRIES),
    changed: z.array(RosterEntry).max(ROSTER_MESSAGE_ENTRIES),
    left: z.array(z.object({ id: PeerIdSchema, name: PeerNameSchema })).max(ROSTER_MESSAGE_ENTRIES),
    untold: z.object({ joined: SizeSchema, left: SizeSchema }).optional(),
  }),
  /** Asks whether this id is a member of the network right now. */
  WHO: z.object({ id: PeerIdSchema }),
  MEMBER: z.object({ id: PeerIdSchema, member: z.boolean() }),
  PING: Nothing,
  PONG: Nothing,
  /** The message `of` was taken. */
  ACK: z.object({ of: z.uuid() }),
  /** Goodbye. */
  LEAVE: Nothing,
  /** Why the sender closes the link, or could not do what message `of` asked. */
  ERROR: z.object({ code: LineSchema(64), message: LineSchema(1024), of: z.uuid().nullable() }),
} as const;

export type MessageType = keyof typeof MESSAGE_DATA;
export type MessageData<T extends MessageType> = z.infer<(typeof MESSAGE_DATA)[T]>;

export type Message<T extends MessageType = MessageType> = {
  [K in T]: {
    readonly type: K;
    readonly message_id: string;
    readonly sender_id: z.infer<typeof PeerIdSchema>;
    readonly sender_name: z.infer<typeof PeerNameSchema>;
    readonly timestamp: number;
    readonly data: MessageData<K>;
    readonly target_id: z.infer<typeof PeerIdSchema> | null;
    readonly hops: number;
  };
}[T];

const Envelope = z.object({
  type: z.enum(Object.keys(MESSAGE_DATA) as [MessageType, ...MessageType[]]),
  message_id: z.uuid(),
  sender_id: PeerIdSchema,
  sender_name: PeerNameSchema,
  timestamp: TimeMsSchema,
  data: z.unknown(),
  target_id: PeerIdSchema.nullable().default(null),
  hops: z.int().min(0).max(255).default(0),
});

/** Turns one WebSocket frame into a message, or says in one line why it is none. */
export function parseMessage(frame: string): Message | { readonly problem: string } {
  const envelope = Envelope.safeParse(jsonOrUndefined(frame));
  if (!envelope.success) return { problem: describe(envelope.error) };
  const data = MESSAGE_DATA[envelope.data.type].safeParse(envelope.data.data);
  if (!data.success) return { problem: `${envelope.data.type}: ${describe(data.error)}` };
  return { ...envelope.data, data: data.data } as Message;
}

function describe(error: z.ZodError): string {
  const [first] = error.issues;
  return first === undefined ? "invalid" : `${first.path.join(".") || "message"}: ${first.message}`.slice(0, 200);
}
