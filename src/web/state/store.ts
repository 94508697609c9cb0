import { type Signal, signal } from "@preact/signals";
import type { Info, PeerEvent } from "../../protocol/control-api.ts";
import type { Download } from "../../protocol/downloads.ts";
import type { Serving } from "../../protocol/owner-api.ts";
import type { ReceivedOffer, Send } from "../../protocol/sending.ts";
import type { Api } from "../api/api.ts";
import { ApiFailure } from "../api/lines.ts";
import type { Language } from "../texts/language.ts";
import { type Chat, createChat } from "./chat.ts";
import { createOutgoing, type Outgoing } from "./outgoing.ts";
import { createPeers, type Peers } from "./peers.ts";
import type { Preferences } from "./preferences.ts";
import { createRates } from "./rates.ts";
import type { Router } from "./route.ts";

/** `lost`: the peer does not answer; `denied`: it does, but the page is not logged in any more. */
type Connection = "connecting" | "live" | "lost" | "denied";

type Note = { readonly id: number; readonly kind: "done" | "failed"; readonly text: string };

/** All that the views show, and what they do. */
export type Store = {
  readonly api: Api;
  readonly router: Router;
  readonly language: Language;
  readonly preferences: Preferences;
  readonly connection: Signal<Connection>;
  readonly info: Signal<Info | undefined>;
  readonly peers: Peers;
  readonly downloads: Signal<readonly Download[]>;
  readonly sends: Signal<readonly Send[]>;
  readonly offers: Signal<readonly ReceivedOffer[]>;
  readonly serving: Signal<readonly Serving[]>;
  readonly rates: ReturnType<typeof createRates>;
  readonly outgoing: Outgoing;
  readonly chat: Chat;
  readonly notes: Signal<readonly Note[]>;
  /** The last event of each kind that views follow by themselves. */
  readonly heard: Signal<PeerEvent | undefined>;
  note(kind: Note["kind"], text: string): void;
  /** Does something that may fail, and says so if it does. Gives whether it went well. */
  attempt(work: () => Promise<unknown>): Promise<boolean>;
  /** Looks at what is under way; `ended`: at what is over as well. */
  refresh(ended?: boolean): Promise<void>;
};

const NOTE_MS = 6000;

export function createStore(given: Pick<Store, "api" | "router" | "language" | "preferences">): Store {
  const { api, language } = given;
  const notes = signal<readonly Note[]>([]);
  const [downloads, sends] = [signal<readonly Download[]>([]), signal<readonly Send[]>([])];
  const [offers, serving] = [signal<readonly ReceivedOffer[]>([]), signal<readonly Serving[]>([])];
  const info = signal<Info | undefined>(undefined);
  let lastNote = 0;

  function note(kind: Note["kind"], text: string): void {
    lastNote += 1;
    const id = lastNote;
    notes.value = [...notes.value.slice(-3), { id, kind, text }];
    setTimeout(() => {
      notes.value = notes.value.filter((one) => one.id !== id);
    }, NOTE_MS);
  }

  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return false;
      const { texts } = language;
      const offline = error instanceof ApiFailure && error.code === "offline";
      note(
        "failed",
        offline ? texts.connectionLost : error instanceof Error && error.message !== "" ? error.message : texts.failed,
      );
      return false;
    }
  }

  async function refresh(ended = false): Promise<void> {
    const [nowDownloads, nowSends, nowOffers, nowServing] = await Promise.all([
      api.downloads(ended),
      api.sends(ended),
      api.offers(ended),
      api.serving(),
    ]);
    update(downloads, nowDownloads);
    update(sends, nowSends);
    update(offers, nowOffers);
    update(serving, nowServing);
  }

  return {
    ...given,
    connection: signal<Connection>("connecting"),
    info,
    peers: createPeers(),
    downloads,
    sends,
    offers,
    serving,
    rates: createRates(),
    outgoing: createOutgoing(api, { attempt, refresh: () => refresh(true), texts: language.texts }),
    chat: createChat(api, { attempt, me: () => info.value?.id }),
    notes,
    heard: signal<PeerEvent | undefined>(undefined),
    note,
    attempt,
    refresh,
  };
}

/** Only if it is something else: then nothing is drawn anew. */
function update<T>(target: Signal<readonly T[]>, value: readonly T[]): void {
  if (JSON.stringify(target.value) !== JSON.stringify(value)) target.value = value;
}
