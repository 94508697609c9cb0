import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { test } from "node:test";
import { contentIdOf, hashBlock } from "../../../src/content/blake3.ts";
import type { BundleEntry } from "../../../src/protocol/bundle.ts";
import { createBundleParser } from "../../../src/protocol/bundle-parser.ts";
import { JSON_BODY_MAX_BYTES } from "../../../src/protocol/limits.ts";
import { sharePath, until } from "../library/shared-folder.ts";
import { type ServedShare, serveShare } from "./served-share.ts";

const TIMEOUT = { timeout: 60_000 };
const MIB = 1024 * 1024;
const SECRET = "this lies outside of every share";
const onWindows = process.platform === "win32";

type Answer = { readonly status: number; readonly body: Buffer };
type Piece = { readonly entry: BundleEntry; readonly bytes: Buffer };

async function post({ port, member }: ServedShare, body: string, method = "POST"): Promise<IncomingMessage> {
  const asked = request({
    host: "127.0.0.1",
    port,
    method,
    path: "/v1/bundle",
    key: member.keyPem,
    cert: member.certificatePem,
    rejectUnauthorized: false,
    agent: false,
  });
  asked.on("error", () => undefined); // the answer tells of it
  asked.end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return response;
}

async function answerTo(share: ServedShare, body: string, method?: string): Promise<Answer> {
  const response = await post(share, body, method);
  return { status: response.statusCode ?? 0, body: Buffer.concat(await response.toArray()) };
}

async function bundle(share: ServedShare, asked: unknown): Promise<Piece[]> {
  const { status, body } = await answerTo(share, JSON.stringify(asked));
  assert.equal(status, 200);
  const pieces: Piece[] = [];
  const parser = createBundleParser((entry, bytes) => pieces.push({ entry, bytes: Buffer.from(bytes) }));
  parser.push(body);
  assert.ok(parser.ended(), "the bundle has its end");
  return pieces;
}

const idOf = (bytes: Buffer) =>
  contentIdOf({ sizeBytes: bytes.length, hashes: bytes.length === 0 ? bytes : hashBlock(bytes) });

/** What came, in short. */
const told = (pieces: readonly Piece[]) =>
  pieces.map(({ entry, bytes }) => {
    if (entry.kind === "failure") return `${entry.path}: ${entry.code}`;
    if (entry.kind === "folder") return `${entry.path}/`;
    return entry.follows ? `${entry.path}: ${bytes}` : `${entry.path} on its own`;
  });

test("a folder's bundle has all that is in it, each folder before its files", TIMEOUT, async (t) => {
  const share = await serveShare(t, {
    files: {
      "tree/a.txt": "a",
      "tree/empty.txt": "",
      "tree/sub/deep/b.txt": "b",
      "tree/large.bin": Buffer.alloc(MIB + 1),
      "tree/full.bin": Buffer.alloc(MIB, 1),
      "beside.txt": "no",
      "tree 2/c.txt": "no",
    },
  });
  const pieces = await bundle(share, { folder: "tree" });
  const paths: string[] = pieces.map(({ entry }) => entry.path);
  assert.deepEqual(paths.toSorted(), [
    "tree/a.txt",
    "tree/empty.txt",
    "tree/full.bin",
    "tree/large.bin",
    "tree/sub",
    "tree/sub/deep",
    "tree/sub/deep/b.txt",
  ]);
  assert.ok(paths.indexOf("tree/sub") < paths.indexOf("tree/sub/deep"));
  assert.ok(paths.indexOf("tree/sub/deep") < paths.indexOf("tree/sub/deep/b.txt"));
  for (const { entry, bytes } of pieces) {
    if (entry.kind !== "file") continue;
    assert.equal(entry.follows, entry.path !== "tree/large.bin");
    if (entry.follows) assert.equal(entry.content, idOf(bytes), entry.path);
  }
});

test("a bundle has empty folders and tells which files may be run", { ...TIMEOUT, skip: onWindows }, async (t) => {
  const share = await serveShare(t, { files: { "tree/run.sh": "#!/bin/sh" } });
  await mkdir(share.place.at("share/tree/empty"));
  await chmod(share.place.at("share/tree/run.sh"), 0o755);
  await until(share.library, () => {
    const entries = [...(share.library.list(sharePath("tree"), { recursive: true, folders: true }) ?? [])];
    const isSeen = entries.some((entry) => entry.kind === "file" && entry.executable);
    return isSeen && entries.some((entry) => entry.path === "tree/empty");
  });
  const pieces = await bundle(share, { folder: "tree" });
  assert.deepEqual(told(pieces), ["tree/run.sh: #!/bin/sh", "tree/empty/"]);
  assert.ok(pieces[0]?.entry.kind === "file" && pieces[0].entry.executable);
});

test("files that are named come in that order, and those that cannot are told in their place", TIMEOUT, async (t) => {
  const share = await serveShare(t, { files: { "a.txt": "a", "b.txt": "b", "sub/c.txt": "c" } });
  const [a, b, c] = ["a", "b", "c"].map((text) => idOf(Buffer.from(text)));
  const pieces = await bundle(share, {
    files: [
      { path: "sub/c.txt", content: c },
      { path: "nowhere.txt", content: null },
      { path: "a.txt", content: null },
      { path: "moved.txt", content: b },
      { path: "a.txt", content: idOf(Buffer.from("what it never was")) },
      { path: "sub", content: null },
      { path: "a.txt", content: a },
      { path: "b.txt", content: a },
    ],
  });
  assert.deepEqual(told(pieces), [
    "sub/c.txt: c",
    "nowhere.txt: no-such-file",
    "a.txt: a",
    "moved.txt: b",
    "a.txt: file-changed",
    "sub: no-such-file",
    "a.txt: a",
    "b.txt: a",
  ]);
});

