import { z } from "zod";
import { OFFER_FILES_MAX } from "./limits.ts";
import { FileEntry } from "./listing.ts";
import { ContentIdSchema, LineSchema, PeerNameSchema, SharePathSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/** Offers: how files are pushed. The receiver decides, and then fetches what was offered like any other content. */

declare const checked: unique symbol;

/** What a sender calls an offer: 128 random bits in hex, so that nobody else can guess it. */
export type OfferId = string & { readonly [checked]: "OfferId" };

const OFFER_ID = /^[0-9a-f]{32}$/;

export function parseOfferId(raw: string): OfferId | undefined {
  return OFFER_ID.test(raw) ? (raw as OfferId) : undefined;
}

export const OfferIdSchema = z.string().transform((raw, context): OfferId => {
  const id = parseOfferId(raw);
  if (id !== undefined) return id;
  context.addIssue("not the id of an offer");
  return z.NEVER;
});

/** A file that is offered. `path`: where it goes below the folder in which received files land. */
export const OfferedFile = FileEntry.extend({ content: ContentIdSchema });
export type OfferedFile = z.infer<typeof OfferedFile>;

/** A folder that is offered because it would be empty otherwise, or for its time; which whoever knows none leaves out. */
const OfferedFolder = z.object({
  kind: z.literal("folder"),
  path: SharePathSchema,
  modified: TimeMsSchema.optional(),
});
export type OfferedFolder = z.infer<typeof OfferedFolder>;

export const OfferedItem = z.discriminatedUnion("kind", [OfferedFile, OfferedFolder]);
export type OfferedItem = z.infer<typeof OfferedItem>;

/** The body of `POST /v1/offers`. `name`: what its sender calls itself. */
export const Offer = z.object({
  id: OfferIdSchema,
  name: PeerNameSchema,
  items: z.array(OfferedItem).min(1).max(OFFER_FILES_MAX),
});
export type Offer = z.infer<typeof Offer>;

/**
 * How an offer stands at the receiver: the answer to `POST /v1/offers`, and the lines of `GET /v1/offers/ID`.
 * `delivered`: every file is there and verified.
 */
export const OfferStanding = z.discriminatedUnion("state", [
  z.object({ state: z.literal("open") }),
  z.object({ state: z.literal("accepted"), bytes: SizeSchema, total: SizeSchema }),
  z.object({ state: z.literal("delivered") }),
  z.object({ state: z.literal("declined"), reason: LineSchema(300) }),
  z.object({ state: z.literal("failed"), code: LineSchema(64), reason: LineSchema(300) }),
]);
export type OfferStanding = z.infer<typeof OfferStanding>;

/** The files of an offer and their bytes together. */
export function sumOf(items: readonly OfferedItem[]): { readonly files: number; readonly bytes: number } {
  let [files, bytes] = [0, 0];
  for (const item of items) {
    if (item.kind !== "file") continue;
    files += 1;
    bytes += item.size;
  }
  return { files, bytes };
}

/** The names at the top of an offer: files, and folders with what is in them. */
export function topNames(items: readonly OfferedItem[]): readonly string[] {
  return [...new Set(items.map(({ path }) => path.split("/", 1)[0] ?? path))];
}
