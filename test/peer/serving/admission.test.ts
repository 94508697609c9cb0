import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { parseContentId } from "../../../src/protocol/content-id.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { get as getRequest, tlsClient } from "../../support/tls-client.ts";
import { linesOf, serveShare } from "./served-share.ts";

const TIMEOUT = { timeout: 30_000 };
const ROUTES = ["/v1/about", "/v1/files", "/v1/resolve?name=a.txt", "/files/a.txt", "/v1/content/x", "/nowhere"];

test("whoever shows no certificate is told so on every route", TIMEOUT, async (t) => {
  const { get } = await serveShare(t, { files: { "a.txt": "a" } });
  for (const route of ROUTES) {
    const answer = await get(route, {}, { as: null });
    assert.equal(answer.status, 403, route);
    assert.equal(JSON.parse(answer.body.toString()).code, "certificate-required");
  }
});

test("the certificate of a stranger opens nothing", TIMEOUT, async (t) => {
  const { get } = await serveShare(t, { files: { "a.txt": "a" } });
  const stranger = await createIdentity();
  for (const route of ROUTES) {
    const answer = await get(route, {}, { as: stranger });
    assert.equal(answer.status, 403, route);
    assert.equal(JSON.parse(answer.body.toString()).code, "not-a-member");
  }
});

test("a stranger's certificate with the member's key in another's place opens nothing either", TIMEOUT, async (t) => {
  const { port, member } = await serveShare(t, { files: { "a.txt": "a" } });
  const stranger = await createIdentity();
  const posing = { ...stranger, certificatePem: member.certificatePem };
  await assert.rejects(tlsClient(t, { port, identity: posing }), /key values mismatch|KEY_VALUES_MISMATCH/i);
});

test("a member is served, and asked about anew with each request", TIMEOUT, async (t) => {
  let isMember = true;
  const { port, member } = await serveShare(t, { files: { "a.txt": "a" }, isMember: async () => isMember });
  const client = await tlsClient(t, { port, identity: member });
  client.socket.write(getRequest("/files/a.txt"));
  await client.until(/200 OK/);
  isMember = false;
  client.socket.write(getRequest("/files/a.txt"));
  assert.match(await client.until(/not-a-member/), / 403 /);
});

test("guests may read everything that is shared and nothing else", TIMEOUT, async (t) => {
  const { get, port } = await serveShare(t, { files: { "a.txt": "hello" }, guests: true });
  for (const as of [null, await createIdentity()]) {
    assert.equal((await get("/files/a.txt", {}, { as })).body.toString(), "hello");
    assert.equal((await get("/files/a.txt", { range: "bytes=1-2" }, { as })).body.toString(), "el");
    assert.equal(linesOf(await get("/v1/files", {}, { as })).length, 1);
    const [file] = linesOf(await get("/v1/resolve?name=a.txt", {}, { as })) as [{ readonly content: string }];
    assert.ok(parseContentId(file.content));
    assert.equal((await get(`/v1/content/${file.content}`, {}, { as })).body.toString(), "hello");
    assert.equal((await get("/v1/about", {}, { as })).status, 200);
    for (const method of ["POST", "PUT", "DELETE"])
      assert.equal((await get("/files/a.txt", {}, { method, as })).status, 405);
    assert.equal((await get("/files/../a.txt", {}, { as })).status, 404);
  }
  const client = await tlsClient(t, { port });
  client.socket.write(getRequest("/v1/link", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"));
  assert.match(await client.until(/\r\n\r\n/), /^HTTP\/1\.1 404 /);
});

test("TLS older than 1.3 is not spoken", TIMEOUT, async (t) => {
  const { port } = await serveShare(t, { files: {}, guests: true });
  const { connect } = await import("node:tls");
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, maxVersion: "TLSv1.2" });
  const [error] = await once(socket, "error");
  assert.match(String(error), /protocol version/i);
});
