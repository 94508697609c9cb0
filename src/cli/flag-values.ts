import { type MeetingPoint, type NetworkTarget, parseMeetingPoint } from "../peer/options.ts";
import { parseAddress } from "../protocol/address.ts";
import { UPLOAD_SLOTS_MAX } from "../protocol/control-api.ts";
import { Failure } from "../protocol/failures.ts";
import { FILE_KINDS, parseTypeFilter } from "../protocol/file-kind.ts";
import { parseInvite } from "../protocol/invite.ts";
import { parsePeerId } from "../protocol/peer-id.ts";
import { type PeerName, parsePeerName } from "../protocol/peer-name.ts";
import { ACCEPT_RULES, type AcceptRule } from "../protocol/sending.ts";
import { parseRate } from "./rates.ts";

/** How the values of options are read. Each throws a `usage` failure that names the option, the value and what would do. */

export const INDEX_PORT_DEFAULT = 9450;
const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function wrongValue(flag: string, value: string, wanted: string): Failure {
  return new Failure("usage", `Cannot use "${value}" for ${flag}: ${wanted}`);
}

/** A port to listen on; 0 is any free one. */
export function readPort(flag: string, value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port <= 65_535) return port;
  throw wrongValue(flag, value, "give a port from 0 (any free one) to 65535");
}

/** `A-B`, both included. */
export function readPortRange(flag: string, value: string): { readonly first: number; readonly last: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(value);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (first >= 1 && first <= last && last <= 65_535) return { first, last };
  throw wrongValue(flag, value, "give the first and the last port, for example 9500-9999");
}

/** A name or an address of this machine. */
export function readHost(flag: string, value: string): string {
  const host = /^\[(.+)\]$/.exec(value)?.[1] ?? value;
  if (/^[^\s/[\]]+$/.test(host)) return host;
  throw wrongValue(flag, value, "give an address of this machine, for example 192.168.1.5, or :: for all of them");
}

export function readName(flag: string, value: string): PeerName {
  const name = parsePeerName(value);
  if (name !== undefined) return name;
  throw wrongValue(flag, value, "give a name of 1 to 64 characters without control characters");
}

export function readNetwork(flag: string, value: string): NetworkTarget {
  const invite = parseInvite(value);
  if (invite) return invite;
  const address = value.includes("//") ? undefined : parseAddress(value, INDEX_PORT_DEFAULT);
  if (address) return { address, indexId: undefined, key: undefined };
  // The key is a secret: what is wrong with it can be said without it.
  const shown = value.replace(/\?key=.*$/s, "?key=...");
  const wanted = "give HOST:PORT, or a whole invite (tukar://HOST:PORT/INDEX-ID?key=KEY)";
  throw wrongValue(flag, shown, `${inviteProblem(value)}${wanted}`);
}

/** Where a peer is: HOST:PORT, or an invite to its mesh. */
export function readMeetingPoint(flag: string, value: string): MeetingPoint {
  const point = parseMeetingPoint(value);
  if (point) return point;
  const shown = value.replace(/\?key=.*$/s, "?key=...");
  throw wrongValue(flag, shown, "give HOST:PORT of a peer, or a whole invite (tukar://HOST:PORT/PEER-ID?key=KEY)");
}

/** Which part of a mistyped invite is wrong, as far as anybody can tell. */
function inviteProblem(value: string): string {
  const match = /^tukar:\/\/([^/?#]+)\/([^/?#]*)\/?(?:\?key=(.*))?$/s.exec(value.trim());
  if (!match) return "";
  const [, address = "", indexId = "", key] = match;
  if (!parseAddress(address)) return `"${address}" is not HOST:PORT; `;
  if (!parsePeerId(indexId)) return `the index id "${indexId}" is cut off or mistyped; `;
  return key === undefined ? "" : "the key is cut off or mistyped; ";
}

/** Bytes a second; 0 is no limit. */
export function readRate(flag: string, value: string): number {
  const rate = parseRate(value);
  if (rate !== undefined) return rate;
  throw wrongValue(flag, value, "give bytes a second from 1k up, such as 500k, 10M or 1.5MiB/s, or 0 for no limit");
}

/** 0 is no limit. */
export function readUploadSlots(flag: string, value: string): number {
  const count = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (count <= UPLOAD_SLOTS_MAX) return count;
  throw wrongValue(flag, value, "give how many peers may be sent files at once, or 0 for no limit");
}

export function readAcceptRule(flag: string, value: string): AcceptRule {
  const rule = ACCEPT_RULES.find((known) => known === value);
  if (rule !== undefined) return rule;
  throw wrongValue(flag, value, `give one of ${ACCEPT_RULES.join(", ")}`);
}

export function readLogLevel(flag: string, value: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === value);
  if (level !== undefined) return level;
  throw wrongValue(flag, value, `give one of ${LOG_LEVELS.join(", ")}`);
}

const SIZE_UNITS = ["", "k", "m", "g", "t", "p"];

/** A size in bytes: `500k`, `10M`, `1.5GiB`, `4096`. Units are binary, whether or not an `i` says so. */
export function readSize(flag: string, value: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/.exec(value.trim().toLowerCase()) ?? [];
  const bytes = Math.round(Number(number) * 1024 ** SIZE_UNITS.indexOf(unit));
  if (number !== "" && Number.isSafeInteger(bytes)) return bytes;
  throw wrongValue(flag, value, "give a size such as 500k, 10M or 1.5GiB, or a number of bytes");
}

/** How many of something, at least one. */
export function readCount(flag: string, value: string): number {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (count > 0) return count;
  throw wrongValue(flag, value, "give a number from 1 to 999999999");
}

/** A kind of file or a media type. */
export function readType(flag: string, value: string): string {
  const type = parseTypeFilter(value);
  if (type !== undefined) return type;
  throw wrongValue(flag, value, `give one of ${FILE_KINDS.join(", ")}, or a media type such as audio/mpeg or audio/*`);
}
