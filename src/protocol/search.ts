import { z } from "zod";
import { parseTypeFilter } from "./file-kind.ts";
import { QUERY_MAX_CHARACTERS, SEARCH_PAGE_DEFAULT, SEARCH_PAGE_MAX } from "./limits.ts";
import { RosterEntry } from "./roster.ts";
import {
  ContentIdSchema,
  FileSizeSchema,
  LineSchema,
  PeerIdSchema,
  SharePathSchema,
  SizeInQuerySchema,
  TimeMsSchema,
} from "./schema.ts";

/** Searching what the members of a network share, as the index server answers it. */

const TypeFilterSchema = z.string().transform((raw, context): string => {
  const filter = parseTypeFilter(raw);
  if (filter !== undefined) return filter;
  context.addIssue("not a kind of file or media type");
  return z.NEVER;
});

/** What narrows a search beside its words. Sizes in bytes, both inclusive. */
export const SearchFilters = z.object({
  type: TypeFilterSchema.optional(),
  min: SizeInQuerySchema.optional(),
  max: SizeInQuerySchema.optional(),
  peer: PeerIdSchema.optional(),
});
export type SearchFilters = z.infer<typeof SearchFilters>;

export const QueryTextSchema = z.string().refine((text) => [...text].length <= QUERY_MAX_CHARACTERS, "too long");

/** Query of `GET /v1/search`. */
export const SearchParameters = SearchFilters.extend({
  q: QueryTextSchema,
  limit: SizeInQuerySchema.pipe(z.int().min(1).max(SEARCH_PAGE_MAX)).default(SEARCH_PAGE_DEFAULT),
  /** Where the page before ended: `more` of its last line. */
  cursor: z.string().max(200).optional(),
});
export type SearchParameters = z.infer<typeof SearchParameters>;

/** A file that one node of a mesh shares and a query matches. */
export const NodeHit = z.object({
  path: SharePathSchema,
  size: FileSizeSchema,
  modified: TimeMsSchema,
  type: LineSchema(255),
  content: ContentIdSchema.nullable(),
});
export type NodeHit = z.infer<typeof NodeHit>;

/** One content (or one file that is not hashed yet), where it can be had. */
export const SearchHit = NodeHit.extend({
  kind: z.literal("hit"),
  /** How many peers offer that content now. */
  sources: z.int().min(1),
  /** One of them: the path is what it is called there. */
  peer: RosterEntry,
});
export type SearchHit = z.infer<typeof SearchHit>;

/** Last line of a search. `more` is the cursor for what follows, `suggestion` what may have been meant. */
export const SearchEnd = z.object({
  kind: z.literal("end"),
  more: z.string().max(200).nullable(),
  suggestion: LineSchema(QUERY_MAX_CHARACTERS * 2).nullable(),
});
export type SearchEnd = z.infer<typeof SearchEnd>;

/** One NDJSON line of `GET /v1/search`. */
export const SearchLine = z.discriminatedUnion("kind", [SearchHit, SearchEnd]);
export type SearchLine = z.infer<typeof SearchLine>;

/** One NDJSON line of `GET /v1/content/ID/sources`: who offers that content now, and what it is called there. */
export const SourceLine = z.object({ path: SharePathSchema, peer: RosterEntry });
export type SourceLine = z.infer<typeof SourceLine>;
