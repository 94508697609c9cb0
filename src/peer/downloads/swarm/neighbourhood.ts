import type { ContentId } from "../../../protocol/content-id.ts";
import type { FollowQuery } from "../../../protocol/holdings.ts";
import type { PeerId } from "../../../protocol/peer-id.ts";
import type { RemotePeer } from "../../remote-peer.ts";
import type { UnfinishedContents } from "../../serving/unfinished-contents.ts";

/** What downloads know of the network around them. */
export type Neighbourhood = {
  /** Peers that share a content, besides the one that was asked. It is asked again now and then while a download lasts. */
  findSources(content: ContentId, signal: AbortSignal): AsyncIterable<RemotePeer>;
  /** Whether somebody that others tell of belongs to the network. */
  isMember(id: PeerId): Promise<boolean>;
  /** How others get from here what is on its way in; nothing for a visitor, which cannot be asked. */
  readonly serving: { self(): FollowQuery | undefined; readonly unfinished: UnfinishedContents } | undefined;
};
