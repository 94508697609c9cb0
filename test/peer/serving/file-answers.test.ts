import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { validateHeaderValue } from "node:http";
import { type TestContext, test } from "node:test";
import { create as contentDisposition, parse as parseDisposition } from "content-disposition";
import fc from "fast-check";
import { contentIdOf, verifyBlockList } from "../../../src/content/blake3.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { encodeSharePath, parseSharePath } from "../../../src/protocol/share-path.ts";
import { present } from "../../support/present.ts";
import { blockListOf } from "../downloads/scripted-peer.ts";
import { sharePath, until } from "../library/shared-folder.ts";
import { ask, linesOf, type ServedShareOptions, serveShare } from "./served-share.ts";

const TIMEOUT = { timeout: 30_000 };
const MIB = 1024 * 1024;
const CHANGED = new Date("2026-01-01T10:00:00.250Z");
const LAST_MODIFIED = "Thu, 01 Jan 2026 10:00:00 GMT";
const BYTES = randomBytes(1000);

/** `sub/file.txt` of 1000 bytes that last changed at `CHANGED`. */
async function serveFile(t: TestContext, options: Partial<ServedShareOptions> = {}) {
  const share = await serveShare(t, { files: { "sub/file.txt": BYTES }, ...options });
  await utimes(share.place.at("share/sub/file.txt"), CHANGED, CHANGED);
  const listed = () => share.library.resolve("sub/file.txt");
  await until(share.library, () => {
    const meant = listed();
    return meant !== undefined && "found" in meant && meant.found.modified === CHANGED.getTime();
  });
  const { content } = await share.library.ensureHashed(sharePath("sub/file.txt"));
  return { ...share, content: present(content ?? undefined), etag: `"${content}"` };
}

const RANGES = [
  { range: "bytes=0-0", first: 0, last: 0 },
  { range: "bytes=0-99", first: 0, last: 99 },
  { range: "bytes=990-", first: 990, last: 999 },
  { range: "bytes=-10", first: 990, last: 999 },
  { range: "bytes=-5000", first: 0, last: 999 },
  { range: "bytes=990-5000", first: 990, last: 999 },
  { range: "bytes=999-999", first: 999, last: 999 },
] as const;

const TARGETS = [
  { by: "its path", target: () => "/files/sub/file.txt", type: "text/plain" },
  {
    by: "its content id",
    target: ({ content }: { readonly content: string }) => `/v1/content/${content}`,
    type: "application/octet-stream",
  },
] as const;

for (const { by, target, type } of TARGETS) {
  test(`a file by ${by} answers GET and HEAD as RFC 9110 has it`, TIMEOUT, async (t) => {
    const share = await serveFile(t);
    const url = target(share);
    const describes = {
      etag: share.etag,
      "last-modified": LAST_MODIFIED,
      "accept-ranges": "bytes",
      "content-type": type,
      "x-content-type-options": "nosniff",
      "content-disposition": "attachment; filename=file.txt",
      "tukar-version": "2",
    };
    function assertDescribes(headers: Readonly<Record<string, unknown>>): void {
      for (const [name, value] of Object.entries(describes)) assert.equal(headers[name], value, name);
    }

    await t.test("200 with all of it and what it is", async () => {
      const { status, headers, body } = await share.get(url);
      assert.equal(status, 200);
      assertDescribes(headers);
      assert.equal(headers["content-length"], "1000");
      assert.equal(headers["content-range"], undefined);
      assert.ok(body.equals(BYTES));
    });

    await t.test("HEAD has the headers of GET, a range asked for or not, and no body", async () => {
      for (const headers of [{}, { range: "bytes=0-9" }]) {
        const head = await share.get(url, headers, { method: "HEAD" });
        assert.equal(head.status, 200);
        assertDescribes(head.headers);
        assert.equal(head.headers["content-length"], "1000");
        assert.equal(head.body.length, 0);
      }
    });

    for (const { range, first, last } of RANGES) {
      await t.test(`206 for ${range}`, async () => {
        const { status, headers, body } = await share.get(url, { range });
        assert.equal(status, 206);
        assertDescribes(headers);
        assert.equal(headers["content-range"], `bytes ${first}-${last}/1000`);
        assert.equal(headers["content-length"], String(last - first + 1));
        assert.ok(body.equals(BYTES.subarray(first, last + 1)));
      });
    }

    for (const range of ["bytes=1000-", "bytes=5000-6000", "bytes=-0"]) {
      await t.test(`416 for ${range}`, async () => {
        const { status, headers, body } = await share.get(url, { range });
        assert.equal(status, 416);
        assert.equal(headers["content-range"], "bytes */1000");
        assert.equal(body.length, 0);
      });
    }

    for (const headers of [
      { "if-none-match": share.etag },
      { "if-none-match": `W/${share.etag}` },
      { "if-none-match": `"x", ${share.etag}` },
      { "if-none-match": "*" },
      { "if-modified-since": LAST_MODIFIED },
    ]) {
      await t.test(`304 for ${JSON.stringify(headers)}`, async () => {
        for (const method of ["GET", "HEAD"]) {
          const answer = await share.get(url, headers, { method });
          assert.equal(answer.status, 304);
          assert.equal(answer.headers.etag, share.etag);
          assert.equal(answer.body.length, 0);
          assert.equal(answer.headers["content-length"], undefined);
        }
      });
    }

    for (const headers of [
      { "if-match": '"x"' },
      { "if-match": `W/${share.etag}` },
      { "if-unmodified-since": "Thu, 01 Jan 2026 09:59:59 GMT" },
    ]) {
      await t.test(`412 for ${JSON.stringify(headers)}`, async () => {
        const answer = await share.get(url, { ...headers, range: "bytes=0-9" });
        assert.equal(answer.status, 412);
        assert.equal(answer.body.length, 0);
      });
    }

    for (const [ifRange, status] of [
      [share.etag, 206],
      [LAST_MODIFIED, 206],
      ['"x"', 200],
      ["Thu, 01 Jan 2026 10:00:01 GMT", 200],
    ] as const) {
      await t.test(`${status} for a range if it is still ${ifRange}`, async () => {
        const answer = await share.get(url, { range: "bytes=0-9", "if-range": ifRange });
        assert.equal(answer.status, status);
        assert.ok(answer.body.equals(status === 206 ? BYTES.subarray(0, 10) : BYTES));
      });
    }
  });
}

