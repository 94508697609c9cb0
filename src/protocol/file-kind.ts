/** Kinds of files that people look for. One file may be of several: a text is a document as well. */
export const FILE_KINDS = ["audio", "video", "image", "document", "archive", "text", "program", "font"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** Which media types (RFC 6838) belong to a kind. */
const TYPES: Readonly<Record<FileKind, RegExp>> = {
  audio: /^audio\/|^application\/(?:ogg|x-mpegurl)$/,
  video: /^video\/|^application\/(?:mp4|vnd\.rn-realmedia)$/,
  image: /^image\/|^application\/(?:postscript|x-krita)$/,
  document:
    /^application\/(?:pdf|rtf|epub\+zip|postscript|msword|x-mobipocket-ebook|vnd\.(?:ms-(?:excel|powerpoint|word|works)|openxmlformats-officedocument|oasis\.opendocument|amazon\.ebook|apple\.(?:pages|numbers|keynote)|visio).*)$|^text\/(?:plain|markdown|rtf|csv|html)$|^image\/vnd\.djvu$/,
  archive:
    /^application\/(?:zip|gzip|java-archive|vnd\.rar|zstd|x-(?:tar|gtar|7z-compressed|rar-compressed|bzip2?|xz|lzma|lzip|lz4|compress|cpio|archive|iso9660-image|apple-diskimage|stuffit.*)|vnd\.ms-cab-compressed)$/,
  text: /^text\/|^application\/(?:json|xml|yaml|toml|sql|javascript|typescript|x-(?:sh|tex|latex|httpd-php|perl|subrip|yaml)|.*\+(?:json|xml))$/,
  program:
    /^application\/(?:x-(?:msdownload|msdos-program|ms-installer|executable|elf|sh|debian-package|rpm|redhat-package-manager|apple-diskimage)|vnd\.(?:android\.package-archive|debian\.binary-package|microsoft\.portable-executable|appimage)|java-archive|wasm)$/,
  font: /^font\/|^application\/(?:font-woff|vnd\.ms-fontobject|x-font-.*)$/,
};

/** What `--type` may be: a kind, a media type (`audio/mpeg`), or all subtypes of one (`audio/*`). */
export function parseTypeFilter(raw: string): string | undefined {
  const text = raw.trim().toLowerCase();
  const isKind = (FILE_KINDS as readonly string[]).includes(text);
  return isKind || /^[a-z0-9!#$&^_.+-]{1,127}\/(?:\*|[a-z0-9!#$&^_.+-]{1,127})$/.test(text) ? text : undefined;
}

/** Whether a media type is what a filter (from `parseTypeFilter`) asks for. Parameters of the type do not count. */
export function isOfType(type: string, filter: string): boolean {
  const [essence = ""] = type.toLowerCase().split(";");
  const plain = essence.trim();
  if (Object.hasOwn(TYPES, filter)) return TYPES[filter as FileKind].test(plain);
  return filter.endsWith("/*") ? plain.startsWith(filter.slice(0, -1)) : plain === filter;
}
