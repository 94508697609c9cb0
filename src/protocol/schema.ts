import { z } from "zod";
import { parseContentId } from "./content-id.ts";
import { FILE_MAX_BYTES } from "./limits.ts";
import { parsePeerId } from "./peer-id.ts";
import { parsePeerName } from "./peer-name.ts";
import { parseSharePath } from "./share-path.ts";
import { printable } from "./untrusted-text.ts";

/** zod schemas for the words of the protocol; each is its parse function behind a schema's face. */

export const PeerIdSchema = parsedBy(parsePeerId, "not a peer id");
export const PeerNameSchema = parsedBy(parsePeerName, "not a peer name");
export const SharePathSchema = parsedBy(parseSharePath, "not a share path");
export const ContentIdSchema = parsedBy(parseContentId, "not a content id");
/** A number of bytes or of files, exact: up to 2^53 - 1. */
export const SizeSchema = z.int().min(0);
/** The same where it stands in a query: decimal digits and nothing else. */
export const SizeInQuerySchema = z.coerce
  .string()
  .regex(/^(?:0|[1-9]\d{0,15})$/)
  .transform(Number)
  .pipe(SizeSchema);
/** One line of text from a stranger, made fit for a terminal. */
export const LineSchema = (maxLength: number) => z.string().max(maxLength).transform(printable);
/** Size of one file in bytes. */
export const FileSizeSchema = z.int().min(0).max(FILE_MAX_BYTES);
export const PortSchema = z.int().min(1).max(65_535);
/** Milliseconds since 1970; file times before that are negative. Ends where `Date` does (years -271821 to 275760). */
export const TimeMsSchema = z.int().min(-8.64e15).max(8.64e15);

function parsedBy<T extends string>(parse: (raw: string) => T | undefined, otherwise: string) {
  return z.string().transform((raw, context): T => {
    const parsed = parse(raw);
    if (parsed !== undefined) return parsed;
    context.addIssue(otherwise);
    return z.NEVER;
  });
}