test("several requests on one connection are answered one after the other", TIMEOUT, async (t) => {
  const { port, member, etag } = await serveFile(t);
  const { tlsClient, get } = await import("../../support/tls-client.ts");
  const client = await tlsClient(t, { port, identity: member });
  const headers = ["Range: bytes=0-9"];
  client.socket.write(
    get("/files/sub/file.txt", ...headers) +
      get("/files/nothing") +
      get("/files/sub/file.txt", `If-None-Match: ${etag}`) +
      get("/v1/about"),
  );
  const text = await client.until(/"program"/);
  assert.deepEqual(text.match(/(?<=HTTP\/1\.1 )\d{3}/g), ["206", "404", "304", "200"]);
});

test("methods that would change something are not offered", TIMEOUT, async (t) => {
  const { get } = await serveFile(t);
  for (const target of ["/files/sub/file.txt", "/v1/files", "/v1/about", "/nowhere"]) {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const answer = await get(target, {}, { method });
      assert.equal(answer.status, 405, `${method} ${target}`);
      assert.equal(answer.headers.allow, "GET, HEAD");
      assert.equal(JSON.parse(answer.body.toString()).code, "method-not-allowed");
    }
  }
});

test("an empty file is whole, and no range of it can be had", TIMEOUT, async (t) => {
  const { get } = await serveShare(t, { files: { empty: "" } });
  for (const [headers, method, status] of [
    [{}, "GET", 200],
    [{}, "HEAD", 200],
    [{ range: "bytes=0-" }, "GET", 416],
    [{ range: "bytes=-1" }, "GET", 200],
  ] as const) {
    const answer = await get("/files/empty", headers, { method });
    assert.equal(answer.status, status);
    assert.equal(answer.headers["content-length"], "0");
    assert.equal(answer.body.length, 0);
    if (status === 416) assert.equal(answer.headers["content-range"], "bytes */0");
  }
});

const NAMES = [
  { name: "a b  c.txt", says: 'attachment; filename="a b  c.txt"' },
  { name: 'say "hi".txt', says: 'attachment; filename="say \\"hi\\".txt"' },
  { name: "100%25 or 5%.txt", says: undefined },
  { name: "emoji 😀.txt", says: undefined },
  { name: "שלום.txt", says: undefined },
  { name: "näïve.txt", says: undefined },
  { name: "semi;colon,comma='q'.txt", says: undefined },
  { name: "#frag?query&x=1+2.txt", says: undefined },
];

