import { setImmediate } from "node:timers/promises";
import type { ContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import { isOfType } from "../../protocol/file-kind.ts";
import { MESSAGE_MAX_BYTES, QUERIES_BURST, QUERY_HITS_MAX, QUERY_REFILL_MS } from "../../protocol/limits.ts";
import type { Message, MessageData } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { NodeHit } from "../../protocol/search.ts";
import { matchesQuery, parseSearchQuery } from "../../protocol/search-query.ts";
import { type Clock, wait } from "../../transport/clock.ts";
import type { Link } from "../../transport/link.ts";
import { createBuckets } from "../../transport/token-bucket.ts";
import { createEventQueue, type EventQueue } from "../event-queue.ts";
import type { Library } from "../library/library.ts";
import type { KnownPeer } from "../network/directory.ts";
import type { PeerLinks } from "../network/peer-links.ts";

type Query = MessageData<"QUERY">;
type FoundAt = NodeHit & { readonly from: PeerId };

export type QueriesOptions = {
  readonly library: Pick<Library, "list" | "resolve">;
  readonly links: Pick<PeerLinks, "to">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Floods a query, and gives its id. */
  readonly flood: (query: Query) => Promise<string>;
  readonly locate: (id: PeerId) => KnownPeer | undefined;
};

/** Asking everybody in a mesh who has what. */
export type Queries = {
  /** What others share; it ends when no more answers come. */
  ask(query: Query, signal: AbortSignal): AsyncGenerator<FoundAt>;
  /** What this peer shares. */
  own(query: Query, signal: AbortSignal): AsyncGenerator<NodeHit>;
  /** Somebody asks: answered straight to them if there is something to tell. */
  asked(message: Message<"QUERY">): void;
  answered(message: Message<"HITS">, link: Pick<Link, "remoteId">): void;
};

/** Answers may take so long at first, and so long after the last one; and all of them together no longer than this. */
const FIRST_WITHIN_MS = 1_000;
const NEXT_WITHIN_MS = 500;
const ALL_WITHIN_MS = 5_000;
/** Rows of one's own shares that are looked at before everything else has its turn. */
const ROWS_AT_ONCE = 500;
/** Queries of others that are looked up at once. */
const LOOKUPS_MAX = 4;

export function createQueries(options: QueriesOptions): Queries {
  const { library, links, clock, signal: closing, flood, locate } = options;
  const open = new Map<string, EventQueue<FoundAt>>();
  const mayAsk = createBuckets({ burst: QUERIES_BURST, refillMs: QUERY_REFILL_MS, now: clock.now });
  let lookups = 0;

  async function* own(query: Query, signal: AbortSignal): AsyncGenerator<NodeHit> {
    if (query.content !== null) {
      const found = library.resolve(query.content);
      if (found && "found" in found && found.found.kind === "file") yield hitOf(found.found);
      return;
    }
    const { type, min = 0, max = Number.POSITIVE_INFINITY } = query;
    const parsed = parseSearchQuery(query.q);
    let rows = 0;
    for (const entry of library.list("", { recursive: true, folders: false }) ?? []) {
      rows += 1;
      if (rows % ROWS_AT_ONCE === 0) {
        await setImmediate();
        signal.throwIfAborted();
      }
      if (entry.kind !== "file" || entry.size < min || entry.size > max) continue;
      if (type !== undefined && !isOfType(entry.type, type)) continue;
      if (matchesQuery(parsed, entry.path)) yield hitOf(entry);
    }
  }

  async function answer({ sender_id, message_id: of, data }: Message<"QUERY">): Promise<void> {
    const hits: NodeHit[] = [];
    for await (const hit of own(data, closing)) {
      hits.push(hit);
      if (hits.length === QUERY_HITS_MAX) break;
    }
    const asker = locate(sender_id);
    if (hits.length === 0 || !asker) return;
    const link = await links.to(asker, closing);
    for (const batch of inMessages(hits)) link.send("HITS", { of, hits: batch });
  }

  return {
    own,
    async *ask(query, signal) {
      const found = createEventQueue<FoundAt>();
      const id = await flood(query);
      open.set(id, found);
      const begunAtMs = clock.now();
      const over = new AbortController();
      const patience = AbortSignal.any([signal, over.signal]);
      let untilMs = begunAtMs + FIRST_WITHIN_MS;
      const watch = async (): Promise<void> => {
        while (clock.now() < untilMs) await wait(clock, untilMs - clock.now(), patience);
        found.end();
      };
      watch().catch((reason: unknown) => found.end(signal.aborted ? reason : undefined));
      try {
        for await (const hit of found) {
          untilMs = Math.min(Math.max(untilMs, clock.now() + NEXT_WITHIN_MS), begunAtMs + ALL_WITHIN_MS);
          yield hit;
        }
      } finally {
        over.abort();
        open.delete(id);
      }
    },
    asked(message) {
      if (lookups >= LOOKUPS_MAX || !mayAsk(message.sender_id).take()) return;
      lookups += 1;
      answer(message)
        .catch((error: unknown) => {
          if (!(error instanceof Failure)) throw error; // else whoever asked cannot be reached any more
        })
        .finally(() => {
          lookups -= 1;
        });
    },
    answered({ data: { of, hits } }, { remoteId }) {
      for (const hit of hits) open.get(of)?.push({ ...hit, from: remoteId });
    },
  };
}

function hitOf({ path, size, modified, type, content }: NodeHit): NodeHit {
  return { path, size, modified, type, content };
}

/** Hits in lots that fit into a message. */
function* inMessages(hits: readonly NodeHit[]): Generator<NodeHit[]> {
  let batch: NodeHit[] = [];
  let bytes = 0;
  for (const hit of hits) {
    const length = Buffer.byteLength(JSON.stringify(hit)) + 1;
    if (batch.length > 0 && bytes + length > MESSAGE_MAX_BYTES / 2) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(hit);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}

/** A query for whoever offers a content. */
export function queryForContent(content: ContentId): Query {
  return { q: "", content };
}
