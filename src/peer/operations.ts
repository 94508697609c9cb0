import type {
  ContentSource,
  Found,
  GetEvent,
  GetRequest,
  Info,
  Limits,
  LimitsChange,
  ListRequest,
  PeerEvent,
  PeerRequest,
  PeerSummary,
  PingAnswer,
  SearchRequest,
  SourcesRequest,
} from "../protocol/control-api.ts";
import type { ListEntry } from "../protocol/listing.ts";

/**
 * All that a person or script can ask of a peer. A running peer, a visitor (a command on its own) and the client of
 * the control socket each offer it, so a command never knows which one it talks to.
 *
 * Everything rejects with a `Failure`; streams end early when their signal aborts (`interrupted`).
 */
export interface Operations {
  info(): Promise<Info>;
  /** Everyone online, oneself included, in no particular order. */
  peers(signal: AbortSignal): AsyncIterable<PeerSummary>;
  list(request: ListRequest, signal: AbortSignal): AsyncIterable<ListEntry>;
  /** What the network shares and a query matches, best matches first. Takes the index server. */
  search(request: SearchRequest, signal: AbortSignal): AsyncIterable<Found>;
  /** Everyone online who offers a content. Takes the index server. */
  sources(request: SourcesRequest, signal: AbortSignal): AsyncIterable<ContentSource>;
  ping(request: PeerRequest, signal: AbortSignal): Promise<PingAnswer>;
  get(request: GetRequest, signal: AbortSignal): AsyncIterable<GetEvent>;
  /** Changes what transfers are kept within, and tells what that is now. */
  limits(change: LimitsChange): Promise<Limits>;
  /** What happens from now on, until the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<PeerEvent>;
}
