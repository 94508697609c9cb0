import type { ChatChange, ChatMessage, ChatRequest, SayEvent, SayRequest } from "../../protocol/chat.ts";
import type {
  ContentSource,
  Found,
  GetRequest,
  Info,
  Limits,
  LimitsChange,
  PeerEvent,
  PeerSummary,
} from "../../protocol/control-api.ts";
import type { Download, DownloadsChange, DownloadsChanged, ReceivedFile } from "../../protocol/downloads.ts";
import type { ListEntry } from "../../protocol/listing.ts";
import type {
  Drop,
  Invitation,
  Places,
  Serving,
  Settings,
  SettingsChange,
  Shares,
  TrustChange,
} from "../../protocol/owner-api.ts";
import type { Changed, OffersAnswer, ReceivedOffer, Send, SendEvent, SendsChange } from "../../protocol/sending.ts";
import { ApiFailure, failureOf, linesOf } from "./lines.ts";

type Query = Readonly<Record<string, string | number | boolean | undefined>>;
type Ask = { readonly query?: Query; readonly body?: unknown; readonly signal?: AbortSignal | undefined };

export type SearchQuery = {
  readonly q: string;
  readonly limit: number;
  readonly type?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly peer?: string | undefined;
};

export function urlOf(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search}`;
}

/** Where the bytes of a file that a peer shares are; with `save` the browser saves them. */
export function contentUrl(peer: string, path: string, save = false): string {
  return urlOf("/api/content", { peer, path, ...(save && { save: true }) });
}

/** The peer's local API, as far as the page uses it. Everything rejects with an `ApiFailure`, or when the signal aborts. */
export type Api = ReturnType<typeof createApi>;

export function createApi() {
  async function answer(method: string, path: string, { query, body, signal }: Ask): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(urlOf(path, query), {
        method,
        signal: signal ?? null,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiFailure("offline", "");
    }
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  const get = async <T>(path: string, ask: Ask = {}): Promise<T> => (await answer("GET", path, ask)).json();
  const post = async <T>(path: string, body: unknown): Promise<T> => (await answer("POST", path, { body })).json();
  async function* lines<T>(method: string, path: string, ask: Ask): AsyncGenerator<T[], void, undefined> {
    const { body } = await answer(method, path, ask);
    if (body) yield* linesOf<T>(body);
  }
  async function all<T>(path: string, ask: Ask = {}): Promise<T[]> {
    const values: T[] = [];
    for await (const some of lines<T>("GET", path, ask)) for (const value of some) values.push(value);
    return values;
  }

  return {
    info: () => get<Info>("/api/info"),
    peers: () => all<PeerSummary>("/api/peers"),
    invite: () => get<Invitation>("/api/invite"),
    events: (signal: AbortSignal) => lines<PeerEvent>("GET", "/api/events", { signal }),
    list: (peer: string, path: string, signal: AbortSignal) =>
      lines<ListEntry>("GET", "/api/list", { query: { peer, path, recursive: false }, signal }),
    search: (query: SearchQuery, signal: AbortSignal) => lines<Found>("GET", "/api/search", { query, signal }),
    sources: (content: string) => all<ContentSource>("/api/sources", { query: { content } }),
    addDownload: (request: GetRequest) => post<Download>("/api/downloads/add", request),
    downloads: (ended: boolean) => all<Download>("/api/downloads", { query: { all: ended } }),
    changeDownloads: (change: DownloadsChange) => post<DownloadsChanged>("/api/downloads/change", change),
    history: (limit: number) => all<ReceivedFile>("/api/history", { query: { limit } }),
    serving: () => all<Serving>("/api/serving"),
    limits: (change: LimitsChange) => post<Limits>("/api/limits", change),
    sends: (ended: boolean) => all<Send>("/api/sends", { query: { all: ended } }),
    changeSends: (change: SendsChange) => post<Changed>("/api/sends/change", change),
    offers: (ended: boolean) => all<ReceivedOffer>("/api/offers", { query: { all: ended } }),
    answerOffers: (answer: OffersAnswer) => post<Changed>("/api/offers/answer", answer),
    say: (request: SayRequest) => lines<SayEvent>("POST", "/api/say", { body: request }),
    messages: (query: ChatRequest) => all<ChatMessage>("/api/messages", { query }),
    changeMessages: (change: ChatChange) => post<Changed>("/api/messages/change", change),
    connect: (address: string) => post<PeerSummary>("/api/connect", { address }),
    trust: (peer: TrustChange["peer"], always: boolean) => post<Settings>("/api/trust", { peer, always }),
    shares: () => get<Shares>("/api/shares"),
    addShare: (path: string) => post<Shares>("/api/shares/change", { action: "add", path }),
    removeShare: (name: string) => post<Shares>("/api/shares/change", { action: "remove", name }),
    places: (path: string | undefined) => get<Places>("/api/places", { query: { path } }),
    settings: () => get<Settings>("/api/settings"),
    changeSettings: (change: Partial<Omit<SettingsChange, "name">> & { readonly name?: string }) =>
      post<Settings>("/api/settings/change", change),
    openDrop: () => post<Drop>("/api/drops", {}),
    sendDrop: (drop: string, peer: string | null) =>
      lines<SendEvent>("POST", "/api/drops/send", { body: { drop, peer, wait: true } }),
    discardDrop: (drop: string) => post<unknown>("/api/drops/discard", { drop }),
    logOut: () => answer("POST", "/logout", {}),
  };
}
