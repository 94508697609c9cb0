import { z } from "zod";
import { ANNOUNCEMENT_TEXT_MAX_BYTES } from "./limits.ts";
import { PeerIdSchema, PortSchema } from "./schema.ts";

/** What is said on a LAN, in multicast DNS (RFC 6762, 6763), about something there that can be joined. */

/** The type of service, with the domain of multicast DNS. */
export const SERVICE_TYPE = "_tukar._tcp.local";

/** Nobody's name and nothing of what is shared: whoever wants to know more has to join. */
export const Announcement = z.object({
  /** Version of the wire protocol. */
  v: z.coerce
    .string()
    .regex(/^[1-9]\d{0,5}$/)
    .transform(Number),
  role: z.enum(["index", "peer"]),
  /** Who has to answer at the address. Anybody can say it: only the TLS handshake proves it. */
  id: PeerIdSchema,
  access: z.enum(["open", "private"]),
  port: PortSchema,
});
export type Announcement = z.infer<typeof Announcement>;
export type AnnouncedRole = Announcement["role"];

/** The announcement as the strings of a TXT record; the port is in the SRV record. */
export function announcementText({ v, role, id, access }: Announcement): string[] {
  return [`v=${v}`, `role=${role}`, `id=${id}`, `access=${access}`];
}

/** Reads the strings of a TXT record and the port of an SRV record. Keys that are not known do not count. */
export function parseAnnouncement(strings: readonly Uint8Array[], port: number): Announcement | undefined {
  let bytes = 0;
  const values = new Map<string, string>();
  for (const string of strings) {
    bytes += string.length + 1;
    if (bytes > ANNOUNCEMENT_TEXT_MAX_BYTES) return undefined;
    const [, key = "", value = ""] = /^([a-z]+)=(.*)$/is.exec(new TextDecoder().decode(string)) ?? [];
    // Of several with the same key the first one counts (RFC 6763, 6.4).
    if (!values.has(key.toLowerCase())) values.set(key.toLowerCase(), value);
  }
  return Announcement.safeParse({ ...Object.fromEntries(values), port }).data;
}
