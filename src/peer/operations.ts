import type { ChatChange, ChatMessage, ChatRequest, SayEvent, SayRequest } from "../protocol/chat.ts";
import type {
  ConnectRequest,
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
import type {
  Download,
  DownloadsChange,
  DownloadsChanged,
  HistoryRequest,
  ReceivedFile,
} from "../protocol/downloads.ts";
import type { ListEntry } from "../protocol/listing.ts";
import type {
  Changed,
  OffersAnswer,
  ReceivedOffer,
  Send,
  SendEvent,
  SendRequest,
  SendsChange,
} from "../protocol/sending.ts";

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
  /**
   * Adds to the queue of downloads and tells what happens until it ends or cannot go on for now. When the signal aborts
   * it is only not watched any more: `changeDownloads` stops it.
   */
  get(request: GetRequest, signal: AbortSignal): AsyncIterable<GetEvent>;
  /** Adds to the queue of downloads. It is on the disk when this resolves. */
  addDownload(request: GetRequest): Promise<Download>;
  /** Links with a peer of a mesh, and so with all that it is linked with. */
  connect(request: ConnectRequest): Promise<PeerSummary>;
  /** Changes what transfers are kept within, and tells what that is now. */
  limits(change: LimitsChange): Promise<Limits>;
  /** What happens from now on, until the signal aborts. */
  events(signal: AbortSignal): AsyncIterable<PeerEvent>;
  /** The queue in the order in which it was made; `all`: with those that ended. */
  downloads(request: { readonly all: boolean }, signal: AbortSignal): AsyncIterable<Download>;
  /** Gives the numbers of those that were in a state to be changed so. */
  changeDownloads(change: DownloadsChange): Promise<DownloadsChanged>;
  /**
   * Offers files to one peer or to all, and tells what happens until each has them or said no. When the signal aborts it
   * is only not watched any more: `changeSends` stops it.
   */
  send(request: SendRequest, signal: AbortSignal): AsyncIterable<SendEvent>;
  /** What is being sent, in the order in which it was begun; `all`: with what ended. */
  sends(request: { readonly all: boolean }, signal: AbortSignal): AsyncIterable<Send>;
  /** Gives the numbers of those that were in a state to be changed so. */
  changeSends(change: SendsChange): Promise<Changed>;
  /** Says something to one peer or to all, and tells what becomes of it. */
  say(request: SayRequest, signal: AbortSignal): AsyncIterable<SayEvent>;
  /** The last messages of a conversation, the last one last, or those that wait for somebody. */
  messages(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatMessage>;
  /** Takes back messages that wait. Gives the numbers of those that did. */
  changeMessages(change: ChatChange): Promise<Changed>;
  /** What others offer, in the order in which it came; `all`: with what ended. */
  offers(request: { readonly all: boolean }, signal: AbortSignal): AsyncIterable<ReceivedOffer>;
  /** Takes offers or declines them. Gives the numbers of those that were open. */
  answerOffers(answer: OffersAnswer): Promise<Changed>;
  /** Files that were received, the last one first. */
  history(request: HistoryRequest, signal: AbortSignal): AsyncIterable<ReceivedFile>;
}

/** What can be asked without a network. */
export type QueueOperations = Pick<
  Operations,
  | "downloads"
  | "changeDownloads"
  | "history"
  | "sends"
  | "changeSends"
  | "offers"
  | "answerOffers"
  | "messages"
  | "changeMessages"
>;
