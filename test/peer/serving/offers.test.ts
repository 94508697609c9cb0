import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { type TestContext, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { OFFER_BODY_MAX_BYTES, OFFER_FILES_MAX } from "../../../src/protocol/limits.ts";
import type { Offer } from "../../../src/protocol/offers.ts";
import type { PeerId } from "../../../src/protocol/peer-id.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import { tlsClient } from "../../support/tls-client.ts";
import { blockListOf } from "../downloads/scripted-peer.ts";
import { serveShare } from "./served-share.ts";

const CONTENT = contentIdOf(blockListOf(Buffer.from("text")));
const ID = "0123456789abcdef0123456789abcdef";
const FILE = { kind: "file", path: "a.txt", size: 4, modified: 0, type: "text/plain", content: CONTENT };
const offer = (changes: object = {}): string => JSON.stringify({ id: ID, name: "alice", items: [FILE], ...changes });

async function setUp(t: TestContext) {
  const taken: (readonly [Offer, PeerId])[] = [];
  const share = await serveShare(t, {
    files: {},
    inbox: {
      take(offer, sender) {
        taken.push([offer, sender]);
        return { state: "open" };
      },
      follow() {
        throw new Failure("no-such-file");
      },
      withdraw: () => undefined,
    },
  });
  async function ask(method: string, path: string, body: string | undefined, as: Identity | null = share.member) {
    const certificate = as ? { key: as.keyPem, cert: as.certificatePem } : {};
    const where = { host: "127.0.0.1", port: share.port, rejectUnauthorized: false, agent: false };
    const asked = request({ ...where, method, path, ...certificate });
    asked.on("error", () => undefined); // the answer tells of it
    asked.end(body);
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const text = Buffer.concat(await response.toArray()).toString();
    return {
      status: response.statusCode,
      body: JSON.parse(text) as { readonly state?: string; readonly code?: string },
    };
  }
  return { ask, taken, share };
}

test("an offer of a member is taken as that member's", async (t) => {
  const { ask, taken, share } = await setUp(t);
  assert.deepEqual(await ask("POST", "/v1/offers", offer()), { status: 200, body: { state: "open" } });
  assert.deepEqual([taken[0]?.[0].items.length, taken[0]?.[1]], [1, share.member.id]);
});

const WRONG: readonly { readonly what: string; readonly body: string; readonly status?: number }[] = [
  { what: "no JSON", body: "{" },
  { what: "nothing", body: "" },
  { what: "no items", body: offer({ items: [] }) },
  { what: "a path that leads out", body: offer({ items: [{ ...FILE, path: "../a.txt" }] }) },
  { what: "an absolute path", body: offer({ items: [{ ...FILE, path: "/etc/passwd" }] }) },
  { what: "a path into the folder of unfinished downloads", body: offer({ items: [{ ...FILE, path: ".tukar/x" }] }) },
  { what: "a path that turns the text round", body: offer({ items: [{ ...FILE, path: "a\u202etxt.exe" }] }) },
  { what: "a file that is not hashed", body: offer({ items: [{ ...FILE, content: null }] }) },
  { what: "a negative size", body: offer({ items: [{ ...FILE, size: -1 }] }) },
  { what: "the id of no offer", body: offer({ id: "../../x" }) },
  { what: "a name that steers terminals", body: offer({ name: "\u001b[2J" }) },
  { what: "too many files", body: offer({ items: Array(OFFER_FILES_MAX + 1).fill(FILE) }) },
  { what: "too many bytes", body: offer({ name: "x".repeat(OFFER_BODY_MAX_BYTES) }), status: 413 },
];

for (const { what, body, status = 400 } of WRONG) {
  test(`an offer with ${what} is refused with ${status}, and nobody is asked`, async (t) => {
    const { ask, taken } = await setUp(t);
    assert.equal((await ask("POST", "/v1/offers", body)).status, status);
    assert.deepEqual(taken, []);
  });
}

const REFUSED: readonly { readonly method: string; readonly path: string; readonly status: number }[] = [
  { method: "GET", path: "/v1/offers", status: 405 },
  { method: "GET", path: `/v1/offers/${ID}`, status: 404 },
  { method: "POST", path: `/v1/offers/${ID}`, status: 405 },
  { method: "GET", path: `/v1/offers/${ID}/withdraw`, status: 405 },
  { method: "DELETE", path: `/v1/offers/${ID}`, status: 405 },
  { method: "GET", path: "/v1/offers/nonsense", status: 404 },
  { method: "GET", path: `/v1/offers/${ID}/more/of/it`, status: 404 },
];

for (const { method, path, status } of REFUSED) {
  test(`${method} ${path} is answered with ${status}`, async (t) => {
    const { ask } = await setUp(t);
    assert.equal((await ask(method, path, undefined)).status, status);
  });
}

test("HEAD of an offer is refused: what it tells ends only with the offer", async (t) => {
  const { share } = await setUp(t);
  const { status } = await share.get(`/v1/offers/${ID}`, {}, { method: "HEAD" });
  assert.equal(status, 405);
});

test("a sender has one offer read at a time, and the next when that is through", async (t) => {
  const { ask, share } = await setUp(t);
  const slow = await tlsClient(t, { port: share.port, identity: share.member });
  const body = offer();
  slow.socket.write(`POST /v1/offers HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`);
  let refused = await ask("POST", "/v1/offers", body);
  while (refused.status === 200) refused = await ask("POST", "/v1/offers", body); // until the slow one is being read
  assert.deepEqual([refused.status, refused.body.code], [429, "too-many"]);
  slow.socket.write(body.slice(9));
  await slow.until(/HTTP\/1\.1 200/);
  assert.equal((await ask("POST", "/v1/offers", body)).status, 200);
});

test("nobody but members may offer anything, not even where guests may read", async (t) => {
  const { ask, taken, share } = await setUp(t);
  assert.equal((await ask("POST", "/v1/offers", offer(), null)).status, 403);
  assert.equal((await ask("POST", "/v1/offers", offer(), await createIdentity())).status, 403);
  assert.deepEqual(taken, []);
  assert.ok(share.port > 0);
});
