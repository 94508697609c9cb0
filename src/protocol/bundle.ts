import { z } from "zod";
import { BUNDLE_FILE_MAX_BYTES, BUNDLE_FILES_MAX } from "./limits.ts";
import { FileEntry, FolderEntry } from "./listing.ts";
import { ContentIdSchema, LineSchema, SharePathSchema } from "./schema.ts";

/** Many small files in one stream: what is asked for, and how it comes. `src/protocol/README.md` describes it. */

/** A file by its share path; with `content` exactly that content, wherever it lies by now. */
const BundleWish = z.object({ path: SharePathSchema, content: ContentIdSchema.nullable() });

/** The body of `POST /v1/bundle`: all that a folder holds, or the files named. */
export const BundleRequest = z.union([
  z.object({ folder: SharePathSchema }),
  z.object({ files: z.array(BundleWish).min(1).max(BUNDLE_FILES_MAX) }),
]);
export type BundleRequest = z.infer<typeof BundleRequest>;

const FolderHead = FolderEntry;
/** A file whose bytes follow, or one that has to be asked for in another way. */
const FileHead = FileEntry.extend({ follows: z.boolean() }).refine(
  ({ follows, size, content }) => !follows || (size <= BUNDLE_FILE_MAX_BYTES && content !== null),
);
/** A file that cannot be had. */
const FailureHead = z.object({
  kind: z.literal("failure"),
  path: SharePathSchema,
  code: LineSchema(64),
  message: LineSchema(4096),
});
/** That was all. */
const EndHead = z.object({ kind: z.literal("end") });

/** What stands before the bytes of each file, and in place of them. */
export const BundleHead = z.discriminatedUnion("kind", [FileHead, FolderHead, FailureHead, EndHead]);
export type BundleHead = z.infer<typeof BundleHead>;
/** A head that is about something: all but the last one. */
export type BundleEntry = Exclude<BundleHead, { kind: "end" }>;
