import { z } from "zod";
import { CANDIDATES_MAX } from "./limits.ts";
import { PeerIdSchema, PeerNameSchema, PortSchema, SizeSchema } from "./schema.ts";

/** An IP address that a peer may be reached at. */
export const HostSchema = z.union([z.ipv4(), z.ipv6()]);

/**
 * One peer that is online. `hosts` are the addresses to try, likeliest first. `on_index_host` says that it lives on the
 * index server's own machine: the address by which one reached the index server leads to it too. `reachable` is what the
 * index server found when it connected back, `null` while it has not.
 */
export const RosterEntry = z.object({
  id: PeerIdSchema,
  name: PeerNameSchema,
  hosts: z.array(HostSchema).max(CANDIDATES_MAX),
  on_index_host: z.boolean(),
  port: PortSchema,
  files: SizeSchema,
  bytes: SizeSchema,
  reachable: z.boolean().nullable(),
});
export type RosterEntry = z.infer<typeof RosterEntry>;
