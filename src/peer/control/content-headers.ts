import { create as contentDisposition } from "content-disposition";
import { mediaTypeOf } from "../../protocol/media-type.ts";
import { baseName, type SharePath } from "../../protocol/share-path.ts";

/** What a browser shows by itself and cannot be made to run anything by. */
const SHOWN = /^(?:image|audio|video)\//;
const PDF = "application/pdf";
/** Types that are text to look at, whatever else a browser would make of them. */
const TEXT = /^(?:text\/|application\/(?:json|xml|javascript|x-sh|x-yaml|yaml|toml|sql)$|.*\+(?:json|xml)$)/;

/**
 * How a browser is to take a file that comes from somebody else. Its type follows from its name here, never from what the
 * other side says; whatever could run is plain text or bytes to save; and all of it is in a sandbox, without the page's
 * rights, with no script and no way to anywhere. A PDF alone is in none, since no browser shows one there: it keeps PDFs
 * apart from pages in any case.
 */
export function contentHeaders(path: SharePath, save: boolean): Readonly<Record<string, string>> {
  const type = save ? "application/octet-stream" : shownType(mediaTypeOf(path));
  const isShown = type !== "application/octet-stream";
  return {
    "content-type": type,
    "content-disposition": contentDisposition(baseName(path), { type: isShown ? "inline" : "attachment" }),
    "content-security-policy": type === PDF ? FRAMED : `${FRAMED}; sandbox`,
    "x-content-type-options": "nosniff",
  };
}

const FRAMED =
  "default-src 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'";

function shownType(type: string): string {
  if (SHOWN.test(type) || type === PDF) return type;
  return TEXT.test(type) ? "text/plain; charset=utf-8" : "application/octet-stream";
}
