import { SHARE_PATH_MAX_BYTES, SHARE_PATH_MAX_LEVELS } from "./limits.ts";
import { isHostileText } from "./untrusted-text.ts";

declare const checked: unique symbol;

/** A file's public path: NFC, `/`-separated, relative. Only `parseSharePath` makes one. Never a local path. */
export type SharePath = string & { readonly [checked]: "SharePath" };

/** Names that Windows gives to devices, whatever their extension, and with blanks before it. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:[.:]|$)/i;
/** The folder of unfinished downloads and its short name on Windows: a stranger's file in there would pass as verified. */
const UNFINISHED = /^(?:\.tukar|tukar~\d+)$/i;
const DRIVE = /^[a-z]:/i;

/**
 * Turns untrusted text into a share path, or refuses it: empty, absolute, with empty, `.` or `..` segments, with
 * backslashes, control or bidirectional override characters, drive letters or names with a meaning of their own
 * (devices, the folder of unfinished downloads), too long or too deep.
 */
export function parseSharePath(raw: string): SharePath | undefined {
  if (raw.length > SHARE_PATH_MAX_BYTES) return undefined;
  const path = raw.normalize("NFC");
  if (Buffer.byteLength(path) > SHARE_PATH_MAX_BYTES) return undefined;
  const segments = path.split("/");
  return segments.length <= SHARE_PATH_MAX_LEVELS && segments.every(isShareableName) ? (path as SharePath) : undefined;
}

/** Whether one segment of a path may be shown to others. */
export function isShareableName(name: string): boolean {
  return (
    name !== "" &&
    name !== "." &&
    name !== ".." &&
    !name.includes("/") &&
    !name.includes("\\") &&
    !isHostileText(name) &&
    !DRIVE.test(name) &&
    !DEVICE_NAME.test(name) &&
    !UNFINISHED.test(name)
  );
}

/** The last segment. */
export function baseName(path: SharePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** All but the last segment; empty at the top. */
export function parentPath(path: SharePath): SharePath | "" {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) as SharePath | "";
}

/** How a share path stands in a URL: each segment percent-encoded (RFC 3986), slashes kept. */
export function encodeSharePath(path: SharePath): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The share path in the percent-encoded rest of a URL, or nothing if it is not one. */
export function decodeSharePath(encoded: string): SharePath | undefined {
  try {
    return parseSharePath(encoded.split("/").map(decodeSegment).join("/"));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** An encoded slash inside a segment would split it anew, so it makes the path invalid. */
function decodeSegment(segment: string): string {
  const decoded = decodeURIComponent(segment);
  if (decoded.includes("/")) throw new URIError("encoded slash");
  return decoded;
}

/**
 * A name as this platform's file system can hold it. Windows refuses some characters and trailing dots or
 * blanks that other systems allow: each becomes `_` there.
 */
export function localName(name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? name.replace(/[<>:"|?*]/g, "_").replace(/[. ]$/, "_") : name;
}
