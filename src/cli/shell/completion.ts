import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Operations } from "../../peer/operations.ts";
import { FILE_KINDS } from "../../protocol/file-kind.ts";
import { baseName } from "../../protocol/share-path.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { DOWNLOAD_ACTIONS } from "../commands/downloads.ts";
import { readFolder } from "../commands/ls.ts";
import { SENDS_ACTIONS } from "../commands/sends.ts";
import { quoteWord, scanLine } from "./words.ts";

/** What could follow, and the text at the line's end that it would replace. */
type Completion = readonly [candidates: string[], typed: string];
export type Complete = (line: string) => Promise<Completion>;

type CompletionOptions = {
  readonly operations: Pick<Operations, "peers" | "list">;
  /** Each with its options. */
  readonly verbs: ReadonlyMap<string, readonly string[]>;
  /** Absolute path of the folder from which local files are named. */
  readonly cwd: string;
  now(): number;
};

/** Verbs whose first argument is a peer, and those of them that take paths of that peer after it. */
const TAKES_PEER = new Set(["ls", "get", "ping", "send"]);
const TAKES_PATHS = new Set(["ls", "get"]);
/** How many words come before the first local file. */
const FILES_AFTER: Readonly<Record<string, number>> = { send: 1, sendall: 0 };
/** How long an answer is good for, and how long somebody who pressed Tab waits for one. */
const FRESH_MS = 10_000;
const PATIENCE_MS = 2000;
/** More than anybody reads. */
const CANDIDATES_MAX = 1000;

/** Completes verbs, options, peers, and remote paths folder by folder. A peer that does not answer offers nothing. */
export function createCompletion({ operations, verbs: optionsOf, cwd, now }: CompletionOptions): Complete {
  const verbs = [...optionsOf.keys()];
  const cache = new Map<string, { readonly until: number; readonly found: Promise<readonly string[]> }>();

  function cached(key: string, find: (signal: AbortSignal) => AsyncIterable<string>): Promise<readonly string[]> {
    const known = cache.get(key);
    if (known && known.until > now()) return known.found;
    for (const [old, { until }] of cache) if (until <= now()) cache.delete(old);
    const found = firstOf(find(AbortSignal.timeout(PATIENCE_MS)));
    cache.set(key, { until: now() + FRESH_MS, found });
    return found;
  }

  async function* peerNames(signal: AbortSignal): AsyncGenerator<string> {
    for await (const { name, self } of operations.peers(signal)) if (!self) yield name;
  }

  async function* entries(peer: string, folder: string, signal: AbortSignal): AsyncGenerator<string> {
    for await (const { kind, path } of operations.list({ peer, path: readFolder(folder), recursive: false }, signal)) {
      const name = `${folder}${baseName(path)}${kind === "folder" ? "/" : ""}`;
      yield name.startsWith("-") ? `./${name}` : name; // or it would be taken for an option
    }
  }

  async function localFiles(folder: string): Promise<readonly string[]> {
    const found = await readdir(path.resolve(cwd, folder), { withFileTypes: true }).catch(() => []);
    return found.slice(0, CANDIDATES_MAX).map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`);
  }

  async function choices(before: readonly string[], typed: string): Promise<readonly string[]> {
    const [slashed] = before;
    if (slashed === undefined) return typed.startsWith("/") ? verbs.map((verb) => `/${verb}`) : verbs;
    const verb = slashed.replace(/^\//, "");
    if (verb === "downloads") return before.length === 1 ? DOWNLOAD_ACTIONS : [];
    if (verb === "sends") return before.length === 1 ? SENDS_ACTIONS : [];
    if (verb === "help") return before.length === 1 ? verbs : [];
    if (typed.startsWith("-")) return optionsOf.get(verb) ?? [];
    if (before.at(-1) === "--type") return FILE_KINDS;
    if (before.at(-1) === "--peer") return cached("peers", peerNames);
    const words = before.slice(1).filter((word) => !word.startsWith("-"));
    const folder = typed.slice(0, typed.lastIndexOf("/") + 1);
    const areAll = before.some((word) => word === "--all" || word === "-a");
    if (words.length >= (verb === "send" && areAll ? 0 : (FILES_AFTER[verb] ?? Number.POSITIVE_INFINITY)))
      return localFiles(folder);
    const [peer] = words;
    if (peer === undefined) return TAKES_PEER.has(verb) ? cached("peers", peerNames) : [];
    if (!TAKES_PATHS.has(verb)) return [];
    return cached(JSON.stringify([peer, folder]), (signal) => entries(peer, folder, signal));
  }

  return async (line) => {
    const { words, inWord } = scanLine(line);
    const current = inWord ? words.at(-1) : undefined;
    const before = (inWord ? words.slice(0, -1) : words).map(({ text }) => text);
    const typed = current?.text ?? "";
    const raw = current?.raw ?? "";
    const found = (await choices(before, typed)).filter(
      (choice) => choice.startsWith(typed) && printable(choice) === choice,
    );
    return [[...new Set(found)].map((choice) => asTyped(choice, raw)), raw];
  };
}

/** The choice in the manner of quoting that the word was begun with; a folder is left open to go on. */
function asTyped(choice: string, raw: string): string {
  const goesOn = choice.endsWith("/");
  const quote = raw.charAt(0);
  const closes = (quote === '"' && !/["\\]/.test(choice)) || (quote === "'" && !choice.includes("'"));
  if (closes) return goesOn ? quote + choice : `${quote}${choice}${quote} `;
  return goesOn ? quoteWord(choice) : `${quoteWord(choice)} `;
}

async function firstOf(stream: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = [];
  try {
    for await (const value of stream) {
      found.push(value);
      if (found.length >= CANDIDATES_MAX) break;
    }
  } catch {
    // Whatever keeps the peer from answering, the command itself will say: Tab only has nothing more to offer.
  }
  return found;
}
