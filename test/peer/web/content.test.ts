import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import type { RemoteBytes, WantedBytes } from "../../../src/peer/own/own-operations.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { streamOf } from "../control/fake-operations.ts";
import { startPage } from "./page-fixture.ts";

const bytes = (text: string, headers: Record<string, string> = {}): RemoteBytes => {
  return { status: 200, headers, body: streamOf([Buffer.from(text)]) };
};

const TYPES: readonly (readonly [name: string, type: string, disposition: string])[] = [
  ["a.png", "image/png", "inline"],
  ["a.mp3", "audio/mpeg", "inline"],
  ["a.mp4", "video/mp4", "inline"],
  ["a.pdf", "application/pdf", "inline"],
  ["a.txt", "text/plain; charset=utf-8", "inline"],
  ["a.html", "text/plain; charset=utf-8", "inline"],
  ["a.xhtml", "text/plain; charset=utf-8", "inline"],
  ["a.js", "text/plain; charset=utf-8", "inline"],
  ["a.json", "text/plain; charset=utf-8", "inline"],
  ["a.svg", "image/svg+xml", "inline"],
  ["a.swf", "application/octet-stream", "attachment"],
  ["a", "application/octet-stream", "attachment"],
];

for (const [name, type, disposition] of TYPES) {
  test(`${name} of somebody else is ${type} in a browser, whatever they say it is`, async (t) => {
    const own = { content: async () => bytes("x", { "content-length": "1" }) };
    const page = await startPage(t, { own });
    const headers = { cookie: await page.cookie() };
    const shown = await page.ask(`/api/content?peer=bob&path=${name}`, { headers });
    assert.equal(shown.headers["content-type"], type);
    assert.equal(shown.headers["content-disposition"], `${disposition}; filename=${name}`);
    assert.equal(shown.headers["x-content-type-options"], "nosniff");
    const policy = String(shown.headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /script-src|allow-/);
    if (type !== "application/pdf") assert.match(policy, /sandbox$/);
    const saved = await page.ask(`/api/content?peer=bob&path=${name}&save=true`, { headers });
    assert.equal(saved.headers["content-type"], "application/octet-stream");
    assert.match(saved.headers["content-disposition"] ?? "", /^attachment/);
  });
}

test("a range is asked for and answered as one", async (t) => {
  const asked: WantedBytes[] = [];
  const page = await startPage(t, {
    own: {
      async content(wanted) {
        asked.push(wanted);
        return { ...bytes("23", { "content-range": "bytes 2-3/10", "content-length": "2" }), status: 206 };
      },
    },
  });
  const headers = { cookie: await page.cookie(), range: "bytes=2-3", "if-range": '"b3-1"' };
  const { status, body, headers: answered } = await page.ask("/api/content?peer=bob&path=a.mp4", { headers });
  assert.equal(status, 206);
  assert.equal(body, "23");
  assert.equal(answered["content-range"], "bytes 2-3/10");
  assert.deepEqual(asked, [{ peer: "bob", path: "a.mp4", range: "bytes=2-3", ifRange: '"b3-1"' }]);
});

for (const path of ["../secret", "/etc/passwd", "a/../b", "", "a%00b", "%E2%80%AEgpj.exe"]) {
  test(`"${path}" is no path of a share`, async (t) => {
    const page = await startPage(t, { own: { content: () => assert.fail("it was asked for") } });
    const { status } = await page.ask(`/api/content?peer=bob&path=${path}`, {
      headers: { cookie: await page.cookie() },
    });
    assert.equal(status, 400);
  });
}

test("what fails before the first byte is a failure with a name, not an empty file", async (t) => {
  const content = () => Promise.reject(new Failure("no-such-peer", 'No peer "bob" is online'));
  const page = await startPage(t, { own: { content } });
  const { status, body } = await page.ask("/api/content?peer=bob&path=a.txt", {
    headers: { cookie: await page.cookie() },
  });
  assert.equal(status, 404);
  assert.deepEqual(JSON.parse(body), { code: "no-such-peer", message: 'No peer "bob" is online' });
});

test("nothing more is fetched when the browser goes away", { timeout: 10_000 }, async (t) => {
  const left = Promise.withResolvers<void>();
  async function* endless(signal: AbortSignal): AsyncGenerator<Buffer> {
    signal.addEventListener("abort", () => left.resolve(), { once: true });
    while (!signal.aborted) {
      yield Buffer.alloc(1024);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const own = { content: async (_: unknown, signal: AbortSignal) => ({ ...bytes(""), body: endless(signal) }) };
  const page = await startPage(t, { own });
  const headers = { cookie: await page.cookie() };
  const outgoing = request({ host: "127.0.0.1", port: page.url.port, path: "/api/content?peer=bob&path=a", headers });
  outgoing.on("error", () => undefined).end();
  const [response] = await once(outgoing, "response");
  response.on("error", () => undefined);
  await once(response, "data");
  outgoing.destroy();
  await left.promise;
});

test("the local API describes itself, with every parameter", async (t) => {
  const page = await startPage(t);
  const { body } = await page.ask("/api/openapi.json", { headers: { cookie: await page.cookie() } });
  const described = JSON.parse(body);
  assert.equal(described.openapi, "3.1.0");
  const parameters = described.paths["/api/content"].get.parameters;
  assert.deepEqual(
    parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required]),
    [
      ["peer", true],
      ["path", true],
      ["save", false],
    ],
  );
  const added = described.paths["/api/downloads/add"].post.requestBody.content["application/json"].schema;
  assert.equal(added.properties.names.items.type, "string");
  assert.ok(described.paths["/api/events"].get.responses[200].content["application/x-ndjson"]);
});
