import { z } from "zod";
import { BlockRunSchema } from "./block-run.ts";
import { CANDIDATES_MAX, RUNS_PER_LINE } from "./limits.ts";
import { HostSchema } from "./roster.ts";
import { PeerIdSchema, PeerNameSchema, PortSchema } from "./schema.ts";

/** What `GET /v1/content/ID/have` tells, a line each, for as long as somebody listens. */

const Runs = z.array(BlockRunSchema).max(RUNS_PER_LINE);

/** Blocks that are there, verified, and stay. Without runs it only says that the stream lives. */
const HaveLine = z.object({ kind: z.literal("have"), runs: Runs });

/** Blocks that this peer, which has all of them, has begun to send to others that share them again: do not hurry for them. */
const SentLine = z.object({ kind: z.literal("sent"), runs: Runs });

/** Another peer that listens here, because it fetches the same content: it has blocks to give too. */
export const FollowerLine = z.object({
  kind: z.literal("follower"),
  id: PeerIdSchema,
  name: PeerNameSchema,
  hosts: z.array(HostSchema).max(CANDIDATES_MAX),
  port: PortSchema,
});
export type FollowerLine = z.infer<typeof FollowerLine>;

export const HoldingsLine = z.discriminatedUnion("kind", [HaveLine, SentLine, FollowerLine]);
export type HoldingsLine = z.infer<typeof HoldingsLine>;

/** What a peer that can be asked for blocks says of itself in the query. A visitor says nothing. */
export const FollowQuery = z.object({ name: PeerNameSchema, port: z.coerce.number().pipe(PortSchema) });
export type FollowQuery = z.infer<typeof FollowQuery>;
