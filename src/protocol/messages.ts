import { z } from "zod";
import { AuthorProof } from "./authorship.ts";
import { jsonOrUndefined } from "./json.ts";
import {
  CANDIDATES_MAX,
  PEERS_RECORDS_MAX,
  QUERY_HITS_MAX,
  ROSTER_MESSAGE_ENTRIES,
  TEXT_MAX_LENGTH,
} from "./limits.ts";
import { NodeRecord, Suspicion } from "./node-record.ts";
import { PlainAuthor, PlainIdSchema } from "./plain.ts";
import { HostSchema, RosterEntry } from "./roster.ts";
import {
  ContentIdSchema,
  LineSchema,
  PeerIdSchema,
  PeerNameSchema,
  PortSchema,
  SizeSchema,
  TimeMsSchema,
} from "./schema.ts";
import { NodeHit, QueryTextSchema, SearchFilters } from "./search.ts";

/** The messages of a link. Each is one JSON object in one WebSocket text frame. */

const Nothing = z.object({});
/** What a person says. It may have line ends and more in it: whoever shows it makes it fit. */
const TextSchema = z
  .string()
  .min(1)
  .max(TEXT_MAX_LENGTH)
  .refine((text) => text.isWellFormed(), "broken UTF-16");

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
  /**
   * To the one at the other end of the link alone, who answers with ACK. With `plain` the sender passes on what a plain JSON peer
   * says; with `plain_target` the receiver is to pass it on to one.
   */
  MESSAGE: z.object({ text: TextSchema, plain: PlainAuthor.optional(), plain_target: PlainIdSchema.optional() }),
  /** To everyone: flooded. An index server answers with ACK. */
  BROADCAST: z.object({ text: TextSchema, plain: PlainAuthor.optional() }),
  /** Who is in the mesh, as news. Answers JOIN there. */
  PEERS: z.object({
    records: z.array(NodeRecord).max(PEERS_RECORDS_MAX),
    suspects: z.array(Suspicion).max(PEERS_RECORDS_MAX),
  }),
  /** Who shares such files, or this content? Flooded; whoever does answers straight to the one who asks. */
  QUERY: z.object({
    q: QueryTextSchema,
    content: ContentIdSchema.nullable(),
    ...SearchFilters.omit({ peer: true }).shape,
  }),
  HITS: z.object({
    of: z.uuid(),
    hits: z.array(NodeHit).max(QUERY_HITS_MAX),
  }),
  PING: Nothing,
  PONG: Nothing,
  /** The message `of` was taken. Of a BROADCAST `reached` is to how many it was passed on. */
  ACK: z.object({ of: z.uuid(), reached: SizeSchema.optional() }),
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
    /** Of flooded messages: that they are their author's. */
    readonly proof: AuthorProof | null;
  };
}[T];

/** Messages that everyone passes on. Their sender is their author, whoever they come from. */
const FLOODED_TYPES = ["BROADCAST", "QUERY"] as const satisfies readonly MessageType[];
export type FloodedType = (typeof FLOODED_TYPES)[number];
export type FloodedMessage = Message<FloodedType>;

export function isFlooded(message: Message): message is FloodedMessage {
  return (FLOODED_TYPES as readonly MessageType[]).includes(message.type);
}

const Envelope = z.object({
  type: z.enum(Object.keys(MESSAGE_DATA) as [MessageType, ...MessageType[]]),
  message_id: z.uuid(),
  sender_id: PeerIdSchema,
  sender_name: PeerNameSchema,
  timestamp: TimeMsSchema,
  data: z.unknown(),
  target_id: PeerIdSchema.nullable().default(null),
  hops: z.int().min(0).max(255).default(0),
  proof: AuthorProof.nullable().default(null),
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
