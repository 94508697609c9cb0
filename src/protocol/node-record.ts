import { z } from "zod";
import { AuthorProof } from "./authorship.ts";
import { CANDIDATES_MAX, NODE_AGE_MAX_MS } from "./limits.ts";
import { HostSchema } from "./roster.ts";
import { PeerIdSchema, PeerNameSchema, PortSchema, SizeSchema, TimeMsSchema } from "./schema.ts";

/**
 * What a peer in a mesh says of itself, signed, so that whoever passes it on cannot change it. Of two records of one peer the one with
 * the higher `version` counts: the time at which it was made, by that peer's clock.
 */
export const NodeRecord = z.object({
  id: PeerIdSchema,
  name: PeerNameSchema,
  hosts: z.array(HostSchema).max(CANDIDATES_MAX),
  port: PortSchema,
  files: SizeSchema,
  bytes: SizeSchema,
  /** False: it says goodbye. */
  online: z.boolean(),
  version: TimeMsSchema,
  proof: AuthorProof,
  /** How long ago whoever sends it heard of it, in milliseconds. Not signed. */
  age: z.int().min(0).max(NODE_AGE_MAX_MS),
});
export type NodeRecord = z.infer<typeof NodeRecord>;

/** That a peer may be gone which has said nothing after this version of its record. It can say that it is not. */
export const Suspicion = z.object({ id: PeerIdSchema, version: TimeMsSchema });
export type Suspicion = z.infer<typeof Suspicion>;
