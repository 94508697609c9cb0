import path from "node:path";
import { type ContentId, parseContentId } from "../../protocol/content-id.ts";
import type { GetEvent, GetRequest } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import { createEventQueue } from "../event-queue.ts";
import type { KnownSource } from "../network/index-search.ts";
import type { RemotePeer } from "../remote-peer.ts";
import { type GetDeps, get } from "./get.ts";

export type GetContentsDeps = Omit<GetDeps, "source"> & {
  /** Everyone online who offers a content. */
  readonly sources: (content: ContentId, signal: AbortSignal) => AsyncIterable<KnownSource>;
  readonly remoteOf: (source: KnownSource) => RemotePeer;
};

type Failed = Extract<GetEvent, { event: "failed" }>;

/** More than these are not tried for one content. */
const SOURCES_MAX = 32;
/** Contents fetched side by side. */
const AT_ONCE = 4;

/** Fetches contents by their ids, from whoever offers them. One that fails is an event and stops no other. */
export function getContents(request: GetRequest, deps: GetContentsDeps, signal: AbortSignal): AsyncIterable<GetEvent> {
  const contents = new Set(request.names.map(parseContentId).filter((content) => content !== undefined));
  // Each content is a request of its own, so it has to be said here that several files need a folder.
  const isForFolder = request.output !== null && contents.size > 1 && !/[/\\]$/.test(request.output);
  const output = isForFolder ? `${request.output}${path.sep}` : request.output;
  const events = createEventQueue<GetEvent>();
  const waiting = contents.values();

  async function work(): Promise<void> {
    for (const content of waiting) {
      for await (const event of getContent(content, { ...request, output }, deps, signal)) events.push(event);
    }
  }

  Promise.all(Array.from({ length: AT_ONCE }, work)).then(
    () => events.end(),
    (error: unknown) => events.end(error ?? new Failure("internal")),
  );
  return events;
}

/**
 * Tries one source after the other until one brought the file. Within one try a source that goes away is followed by
 * the others at once; only what cannot be mended so (it lies, it has the file no more) takes another try.
 */
async function* getContent(
  content: ContentId,
  request: GetRequest,
  deps: GetContentsDeps,
  signal: AbortSignal,
): AsyncGenerator<GetEvent, void, undefined> {
  const called = request.called?.[content];
  let first: Failed | undefined;
  try {
    const sources = await someOf(deps.sources(content, signal));
    for (let tried = 0; tried < sources.length; tried += 1) {
      let turn = tried;
      const source = async (): Promise<RemotePeer> => {
        const next = sources[turn++ % sources.length];
        if (!next) throw new Failure("no-such-file");
        return nameAs(called, deps.remoteOf(next));
      };
      const failed = yield* untilFailed(get({ ...request, names: [content] }, { ...deps, source }, signal));
      if (!failed) return;
      first ??= { ...failed, path: called ?? failed.path };
      if (turn - tried >= sources.length) break; // Every one of them had its turn.
    }
    if (!first) throw new Failure("no-such-file", `Nobody who is online shares the content ${content}`);
    yield first;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    yield { event: "failed", path: called ?? content, code: error.code, message: error.message };
  }
}

/** Passes on what happens, but for a failure: that is what it returns. */
async function* untilFailed(events: AsyncIterable<GetEvent>): AsyncGenerator<GetEvent, Failed | undefined, undefined> {
  let failed: Failed | undefined;
  for await (const event of events) {
    if (event.event === "failed") failed = event;
    else yield event;
  }
  return failed;
}

async function someOf(sources: AsyncIterable<KnownSource>): Promise<KnownSource[]> {
  const some: KnownSource[] = [];
  for await (const source of sources) {
    some.push(source);
    if (some.length === SOURCES_MAX) break;
  }
  return some;
}

/** The same peer, at which every file is called as the one who asked wants it. */
function nameAs(called: NonNullable<GetRequest["called"]>[string] | undefined, remote: RemotePeer): RemotePeer {
  if (called === undefined) return remote;
  return {
    ...remote,
    async resolve(...asked) {
      return { ...(await remote.resolve(...asked)), path: called };
    },
  };
}
