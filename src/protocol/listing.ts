import { z } from "zod";
import { ContentIdSchema, FileSizeSchema, LineSchema, SharePathSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/**
 * A shared file. `content` is `null` until it has been hashed; `modified` in milliseconds since 1970; `executable`: its
 * owner may run it.
 */
export const FileEntry = z.object({
  kind: z.literal("file"),
  path: SharePathSchema,
  size: FileSizeSchema,
  modified: TimeMsSchema,
  type: LineSchema(255),
  content: ContentIdSchema.nullable(),
  executable: z.boolean().default(false),
});
export type FileEntry = z.infer<typeof FileEntry>;

/** A shared folder: `size` is the sum of the files below it, `modified` the latest of theirs, both 0 if there are none. */
export const FolderEntry = z.object({
  kind: z.literal("folder"),
  path: SharePathSchema,
  size: SizeSchema,
  modified: TimeMsSchema,
  type: z.null(),
  content: z.null(),
});
export type FolderEntry = z.infer<typeof FolderEntry>;

/** One NDJSON line of `GET /v1/files`. */
export const ListEntry = z.discriminatedUnion("kind", [FileEntry, FolderEntry]);
export type ListEntry = z.infer<typeof ListEntry>;

/** While a file is being hashed for the one who asked, `GET /v1/resolve` says how far it is. */
export const HashingLine = z.object({ kind: z.literal("hashing"), bytes: FileSizeSchema, total: FileSizeSchema });
export type HashingLine = z.infer<typeof HashingLine>;

/** A base name that several files bear: some of their paths. */
export const AmbiguousLine = z.object({ kind: z.literal("ambiguous"), paths: z.array(SharePathSchema).max(20) });
export type AmbiguousLine = z.infer<typeof AmbiguousLine>;

/** One NDJSON line of `GET /v1/resolve`. */
export const ResolveLine = z.discriminatedUnion("kind", [HashingLine, AmbiguousLine, FileEntry, FolderEntry]);
export type ResolveLine = z.infer<typeof ResolveLine>;

/** A stream that has begun can still fail: this is then its last line. */
export const FailureLine = z.object({
  kind: z.literal("failure"),
  code: LineSchema(64),
  message: LineSchema(4096),
});
export type FailureLine = z.infer<typeof FailureLine>;