test("files that were not hashed yet are hashed on the way", TIMEOUT, async (t) => {
  const share = await serveShare(t, { files: { "tree/a.txt": "a" }, library: { timing: { settleMs: 3_600_000 } } });
  const [piece] = await bundle(share, { folder: "tree" });
  assert.ok(piece?.entry.kind === "file");
  assert.equal(piece.entry.content, idOf(Buffer.from("a")));
});

test("a file that changed or vanished since it was listed comes as it is now, or is told", TIMEOUT, async (t) => {
  const share = await serveShare(t, {
    files: { "tree/changed.txt": "old", "tree/grown.bin": "small", "tree/kept.txt": "kept", "tree/gone.txt": "gone" },
    library: { watchStyle: "each", timing: { debounceMs: 3_600_000, rescanMs: 3_600_000 } },
  });
  await writeFile(share.place.at("share/tree/changed.txt"), "newer");
  await writeFile(share.place.at("share/tree/grown.bin"), Buffer.alloc(MIB + 1));
  await rm(share.place.at("share/tree/gone.txt"));
  const pieces = await bundle(share, { folder: "tree" });
  assert.deepEqual(told(pieces).toSorted(), [
    "tree/changed.txt: newer",
    "tree/gone.txt: no-such-file",
    "tree/grown.bin on its own",
    "tree/kept.txt: kept",
  ]);
  for (const { entry, bytes } of pieces) {
    if (entry.kind === "file" && entry.follows)
      assert.deepEqual([entry.size, entry.content], [bytes.length, idOf(bytes)]);
  }
});

test("links that lead out of the share are in no bundle, whenever they came to be", {
  ...TIMEOUT,
  skip: onWindows,
}, async (t) => {
  const share = await serveShare(t, {
    files: { "tree/turned.txt": "honest", "tree/folder/same.txt": "honest", "tree/kept.txt": "kept", "in.txt": "in" },
    library: { timing: { debounceMs: 3_600_000, rescanMs: 3_600_000 } },
  });
  share.place.write("outside/same.txt", SECRET);
  share.place.write("outside/turned.txt", SECRET);
  await rm(share.place.at("share/tree/turned.txt"));
  await symlink(share.place.at("outside/turned.txt"), share.place.at("share/tree/turned.txt"));
  await rename(share.place.at("share/tree/folder"), share.place.at("share/tree/elsewhere"));
  await symlink(share.place.at("outside"), share.place.at("share/tree/folder"));
  await rm(share.place.at("share/tree/kept.txt"));
  await symlink(share.place.at("share/in.txt"), share.place.at("share/tree/kept.txt"));
  for (const asked of [
    { folder: "tree" },
    { files: ["tree/turned.txt", "tree/folder/same.txt", "tree/kept.txt"].map((path) => ({ path, content: null })) },
  ]) {
    const pieces = await bundle(share, asked);
    assert.deepEqual(
      told(pieces)
        .filter((line) => !line.endsWith("/"))
        .toSorted(),
      ["tree/folder/same.txt: no-such-file", "tree/kept.txt: in", "tree/turned.txt: no-such-file"],
    );
  }
});

const REFUSED = [
  { what: "no JSON", body: "{", status: 400 },
  { what: "another request", body: '{"folder":""}', status: 400 },
  { what: "a path that leads out", body: '{"folder":"../etc"}', status: 400 },
  { what: "a folder that is not shared", body: '{"folder":"nowhere"}', status: 404 },
  { what: "too long a request", body: `{"folder":"${"a".repeat(JSON_BODY_MAX_BYTES)}"}`, status: 413 },
] as const;

for (const { what, body, status } of REFUSED) {
  test(`a request for a bundle with ${what} is answered ${status}`, TIMEOUT, async (t) => {
    const share = await serveShare(t, { files: { "tree/a.txt": "a" } });
    assert.equal((await answerTo(share, body)).status, status);
    assert.deepEqual(told(await bundle(share, { folder: "tree" })), ["tree/a.txt: a"], "the peer goes on");
  });
}

test("bundles are asked for with POST, everything else with GET", TIMEOUT, async (t) => {
  const share = await serveShare(t, { files: { "a.txt": "a" } });
  assert.equal((await share.get("/v1/bundle")).status, 405);
  assert.equal((await share.get("/v1/bundle")).headers.allow, "POST");
  assert.equal((await share.get("/v1/files", {}, { method: "POST" })).status, 405);
});

test("a reader that takes nothing is read no further for, and one that leaves is forgotten", TIMEOUT, async (t) => {
  const files = Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`tree/${at}.bin`, Buffer.alloc(MIB, at)]));
  const read: { chunks: number; readonly closed: PromiseWithResolvers<void> }[] = [];
  const share = await serveShare(t, {
    files,
    serve: (library) => ({
      ...library,
      bundle(asked) {
        const bundle = library.bundle(asked);
        const seen = { chunks: 0, closed: Promise.withResolvers<void>() };
        read.push(seen);
        return {
          async next() {
            seen.chunks += 1;
            return bundle.next();
          },
          close() {
            bundle.close();
            seen.closed.resolve();
          },
        };
      },
    }),
  });
  const response = await post(share, '{"folder":"tree"}');
  await once(response, "readable");
  const meanwhile = await bundle(share, { files: [{ path: "tree/0.bin", content: null }] });
  assert.equal(meanwhile.length, 1, "others are served");
  const [first] = read;
  assert.ok(first && first.chunks < 128, `${first?.chunks} of 256 chunks were read for somebody who takes none`);
  response.destroy();
  await first.closed.promise;
});
