import type { IncomingHttpHeaders } from "node:http";
import { type ByteRange, readRange } from "../../protocol/byte-range.ts";
import { parseHttpDate } from "./http-date.ts";

/** What is served: how long it is, its entity tag (content id in quotes, if it is known) and when it changed. */
export type Representation = {
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
};

export type Verdict =
  | { readonly status: 200 }
  | { readonly status: 206; readonly range: ByteRange }
  | { readonly status: 304 | 412 | 416 };

/** The order in which RFC 9110 (section 13.2.2) has a server look at the preconditions of a GET or HEAD. */
export function judgeConditions(headers: IncomingHttpHeaders, method: string, is: Representation): Verdict {
  if (!matches(headers, is)) return { status: 412 };
  if (isNotModified(headers, is)) return { status: 304 };
  if (method !== "GET" || !rangeApplies(headers["if-range"], is)) return { status: 200 };

  const range = readRange(headers.range, is.sizeBytes);
  if (range === "whole") return { status: 200 };
  if (range === "unsatisfiable") return { status: 416 };
  return { status: 206, range };
}

function matches(headers: IncomingHttpHeaders, is: Representation): boolean {
  const ifMatch = headers["if-match"];
  if (ifMatch !== undefined)
    return ifMatch.trim() === "*" || (is.etag !== undefined && listed(ifMatch, is.etag, "strong"));
  const since = httpDate(headers["if-unmodified-since"]);
  return since === undefined || wholeSeconds(is.modifiedMs) <= since;
}

function isNotModified(headers: IncomingHttpHeaders, is: Representation): boolean {
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined)
    return ifNoneMatch.trim() === "*" || (is.etag !== undefined && listed(ifNoneMatch, is.etag, "weak"));
  const since = httpDate(headers["if-modified-since"]);
  return since !== undefined && wholeSeconds(is.modifiedMs) <= since;
}

/** If-Range asks for the range only of what the client has a part of already, else for the whole (section 13.1.5). */
function rangeApplies(ifRange: string | readonly string[] | undefined, is: Representation): boolean {
  if (ifRange === undefined) return true;
  if (typeof ifRange !== "string") return false;
  if (ifRange.startsWith('"')) return ifRange === is.etag;
  return httpDate(ifRange) === wholeSeconds(is.modifiedMs);
}

/** Whether a list of entity tags holds this one; the weak comparison ignores a `W/` in front (section 8.8.3.2). */
function listed(list: string, etag: string, comparison: "strong" | "weak"): boolean {
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === etag || (comparison === "weak" && tag === `W/${etag}`));
}

/** An invalid date counts as absent. */
function httpDate(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseHttpDate(text.trim(), Date.now());
}

/** HTTP dates have no fractions of a second. */
function wholeSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}
