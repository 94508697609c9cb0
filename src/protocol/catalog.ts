import { z } from "zod";
import {
  ContentIdSchema,
  FileSizeSchema,
  SharePathSchema,
  SizeInQuerySchema,
  SizeSchema,
  TimeMsSchema,
} from "./schema.ts";

/** How a peer tells the index server what it shares: see _Catalog_ in `README.md`. */

/** Tells one catalog of a peer from any earlier one, whose change numbers mean something else. */
const EpochSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** One NDJSON line of `POST /v1/catalog`: what became of a share path in change number `generation` of the peer. */
export const CatalogChange = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("offered"),
    generation: SizeSchema,
    path: SharePathSchema,
    size: FileSizeSchema,
    modified: TimeMsSchema,
    content: ContentIdSchema.nullable(),
  }),
  z.object({ kind: z.literal("deleted"), generation: SizeSchema, path: SharePathSchema }),
]);
export type CatalogChange = z.infer<typeof CatalogChange>;

/** Query of `POST /v1/catalog`: the changes in the body follow change `after`; 0 begins anew, with nothing offered. */
export const CatalogUpload = z.object({ epoch: EpochSchema, after: SizeInQuerySchema });
export type CatalogUpload = z.infer<typeof CatalogUpload>;

/** What the index server holds of a peer's catalog: all changes up to `generation`. Nothing yet: `epoch` is `null`. */
export const CatalogState = z.object({
  epoch: EpochSchema.nullable(),
  generation: SizeSchema,
  files: SizeSchema,
  bytes: SizeSchema,
});
export type CatalogState = z.infer<typeof CatalogState>;
