import type { Operations } from "../../../src/peer/operations.ts";
import type { ChatMessage, SayEvent } from "../../../src/protocol/chat.ts";
import { parseContentId } from "../../../src/protocol/content-id.ts";
import type { Found, FoundFile, GetEvent, Info, PeerEvent, PeerSummary } from "../../../src/protocol/control-api.ts";
import type { Download, ReceivedFile } from "../../../src/protocol/downloads.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import type { ListEntry } from "../../../src/protocol/listing.ts";
import { parsePeerId } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import type { ReceivedOffer, Send, SendEvent } from "../../../src/protocol/sending.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";

/** Operations that answer from values, for tests of those who call them. */

export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the test's own sample is not valid");
  return value;
}

export const ALICE = known(parsePeerId(`${"a".repeat(51)}a`));
export const BOB = known(parsePeerId(`${"b".repeat(51)}q`));
export const CONTENT = known(parseContentId(`b3-${"0f".repeat(32)}`));

export const ALICE_SUMMARY: PeerSummary = {
  id: ALICE,
  name: peerNameFrom("alice"),
  host: "192.0.2.1",
  port: 9500,
  files: 3,
  bytes: 1234,
  reachable: true,
  self: true,
};

export const BOB_SUMMARY: PeerSummary = {
  id: BOB,
  name: peerNameFrom("bob the second"),
  host: "2001:db8::2",
  port: 9501,
  files: 500_000,
  bytes: 5 * 1024 ** 3,
  reachable: null,
  self: false,
};

export const INFO: Info = {
  role: "peer",
  id: ALICE,
  name: peerNameFrom("alice"),
  version: "0.1.0",
  home: "/home/alice/.tukar",
  port: 9500,
  received: "/home/alice/Tukar/received",
  ui: "http://127.0.0.1:9449/?token=secret",
  index: { id: BOB, name: peerNameFrom("lab"), host: "192.0.2.9", port: 9450, private: true, connected: true },
  mesh: { peers: 0, neighbours: 0, private: true },
  shares: {
    folders: [{ name: "", path: "/home/alice/Tukar/shared" }],
    manifest: null,
    files: 3,
    bytes: 1234,
    unhashed: 1,
    problems: ['shares.txt line 3: "x" does not exist'],
  },
  limits: { up: 1_000_000, down: 0, slots: 2, serving: 2, waiting: 3 },
};

export function file(path: string, size: number): ListEntry {
  const sharePath = known(parseSharePath(path));
  return {
    kind: "file",
    path: sharePath,
    size,
    modified: 1_700_000_000_000,
    type: "audio/mpeg",
    content: CONTENT,
    executable: false,
  };
}

export function folder(path: string, size: number): ListEntry {
  const sharePath = known(parseSharePath(path));
  return { kind: "folder", path: sharePath, size, modified: 1_700_000_000_000, type: null, content: null };
}

export const QUEUED: Download = {
  id: 7,
  state: "queued",
  peer: { id: BOB, name: "bob the second" },
  name: "music/song.mp3",
  names: 1,
  recursive: false,
  output: null,
  received: "/home/alice/Tukar/received",
  priority: "normal",
  files: 0,
  bytes: 0,
  total: null,
  content: null,
  added: 1_700_000_000_000,
};
/** A search's hit: a song of bob's, unless said otherwise. */
export function hit(path: string, changes: Partial<FoundFile> = {}): FoundFile {
  const { id, name, host, port } = BOB_SUMMARY;
  return {
    kind: "hit",
    path: known(parseSharePath(path)),
    size: 1_258_291,
    modified: 1_700_000_000_000,
    type: "audio/mpeg",
    content: CONTENT,
    sources: 1,
    peer: { id, name, host, port },
    ...changes,
  };
}

export const END: Found = { kind: "end", more: false, suggestion: null };

export async function* streamOf<T>(values: Iterable<T>, failure?: Error): AsyncGenerator<T, void, undefined> {
  yield* values;
  if (failure) throw failure;
}

export async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

/** Yields the values, then nothing until the signal aborts. */
export async function* thenSilence<T>(values: Iterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  yield* values;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  throw signal.reason instanceof Failure ? signal.reason : new Failure("interrupted");
}

/** Two peers, of whom bob shares a song in a folder; whatever a test wants otherwise goes into `changes`. */
export function fakeOperations(changes: Partial<Operations> = {}): Operations {
  return {
    info: async () => INFO,
    peers: () => streamOf([ALICE_SUMMARY, BOB_SUMMARY]),
    list: () => streamOf([folder("music", 4321), file("song.mp3", 1_258_291)]),
    search: () => streamOf<Found>([hit("music/song.mp3"), END]),
    sources: () => streamOf([{ ...hit("music/song.mp3").peer, path: hit("music/song.mp3").path }]),
    ping: async () => ({ id: BOB, name: BOB_SUMMARY.name, host: "2001:db8::2", port: 9501, milliseconds: 1.25 }),
    get: () => streamOf<GetEvent>([]),
    send: () => streamOf<SendEvent>([]),
    sends: () => streamOf<Send>([]),
    changeSends: async () => ({ changed: [] }),
    offers: () => streamOf<ReceivedOffer>([]),
    answerOffers: async () => ({ changed: [] }),
    connect: async () => BOB_SUMMARY,
    say: () => streamOf<SayEvent>([]),
    messages: () => streamOf<ChatMessage>([]),
    changeMessages: async () => ({ changed: [] }),
    limits: async () => INFO.limits,
    events: (signal) => thenSilence<PeerEvent>([], signal),
    addDownload: async () => QUEUED,
    downloads: () => streamOf<Download>([]),
    changeDownloads: async () => ({ changed: [] }),
    history: () => streamOf<ReceivedFile>([]),
    ...changes,
  };
}
