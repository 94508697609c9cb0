/** First and last byte, both inclusive, as HTTP counts them. */
export type ByteRange = { readonly first: number; readonly last: number };

/**
 * What a Range header asks of a representation of `sizeBytes` (RFC 9110, section 14). A malformed header, another
 * unit or a list of several ranges asks for the whole: a server may ignore Range, and that one answer fits them all.
 * So does the end of an empty file: it is there, but no Content-Range can say so.
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange | "whole" | "unsatisfiable" {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "");
  if (!match) return "whole";
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return "whole";
  if (from !== "" && to !== "" && Number(to) < Number(from)) return "whole";
  if (from === "" && Number(to) > 0 && sizeBytes === 0) return "whole";

  const first = from === "" ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === "" || to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  return first <= last ? { first, last } : "unsatisfiable";
}

/** `Content-Range` of a 206 answer. */
export function contentRange({ first, last }: ByteRange, sizeBytes: number): string {
  return `bytes ${first}-${last}/${sizeBytes}`;
}

/** Reads a `Content-Range` of a 206 answer, or nothing if it is malformed or contradicts itself. */
export function parseContentRange(
  header: string | undefined,
): (ByteRange & { readonly sizeBytes: number }) | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(header ?? "");
  if (!match) return undefined;
  const [first, last, sizeBytes] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return first <= last && last < sizeBytes && sizeBytes <= Number.MAX_SAFE_INTEGER
    ? { first, last, sizeBytes }
    : undefined;
}
