import assert from "node:assert/strict";
import { appendFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { createOfferedContents } from "../../../src/peer/inbox/offered-contents.ts";
import { createExchange } from "../../../src/peer/serving/exchange.ts";
import { createRequestHandler } from "../../../src/peer/serving/requests.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { systemClock } from "../../../src/transport/clock.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { startSecureServer } from "../../../src/transport/secure-server.ts";
import { log } from "../../support/silent-log.ts";
import { ask, serveShare, unlimitedUploads } from "./served-share.ts";

const MIB = 1024 * 1024;
const OLD = 65;
const NEW = 66;
/** Far more than the sockets of both ends can hold, so that the server is in the middle of it while nobody reads. */
const SIZE = 64 * MIB;
const TIMEOUT = { timeout: 60_000 };

/** Reads a little of the answer, waits for what is done meanwhile, and then reads on to whatever end. */
async function readSlowly(response: IncomingMessage, meanwhile: () => Promise<void>) {
  let bytes = 0;
  const kinds = new Set<number>();
  let cut = false;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (bytes === 0) await meanwhile();
      bytes += chunk.length;
      if (chunk.includes(OLD)) kinds.add(OLD);
      if (!chunk.every((byte) => byte === OLD)) kinds.add(NEW);
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNRESET");
    cut = true;
  }
  return { bytes, kinds: [...kinds], cut };
}

const CHANGES: readonly {
  readonly what: string;
  readonly change: (file: string) => Promise<void>;
  /** A file that is put aside is still there for the one who has it open. */
  readonly ends: "cut" | "whole";
}[] = [
  {
    what: "overwritten in place",
    change: (file) => writeFile(file, Buffer.alloc(SIZE, NEW), { flag: "r+" }),
    ends: "cut",
  },
  { what: "written anew", change: (file) => writeFile(file, Buffer.alloc(SIZE, NEW)), ends: "cut" },
  { what: "cut short", change: (file) => truncate(file, SIZE / 2), ends: "cut" },
  { what: "emptied", change: (file) => truncate(file, 0), ends: "cut" },
  { what: "grown", change: (file) => appendFile(file, Buffer.alloc(MIB, NEW)), ends: "cut" },
  { what: "deleted", change: (file) => rm(file), ends: "whole" },
  {
    what: "replaced by another",
    async change(file) {
      await writeFile(`${file}.new`, Buffer.alloc(SIZE, NEW));
      await rename(`${file}.new`, file);
    },
    ends: "whole",
  },
];

for (const { what, change, ends } of CHANGES) {
  test(
    `a file that is ${what} while it is sent is ${ends === "cut" ? "cut off" : "sent whole as it was"}`,
    TIMEOUT,
    async (t) => {
      const { port, member, place, get } = await serveShare(t, {
        files: { "big.bin": Buffer.alloc(SIZE, OLD), "small.txt": "small" },
      });
      const response = await ask(port, "/files/big.bin", { as: member });
      const read = await readSlowly(response, () => change(place.at("share/big.bin")));
      assert.deepEqual(read.kinds, [OLD], "no byte of the new state follows");
      assert.equal(read.cut, ends === "cut");
      assert.equal(read.bytes === SIZE, ends === "whole");
      assert.equal((await get("/files/small.txt")).body.toString(), "small", "the server goes on");
    },
  );
}

test("a reader that stalls is dropped, and the file is closed", TIMEOUT, async (t) => {
  const { library, member } = await serveShare(t, { files: { "big.bin": Buffer.alloc(SIZE, OLD) } });
  const identity = await createIdentity();
  const opened: number[] = [];
  const onRequest = createRequestHandler({
    library: {
      ...library,
      open(path) {
        const file = library.open(path);
        opened.push(file.fd);
        return file;
      },
    },
    exchange: createExchange(systemClock),
    about: () => ({ id: identity.id, name: peerNameFrom("server"), program: "tukar", files: 0, bytes: 0 }),
    offered: createOfferedContents(),
    inbox: () => undefined,
    admit: async () => undefined,
    admitMember: async () => identity.id,
    uploads: unlimitedUploads(),
  });
  const ended = Promise.withResolvers<void>();
  const server = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    async onRequest(...request) {
      await onRequest(...request);
      ended.resolve();
    },
    handshakeTimeoutMs: 1500,
    idleTimeoutMs: 1500,
    log,
  });
  t.after(() => server.close());

  const response = await ask(server.port, "/files/big.bin", { as: member });
  response.pause();
  await ended.promise;
  assert.equal(opened.length, 1);
  await assert.rejects(response.toArray(), { code: "ECONNRESET" });
});

test(
  "a file that has changed since it was listed is served in its new state, without the old entity tag",
  TIMEOUT,
  async (t) => {
    const { place, library, get } = await serveShare(t, { files: { "a.txt": "old" } });
    const meant = library.resolve("a.txt");
    const content = meant && "found" in meant ? meant.found.content : null;
    await writeFile(place.at("share/a.txt"), "newer");
    const answer = await get("/files/a.txt");
    assert.equal(answer.body.toString(), "newer");
    assert.notEqual(answer.headers.etag, `"${content}"`);
    assert.equal((await get(`/v1/content/${content}`)).status, 404);
    assert.equal((await get("/files/a.txt", { range: "bytes=0-0", "if-range": `"${content}"` })).status, 200);
  },
);
