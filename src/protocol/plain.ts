import { z } from "zod";
import { jsonOrUndefined } from "./json.ts";
import { PLAIN_ID_MAX_LENGTH, TEXT_MAX_LENGTH } from "./limits.ts";
import { type PeerName, peerNameFrom } from "./peer-name.ts";
import { PeerNameSchema } from "./schema.ts";
import { isHostileText } from "./untrusted-text.ts";

/** The messages of plain JSON peers: one JSON object a line over bare TCP. Nothing in them is proof of anything. */

/** What might be taken for a peer id, valid or not, in whatever case and width. */
const LIKE_A_PEER_ID = /^[a-z2-7]{52}$/i;

/** How plain peers tell each other apart: any short text in one line that cannot be taken for the id of a tukar peer. */
export function isPlainId(text: string): boolean {
  const isShort = text.length > 0 && text.length <= PLAIN_ID_MAX_LENGTH && text.trim() === text;
  return isShort && !isHostileText(text) && !LIKE_A_PEER_ID.test(text.normalize("NFKC"));
}

export const PlainIdSchema = z.string().refine(isPlainId, "not a plain id");

/** A plain peer, as it calls itself. */
export const PlainSpeaker = z.object({ id: PlainIdSchema, name: PeerNameSchema });
export type PlainSpeaker = z.infer<typeof PlainSpeaker>;

/** What a plain peer is called where it could be taken for somebody who can prove an id. */
export function plainLabel(name: string, through?: string): string {
  return `${name} (plain${through === undefined ? "" : `, through ${through}`})`;
}

/**
 * A plain peer whose words a tukar peer passes on. `of` is the same of every copy of one message, whichever way it came: the
 * id that it had, or its time as it stood there.
 */
export const PlainAuthor = PlainSpeaker.extend({ of: z.string().max(PLAIN_ID_MAX_LENGTH) });
export type PlainAuthor = z.infer<typeof PlainAuthor>;

export const PLAIN_TYPES = ["MESSAGE", "BROADCAST", "JOIN", "LEAVE", "PEERS", "PING", "PONG", "DISCOVERY"] as const;
export type PlainType = (typeof PLAIN_TYPES)[number];

/** One line from a plain peer, understood. */
export type PlainMessage = {
  readonly type: PlainType;
  readonly id: string;
  readonly name: PeerName;
  /** Milliseconds since 1970; nothing if it says nothing that can be understood. */
  readonly saidMs: number | undefined;
  /** What tells this message from others of the same sender; nothing if it bears neither an id nor a time. */
  readonly of: string | undefined;
  readonly target: string | undefined;
  /** Of MESSAGE and BROADCAST: nothing if it has no text that can be passed on. */
  readonly text: string | undefined;
  /** Of JOIN: where it listens, if it does. */
  readonly port: number | undefined;
};

const Lenient = z.union([z.string(), z.number()]);
const Line = z.object({
  type: z.string(),
  sender_id: z.unknown(),
  sender_name: z.string().nullish().catch(undefined),
  timestamp: Lenient.nullish().catch(undefined),
  message_id: Lenient.nullish().catch(undefined),
  target_id: z.string().nullish().catch(undefined),
  data: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});

/** Reads one line. Nothing: it is of a type that is not known here. A `problem` is told in one line. */
export function parsePlainLine(line: string): PlainMessage | { readonly problem: string } | undefined {
  const parsed = Line.safeParse(jsonOrUndefined(line));
  if (!parsed.success) return { problem: "what came is no JSON object with a type" };
  const { type: named, sender_id: id, sender_name, timestamp, message_id, target_id, data } = parsed.data;
  const type = PLAIN_TYPES.find((known) => known === named);
  if (type === undefined) return undefined;
  if (typeof id !== "string" || !isPlainId(id)) return { problem: "its sender_id is none that a plain peer may have" };
  const text = data?.["text"];
  const port = Number(data?.["port"]);
  return {
    type,
    id,
    name: peerNameFrom(sender_name ?? id),
    saidMs: readTime(timestamp ?? undefined),
    of: (message_id ?? Lenient.safeParse(data?.["message_id"]).data ?? timestamp)
      ?.toString()
      .slice(0, PLAIN_ID_MAX_LENGTH),
    target: target_id ?? undefined,
    text: typeof text === "string" && isText(text) ? text : undefined,
    port: Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined,
  };
}

function isText(text: string): boolean {
  return text.length > 0 && text.length <= TEXT_MAX_LENGTH && text.isWellFormed();
}

/** From here on a number can only be meant as milliseconds. */
const MILLISECONDS_FROM = 1e11;

/** Seconds, milliseconds or a date in words, in milliseconds. */
function readTime(timestamp: string | number | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  const number = Number(timestamp === "" ? Number.NaN : timestamp);
  const ms = Number.isNaN(number) ? Date.parse(`${timestamp}`) : number < MILLISECONDS_FROM ? number * 1000 : number;
  return Math.abs(ms) <= 8.64e15 ? Math.round(ms) : undefined;
}

/**
 * A line as it goes out. It has the six fields of the envelope and no others, as some programs take no more. `data.message_id` is
 * the same from whomever it comes.
 */
export function encodePlainLine(
  type: PlainType,
  said: {
    readonly from: { readonly id: string; readonly name: string };
    readonly atMs: number;
    readonly data: Readonly<Record<string, unknown>>;
    readonly target?: string;
    readonly message?: string;
  },
): string {
  const { from, atMs, data, target, message } = said;
  const line = {
    type,
    sender_id: from.id,
    sender_name: from.name,
    timestamp: atMs / 1000,
    data: { ...data, message_id: message },
    target_id: target ?? null,
  };
  return `${JSON.stringify(line)}\n`;
}
