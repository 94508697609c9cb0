import { z } from "zod";
import { ChatChange, ChatMessage, ChatRequest, SayEvent, SayRequest } from "./chat.ts";
import {
  type CONTROL_ROUTES,
  ConnectRequest,
  ContentSource,
  ControlListQuery,
  Found,
  GetEvent,
  GetRequest,
  Info,
  Limits,
  LimitsChange,
  PeerEvent,
  PeerRequest,
  PeerSummary,
  PingAnswer,
  SearchRequest,
  SourcesRequest,
} from "./control-api.ts";
import { ControlHistoryQuery, Download, DownloadsChange, DownloadsChanged, ReceivedFile } from "./downloads.ts";
import { ListEntry } from "./listing.ts";
import {
  ContentRequest,
  Done,
  Drop,
  DropFile,
  Dropped,
  DropSend,
  Invitation,
  type OWNER_ROUTES,
  Places,
  PlacesRequest,
  Serving,
  Settings,
  SettingsChange,
  Shares,
  SharesChange,
  TrustChange,
} from "./owner-api.ts";
import {
  Changed,
  ControlAllQuery,
  OffersAnswer,
  ReceivedOffer,
  Send,
  SendEvent,
  SendRequest,
  SendsChange,
} from "./sending.ts";

/** What goes into a route of the local API and what comes out of it. */
export type RouteShape = {
  readonly about: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType | "bytes";
  /** One JSON value; with `lines` one on each line; or bytes of any type. */
  readonly answer: z.ZodType | "bytes";
  readonly lines?: true;
};

type RouteName = keyof typeof CONTROL_ROUTES | keyof typeof OWNER_ROUTES;

export const ROUTE_SHAPES: Readonly<Record<RouteName, RouteShape>> = {
  info: { about: "Who this peer is, what it shares, and the network it is in", answer: Info },
  peers: { about: "Everybody who is online", answer: PeerSummary, lines: true },
  list: { about: "What a peer shares", query: ControlListQuery, answer: ListEntry, lines: true },
  search: { about: "What the network shares and words match", query: SearchRequest, answer: Found, lines: true },
  sources: { about: "Who has a content", query: SourcesRequest, answer: ContentSource, lines: true },
  ping: { about: "Whether a peer answers, and how fast", body: PeerRequest, answer: PingAnswer },
  get: { about: "Fetches files and tells how it goes", body: GetRequest, answer: GetEvent, lines: true },
  limits: { about: "Changes what transfers are kept within", body: LimitsChange, answer: Limits },
  events: { about: "What happens from now on, without an end", answer: PeerEvent, lines: true },
  connect: { about: "Links with another peer, without an index server", body: ConnectRequest, answer: PeerSummary },
  say: { about: "Says something to a peer or to everybody", body: SayRequest, answer: SayEvent, lines: true },
  messages: { about: "What was said", query: ChatRequest, answer: ChatMessage, lines: true },
  changeMessages: { about: "Takes back messages that wait", body: ChatChange, answer: Changed },
  addDownload: { about: "Puts a download into the queue", body: GetRequest, answer: Download },
  downloads: { about: "The queue of downloads", query: ControlAllQuery, answer: Download, lines: true },
  changeDownloads: { about: "Pauses, resumes, cancels downloads", body: DownloadsChange, answer: DownloadsChanged },
  history: {
    about: "What was received, the last first",
    query: ControlHistoryQuery,
    answer: ReceivedFile,
    lines: true,
  },
  send: { about: "Offers local files and tells how it goes", body: SendRequest, answer: SendEvent, lines: true },
  sends: { about: "What is being sent", query: ControlAllQuery, answer: Send, lines: true },
  changeSends: { about: "Takes back what is being sent", body: SendsChange, answer: Changed },
  offers: { about: "What others offer", query: ControlAllQuery, answer: ReceivedOffer, lines: true },
  answerOffers: { about: "Takes offers or declines them", body: OffersAnswer, answer: Changed },
  invite: { about: "What to give to a newcomer", answer: Invitation },
  content: { about: "A file of a peer, unverified; takes Range", query: ContentRequest, answer: "bytes" },
  serving: { about: "Who is being sent files right now", answer: Serving, lines: true },
  shares: { about: "What is shared, and why", answer: Shares },
  changeShares: { about: "Adds to the manifest or takes from it", body: SharesChange, answer: Shares },
  places: { about: "What lies in a folder of this machine", query: PlacesRequest, answer: Places },
  settings: { about: "Settings now and after the next start", answer: Settings },
  changeSettings: { about: "Changes settings and keeps them", body: SettingsChange, answer: Settings },
  trust: { about: "Whether offers of a peer are always taken", body: TrustChange, answer: Settings },
  openDrop: { about: "Begins to gather files to send", answer: Drop },
  dropFile: { about: "Adds the body to a drop, as a file", query: DropFile, body: "bytes", answer: Dropped },
  sendDrop: { about: "Sends what was gathered", body: DropSend, answer: SendEvent, lines: true },
  discardDrop: { about: "Forgets what was gathered", body: Drop, answer: Done },
  openapi: { about: "This description", answer: z.looseObject({ openapi: z.string() }) },
};
