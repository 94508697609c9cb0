import type { MeetingPoint } from "../peer/options.ts";
import { Failure } from "../protocol/failures.ts";
import type { NetworkKey } from "../protocol/network-key.ts";
import type { Engines } from "./engines.ts";

/**
 * The key of the mesh that is joined or begun: that of the invites among the peers to link with or, of a private mesh that begins here, that
 * of the home folder.
 * @throws Failure "usage" if the invites are those of different meshes
 */
export async function meshKeyOf(
  engines: Pick<Engines, "networkKey">,
  home: string,
  meeting: readonly MeetingPoint[],
  isPrivate: boolean,
): Promise<NetworkKey | undefined> {
  const [key, ...others] = new Set(meeting.flatMap((point) => point.key ?? []));
  if (others.length > 0)
    throw new Failure("usage", "--connect names invites with different keys: one peer is in one mesh");
  return key ?? (isPrivate ? engines.networkKey(home) : undefined);
}
