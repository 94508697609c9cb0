import { lookup } from "mime-types";

const UNKNOWN_TYPE = "application/octet-stream";

/**
 * Extensions that the registry of `mime-types` does not know, or knows as something that hardly anybody has. Registered types where
 * there are any (zstd: RFC 8878), else those that browsers and file managers use.
 */
const MORE_TYPES: Readonly<Record<string, string>> = {
  ape: "audio/x-ape",
  fb2: "application/x-fictionbook+xml",
  go: "text/x-go",
  lz: "application/x-lzip",
  lz4: "application/x-lz4",
  parquet: "application/vnd.apache.parquet",
  py: "text/x-python",
  rs: "text/x-rust",
  taz: "application/gzip",
  tbz: "application/x-bzip2",
  tbz2: "application/x-bzip2",
  tgz: "application/gzip",
  tlz: "application/x-lzip",
  tsx: "text/tsx",
  txz: "application/x-xz",
  tzst: "application/zstd",
  wv: "audio/x-wavpack",
  zst: "application/zstd",
};

/** The media type (RFC 6838) that goes with an extension, given without its dot; that of unknown bytes if none does. */
export function mediaTypeOfExtension(extension: string): string {
  const own = extension.toLowerCase();
  if (Object.hasOwn(MORE_TYPES, own)) return MORE_TYPES[own] ?? UNKNOWN_TYPE;
  return (own !== "" && lookup(own)) || UNKNOWN_TYPE;
}

/** The media type that goes with the name of a file. */
export function mediaTypeOf(name: string): string {
  const [, extension = ""] = /[^/]\.([^./]+)$/.exec(name) ?? [];
  return mediaTypeOfExtension(extension);
}