test("whatever a file is called, it can be asked for and keeps its name", TIMEOUT, async (t) => {
  const { get } = await serveShare(t, { files: Object.fromEntries(NAMES.map(({ name }) => [name, name])) });
  for (const { name, says } of NAMES) {
    const { status, headers, body } = await get(`/files/${encodeSharePath(sharePath(name))}`);
    assert.equal(status, 200, name);
    assert.equal(body.toString(), name);
    const disposition = String(headers["content-disposition"]);
    assert.equal(parseDisposition(disposition).parameters["filename"], name);
    if (says !== undefined) assert.equal(disposition, says);
  }
});

test("any name that can be shared makes a header that can be sent", () => {
  const names = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom('a"b\\', "%%"),
  );
  fc.assert(
    fc.property(names, (text) => {
      const name = parseSharePath(text);
      fc.pre(name !== undefined && !name.includes("/"));
      const header = contentDisposition(name);
      validateHeaderValue("content-disposition", header);
      assert.equal(parseDisposition(header).parameters["filename"], name);
    }),
  );
});

test("a file that is not hashed yet has no entity tag until somebody resolves it", TIMEOUT, async (t) => {
  const bytes = randomBytes(2 * MIB + 1);
  const { get } = await serveShare(t, {
    files: { "new.bin": bytes },
    library: { timing: { settleMs: 1e12 } },
  });
  const before = await get("/files/new.bin");
  assert.equal(before.headers.etag, undefined);
  assert.ok(before.body.equals(bytes));
  assert.equal((await get("/files/new.bin", { "if-none-match": '"b3-00"' })).status, 200);

  const content = contentIdOf(blockListOf(bytes));
  const resolved = linesOf(await get("/v1/resolve?name=new.bin")).at(-1) as Record<string, unknown>;
  assert.equal(resolved["content"], content);
  assert.equal((await get("/files/new.bin")).headers.etag, `"${content}"`);
  const blocks = await get(`/v1/content/${content}/blocks`);
  assert.equal(blocks.headers["content-type"], "application/octet-stream");
  assert.equal(verifyBlockList(content, blocks.body)?.sizeBytes, bytes.length);
});

test("a file that the system does not let us read is a failure without its local path", TIMEOUT, async (t) => {
  const { get } = await serveFile(t, {
    serve: (library) => ({
      ...library,
      open: () => {
        throw new Failure("file-unreadable", 'Cannot read "/home/secret": EACCES');
      },
    }),
  });
  const answer = await get("/files/sub/file.txt");
  assert.equal(answer.status, 500);
  assert.equal(JSON.parse(answer.body.toString()).code, "file-unreadable");
  assert.doesNotMatch(answer.body.toString(), /secret/);
  assert.equal(answer.headers.etag, undefined);
});

test("a file that turns out to be unreadable when it is read is a failure too", TIMEOUT, async (t) => {
  const { get } = await serveFile(t, {
    serve: (library) => ({
      ...library,
      open(path) {
        const opened = library.open(path);
        closeSync(opened.fd);
        return { ...opened, fd: openSync("/dev/null", constants.O_WRONLY) };
      },
    }),
  });
  const answer = await get("/files/sub/file.txt");
  assert.equal(answer.status, 500);
  assert.equal(JSON.parse(answer.body.toString()).code, "file-unreadable");
  assert.equal(answer.headers["content-disposition"], undefined);
  assert.equal((await get("/v1/about")).status, 200);
});

test("64 readers at once each get every byte", { timeout: 60_000 }, async (t) => {
  const bytes = randomBytes(3 * MIB + 17);
  const { get } = await serveShare(t, { files: { "many.bin": bytes } });
  const answers = await Promise.all(Array.from({ length: 64 }, () => get("/files/many.bin")));
  for (const { status, body } of answers) assert.ok(status === 200 && body.equals(bytes));
});

test("a reader that goes away in the middle leaves no file open", { ...TIMEOUT, skip: !hasProc() }, async (t) => {
  const { port, member, place, get } = await serveShare(t, { files: { "big.bin": Buffer.alloc(64 * MIB, 65) } });
  const file = place.at("share/big.bin");
  for (let times = 0; times < 5; times += 1) {
    const response = await ask(port, "/files/big.bin", { as: member });
    response.read();
    assert.ok((await openCount(file)) > 0);
    response.destroy();
  }
  while ((await openCount(file)) > 0) await get("/v1/about"); // each turn gives the server one to notice
});

function hasProc(): boolean {
  return process.platform === "linux";
}

/** How often this process has a file open. */
async function openCount(file: string): Promise<number> {
  const { readdir, readlink } = await import("node:fs/promises");
  const links = await Promise.allSettled((await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`)));
  return links.filter((link) => link.status === "fulfilled" && link.value === file).length;
}
