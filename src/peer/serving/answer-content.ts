import { close } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseBlockList } from "../../protocol/block-list.ts";
import { type BlockRun, blocksOf } from "../../protocol/block-run.ts";
import { type ByteRange, contentRange, readRange } from "../../protocol/byte-range.ts";
import { blockCount, blockSizeFor, type ContentId, parseContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import { FollowQuery } from "../../protocol/holdings.ts";
import { baseName } from "../../protocol/share-path.ts";
import { answerLiveLines } from "../../transport/answer.ts";
import type { Remote } from "../../transport/secure-server.ts";
import { answerFile } from "./answer-file.ts";
import type { Exchange } from "./exchange.ts";
import type { Follower } from "./followers.ts";
import type { ByteSender } from "./send-bytes.ts";
import type { Servable } from "./servable.ts";
import type { UnfinishedContent } from "./unfinished-contents.ts";

export type ContentAnswerOptions = {
  readonly servable: Servable;
  readonly exchange: Exchange;
  readonly sender: ByteSender;
};

export type ContentRequest = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly remote: Remote;
  /** Aborts when the one who asked has gone. */
  readonly gone: AbortSignal;
};

/** Answers what is asked below `/v1/content/`: of what is shared or offered, or else of what is on its way in. */
export function createContentAnswers({ servable, exchange, sender }: ContentAnswerOptions) {
  const { unfinished, followers, turns } = exchange;

  async function sendShared(id: ContentId, { request, response, remote, gone }: ContentRequest): Promise<void> {
    const { fd, state, content, entry } = servable.openContent(id, remote.id);
    const file = { fd, state, content, mediaType: "application/octet-stream", name: baseName(entry.path) };
    const range = readRange(request.headers.range, state.sizeBytes);
    if (followers.count(id) < 2 || typeof range === "string")
      return answerFile(request, response, file, sender, remote);
    followers.sending(id, remote.id, blocksOf(blocksIn(range, state.sizeBytes)));
    await inTurn(id, gone, fd, () => answerFile(request, response, file, sender, remote));
  }

  async function inTurn(id: ContentId, gone: AbortSignal, fd: number, send: () => Promise<void>): Promise<void> {
    let end: () => void;
    try {
      end = await turns.take(id, gone);
    } catch (error) {
      close(fd, () => undefined);
      throw error;
    }
    try {
      await send();
    } finally {
      end();
    }
  }

  async function sendUnfinished(
    id: ContentId,
    content: UnfinishedContent,
    { request, response, remote, gone }: ContentRequest,
  ): Promise<void> {
    const { sizeBytes } = content;
    const asked = readRange(request.headers.range, sizeBytes);
    if (asked === "unsatisfiable") throw new Failure("not-yet");
    const range = asked === "whole" ? { first: 0, last: sizeBytes - 1 } : asked;
    for (const index of blocksOf(blocksIn(range, sizeBytes))) if (!content.has(index)) throw new Failure("not-yet");
    const end = followers.count(id) < 2 ? () => undefined : await turns.take(id, gone);
    try {
      response.statusCode = asked === "whole" ? 200 : 206;
      response.setHeader("content-range", contentRange(range, sizeBytes));
      response.setHeader("content-type", "application/octet-stream");
      response.setHeader("content-length", range.last - range.first + 1);
      if (request.method === "HEAD") return void response.end();
      await sender.send(content.use(), range, response, remote);
    } finally {
      end();
    }
  }

  async function tellHoldings(id: ContentId, asked: ContentRequest): Promise<void> {
    const { response, query, remote, gone } = asked;
    const content = unfinished.find(id);
    const list = servable.blockList(id, remote.id);
    if (!list && !content) throw new Failure("no-such-file");
    const self = followerOf(query, remote);
    const has = list ? blocksOf(allBlocks(list)) : content?.verified();
    if (asked.request.method === "HEAD") return void response.end();
    return answerLiveLines(response, followers.follow(id, self, has ?? [], gone));
  }

  return (rest: string, asked: ContentRequest): void | Promise<void> => {
    const [text = "", part, ...more] = rest.split("/");
    const id = parseContentId(text);
    if (id === undefined || more.length > 0) throw new Failure("no-such-file");
    if (part === "have") return tellHoldings(id, asked);
    const content = unfinished.find(id);
    const list = servable.blockList(id, asked.remote.id);
    if (part === "blocks") return answerBlockList(asked.response, list ?? content?.blockList());
    if (part !== undefined) throw new Failure("no-such-file");
    if (content && !list) return sendUnfinished(id, content, asked);
    return sendShared(id, asked);
  };
}

function followerOf(query: URLSearchParams, { id, host }: Remote): Follower | undefined {
  if (id === undefined || !query.has("port")) return undefined;
  const self = FollowQuery.safeParse(Object.fromEntries(query));
  if (!self.success) throw new Failure("bad-request", "Whoever can be asked for blocks gives its name and port");
  return { ...self.data, id, host };
}

function allBlocks(encodedList: Buffer): BlockRun {
  return { first: 0, last: blockCount(parseBlockList(encodedList)?.sizeBytes ?? 0) - 1 };
}

/** The blocks that a range of bytes touches. */
function blocksIn({ first, last }: ByteRange, sizeBytes: number): BlockRun {
  const blockSize = blockSizeFor(sizeBytes);
  return { first: Math.floor(first / blockSize), last: Math.floor(last / blockSize) };
}

function answerBlockList(response: ServerResponse, list: Buffer | undefined): void {
  if (!list) throw new Failure("no-such-file");
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": list.length }).end(list);
}
