import type { IncomingMessage, ServerResponse } from "node:http";
import pino from "pino";
import { contentIdOf, hashBlock } from "../../../src/content/blake3.ts";
import type { KnownPeer } from "../../../src/peer/network/directory.ts";
import { type BlockList, encodeBlockList } from "../../../src/protocol/block-list.ts";
import { blocksOf } from "../../../src/protocol/block-run.ts";
import { type ByteRange, readRange } from "../../../src/protocol/byte-range.ts";
import { blockCount, blockSizeFor } from "../../../src/protocol/content-id.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import type { FileEntry } from "../../../src/protocol/listing.ts";
import { parsePeerName } from "../../../src/protocol/peer-name.ts";
import { blockListUrl, contentUrl, haveUrl } from "../../../src/protocol/routes.ts";
import { parseSharePath } from "../../../src/protocol/share-path.ts";
import { answerLines } from "../../../src/transport/answer.ts";
import type { Identity } from "../../../src/transport/identity.ts";
import { startSecureServer } from "../../../src/transport/secure-server.ts";

const MIB = 1024 * 1024;

/** A peer that offers one file from memory over real TLS, and can be told to lie, to stall or to go away. */

export type Script = {
  /** Changes what goes out for the bytes `first` to `last` of the file, the n-th time that something is asked for. */
  readonly body?: (honest: Buffer, first: number, asked: number) => Buffer;
  readonly blockList?: (honest: Buffer) => Buffer;
  /** Takes over the listing of the folder that the file lies in. Without it there is nothing to list. */
  readonly listing?: (entry: FileEntry) => AsyncIterable<unknown> | Iterable<unknown>;
  /** Takes over the whole answer to a range request; false leaves it. */
  readonly answer?: (response: ServerResponse, range: ByteRange, asked: number) => boolean;
  /** Takes over what it says that it has of the content; without it there is no such route. */
  readonly have?: (response: ServerResponse) => void | Promise<void>;
};

export type ScriptedPeer = AsyncDisposable & {
  readonly known: KnownPeer;
  readonly entry: FileEntry & { readonly content: NonNullable<FileEntry["content"]> };
  /** The ranges asked for so far. */
  readonly asked: readonly ByteRange[];
};

export function blockListOf(bytes: Buffer): BlockList {
  const size = blockSizeFor(bytes.length);
  const blocks = Array.from({ length: blockCount(bytes.length) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return { sizeBytes: bytes.length, hashes: Buffer.concat(blocks.map((block) => hashBlock(block))) };
}

export async function startScriptedPeer(
  identity: Identity,
  bytes: Buffer,
  script: Script = {},
  path = "folder/file.bin",
): Promise<ScriptedPeer> {
  const list = blockListOf(bytes);
  const content = contentIdOf(list);
  const sharePath = parseSharePath(path);
  const name = parsePeerName("liar");
  if (!sharePath || !name) throw new Error("not a share path or name");
  const entry = {
    kind: "file",
    path: sharePath,
    size: bytes.length,
    modified: 1_700_000_000_000,
    type: "text/plain",
    content,
    executable: false,
  } as const;
  const folder = { ...entry, kind: "folder", path: "folder", type: null, content: null };
  const asked: ByteRange[] = [];

  function onRequest(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const url = request.url ?? "";
    if (url.startsWith("/v1/resolve")) return answerLines(response, [url.endsWith("name=folder") ? folder : entry]);
    if (url.startsWith("/v1/files") && script.listing) return answerLines(response, script.listing(entry));
    if (url === blockListUrl(content)) {
      const encoded = encodeBlockList(list);
      const answer = script.blockList?.(encoded) ?? encoded;
      response.writeHead(200, { "content-length": answer.length }).end(answer);
      return;
    }
    if (url.startsWith(haveUrl(content, undefined)) && script.have) return script.have(response);
    if (url !== contentUrl(content)) throw new Failure("no-such-route");
    const range = readRange(request.headers.range, bytes.length);
    const { first, last } = typeof range === "object" ? range : { first: 0, last: bytes.length - 1 };
    asked.push({ first, last });
    if (script.answer?.(response, { first, last }, asked.length)) return;
    const honest = bytes.subarray(first, last + 1);
    const body = script.body?.(Buffer.from(honest), first, asked.length) ?? honest;
    const status = typeof range === "object" ? 206 : 200;
    response
      .writeHead(status, {
        "content-length": last - first + 1,
        "content-range": `bytes ${first}-${last}/${bytes.length}`,
      })
      .end(body);
  }

  const server = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    onRequest,
    log: pino({ level: "silent" }),
  });
  return {
    entry,
    asked,
    known: {
      id: identity.id,
      name,
      hosts: ["127.0.0.1"],
      port: server.port,
      files: 1,
      bytes: bytes.length,
      reachable: true,
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** The blocks of 1 MiB in these ranges, in rising order, each as often as it was asked for. */
export function blocksAsked(asked: readonly ByteRange[]): number[] {
  return asked
    .flatMap(({ first, last }) => [
      ...blocksOf({ first: Math.floor(first / MIB), last: Math.floor(Math.max(first, last) / MIB) }),
    ])
    .toSorted((a, b) => a - b);
}

/** Turns over one bit in every thousandth block that goes out, beginning with the third. */
export function corruptNowAndThen(): Script {
  let block = 997;
  return {
    body(honest) {
      for (let at = 0; at < honest.length; at += MIB) {
        block += 1;
        if (block % 1000 === 0) honest[at] = (honest[at] ?? 0) ^ 1;
      }
      return honest;
    },
  };
}
