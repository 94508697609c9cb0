import type { Answer, DecodedPacket, Packet } from "dns-packet";
import { z } from "zod";
import { type Announcement, announcementText, parseAnnouncement, SERVICE_TYPE } from "../../protocol/announcement.ts";
import { ANNOUNCEMENT_LIFE_MS, ANNOUNCEMENTS_PER_HOST } from "../../protocol/limits.ts";
import { type PeerId, parsePeerId } from "../../protocol/peer-id.ts";

/** Between announcements and the records of DNS that carry them. Pure. */

/** Lists all types of services there are (RFC 6763, 9). */
const ALL_TYPES = "_services._dns-sd._udp.local";

const LIFE_SECONDS = ANNOUNCEMENT_LIFE_MS / 1000;
/** What somebody is told who is no full participant and does not hear when it changes (RFC 6762, 6.7). */
const BRIEF_SECONDS = 10;

/** What a packet has to have in it somewhere to be worth decoding, so that what others talk about costs nothing. */
export const MARKS = ["_tukar", "_services"] as const;

/** Instance and host are called by the id: it is unique, and says nothing about the machine or its owner. */
function instanceOf(id: PeerId): string {
  return `${id}.${SERVICE_TYPE}`;
}

function hostOf(id: PeerId): string {
  return `${id}.local`;
}

type Life = { readonly seconds?: number; readonly flush?: boolean };

/** All that is said about an announcement at an address. With `seconds` 0 it is taken back. */
function recordsOf(
  announced: Announcement,
  address: string,
  { seconds = LIFE_SECONDS, flush = true }: Life = {},
): Answer[] {
  const { id, port } = announced;
  const own = { ttl: seconds, flush };
  return [
    { type: "PTR", name: SERVICE_TYPE, ttl: seconds, data: instanceOf(id) },
    { type: "SRV", name: instanceOf(id), ...own, data: { port, target: hostOf(id) } },
    { type: "TXT", name: instanceOf(id), ...own, data: announcementText(announced) },
    { type: "A", name: hostOf(id), ...own, data: address },
  ];
}

const RESPONSE = { type: "response", flags: 1 << 10 } as const; // an authoritative answer

export function announcing(announced: Announcement, address: string): Packet {
  return { ...RESPONSE, answers: recordsOf(announced, address) };
}

export function takingBack(announced: Announcement, address: string): Packet {
  return { ...RESPONSE, answers: recordsOf(announced, address, { seconds: 0 }) };
}

/** For whoever asked from another port than that of multicast DNS: as plain DNS, to be sent to the asker alone. */
export function plainAnswer(announced: Announcement, address: string, { id, questions = [] }: DecodedPacket): Packet {
  const answers = recordsOf(announced, address, { seconds: BRIEF_SECONDS, flush: false });
  return { ...RESPONSE, ...(id !== undefined && { id }), questions: questions.slice(0, 1), answers };
}

export function asking(): Packet {
  return { type: "query", questions: [{ type: "PTR", name: SERVICE_TYPE }] };
}

export function typeListing(): Packet {
  return { ...RESPONSE, answers: [{ type: "PTR", name: ALL_TYPES, ttl: LIFE_SECONDS, data: SERVICE_TYPE }] };
}

/** What a query wants to know of us: the announcement, or only that there is such a type of service. */
export function wantedBy({ questions = [], answers = [] }: DecodedPacket, { id }: Announcement): Wanted {
  const about = (name: string): boolean => questions.some((question) => isSame(question.name, name));
  const known = answers.some(
    (answer) => answer.type === "PTR" && isSame(answer.data, instanceOf(id)) && (answer.ttl ?? 0) >= LIFE_SECONDS / 2,
  );
  if (about(instanceOf(id)) || about(hostOf(id)) || (about(SERVICE_TYPE) && !known)) return "announcement";
  return about(ALL_TYPES) ? "type" : undefined;
}
type Wanted = "announcement" | "type" | undefined;

/** What a response says: each announcement with the time that it holds; 0 is the goodbye. */
export type Heard = { readonly announcement: Announcement; readonly lifeMs: number } | { readonly gone: PeerId };

const Pointer = z.object({ type: z.literal("PTR"), ttl: z.int().min(0), data: z.string() });
const Service = z.object({ type: z.literal("SRV"), ttl: z.int().min(0), data: z.object({ port: z.int() }) });
const Text = z.object({ type: z.literal("TXT"), data: z.array(z.instanceof(Uint8Array)) });

/** Reads a response. All records of an announcement have to be in it; what is incomplete or breaks a rule is left out. */
export function heardIn({ answers = [], additionals = [] }: DecodedPacket): Heard[] {
  const records = [...answers, ...additionals];
  const pointers = new Map<PeerId, number>();
  for (const record of records) {
    if (!isSame(record.name, SERVICE_TYPE)) continue;
    const pointer = Pointer.safeParse(record).data;
    const id = pointer && instanceId(pointer.data);
    if (pointer && id && pointers.size < ANNOUNCEMENTS_PER_HOST) pointers.set(id, pointer.ttl);
  }
  return [...pointers].flatMap(([id, ttl]): Heard[] => {
    if (ttl === 0) return [{ gone: id }];
    const own = records.filter(({ name }) => isSame(name, instanceOf(id)));
    const service = first(own, Service);
    const text = first(own, Text);
    const announcement = service && text && parseAnnouncement(text.data, service.data.port);
    if (announcement?.id !== id) return [];
    return [{ announcement, lifeMs: Math.min(ttl * 1000, ANNOUNCEMENT_LIFE_MS) }];
  });
}

function first<T>(records: readonly Answer[], schema: z.ZodType<T>): T | undefined {
  for (const record of records) {
    const { data } = schema.safeParse(record);
    if (data !== undefined) return data;
  }
  return undefined;
}

function instanceId(name: string): PeerId | undefined {
  const [label = "", ...type] = name.toLowerCase().split(".");
  return isSame(type.join("."), SERVICE_TYPE) ? parsePeerId(label) : undefined;
}

/** Names of DNS are the same in large and small letters. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
