import { ApiFailure } from "../api/lines.ts";
import { notify } from "./notices.ts";
import type { Store } from "./store.ts";

const LOOK_EVERY_MS = 1000;
const PEERS_EVERY_MS = 10_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 5000;
/** Browsers give a site six connections for all its tabs: a tab that nobody sees does not keep one. */
const HIDDEN_MS = 60_000;

/** Keeps the store in step with the peer: events as they happen, and what is under way once a second while somebody looks. */
export function stayLive(store: Store): void {
  void follow(store);
  void look(store);
}

async function follow(store: Store): Promise<never> {
  let retryMs = RETRY_FIRST_MS;
  for (;;) {
    const away = new AbortController();
    const stop = releaseWhenHidden(store, away);
    try {
      await reload(store);
      for await (const events of store.api.events(away.signal)) {
        store.connection.value = "live";
        retryMs = RETRY_FIRST_MS;
        for (const event of events) {
          store.peers.hear(event);
          store.chat.hear(event);
          store.heard.value = event;
          notify(store, event);
          if (["index-lost", "index-back", "shared"].includes(event.event)) void reloadInfo(store);
        }
      }
    } catch (error) {
      if (error instanceof ApiFailure && error.code === "not-allowed") store.connection.value = "denied";
    } finally {
      stop();
    }
    if (!away.signal.aborted && store.connection.value !== "denied") store.connection.value = "lost";
    await (document.hidden && away.signal.aborted ? untilVisible() : delay(retryMs));
    retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
  }
}

async function reload(store: Store): Promise<void> {
  store.info.value = await store.api.info();
  store.peers.replace(await store.api.peers());
  await store.chat.reload();
  store.connection.value = "live";
}

async function reloadInfo(store: Store): Promise<void> {
  try {
    store.info.value = await store.api.info();
  } catch {
    // The stream of events tells that the peer is away.
  }
}

async function look(store: Store): Promise<never> {
  let peersAtMs = Date.now();
  for (;;) {
    if (!document.hidden && store.connection.value === "live") {
      const { view } = store.router.route.value;
      try {
        await store.refresh(view === "transfers" || view === "sending");
        const down = store.downloads.value.reduce(
          (sum, one) => sum + (one.state === "running" ? (one.rate ?? 0) : 0),
          0,
        );
        const up = store.serving.value.reduce((sum, { rate }) => sum + rate, 0);
        store.rates.add({ down, up });
        if (Date.now() > peersAtMs + PEERS_EVERY_MS) {
          peersAtMs = Date.now();
          store.peers.replace(await store.api.peers());
          await store.chat.reload();
        }
      } catch {
        // As above.
      }
    }
    await delay(LOOK_EVERY_MS);
  }
}

function releaseWhenHidden({ preferences }: Store, away: AbortController): () => void {
  let timer = 0;
  const change = (): void => {
    clearTimeout(timer);
    if (document.hidden && !preferences.notify.value) timer = window.setTimeout(() => away.abort(), HIDDEN_MS);
  };
  document.addEventListener("visibilitychange", change);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", change);
  };
}

function untilVisible(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
