import assert from "node:assert/strict";
import { readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { Failure } from "../../../src/protocol/failures.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { INFO } from "../control/fake-operations.ts";
import { startPage } from "./page-fixture.ts";

const onWindows = process.platform === "win32";

test("the first address becomes a cookie that no script and no other page gets, and a clean address", async (t) => {
  const page = await startPage(t);
  assert.match(page.token, /^[\w-]{43}$/, "256 bits");
  const { status, headers } = await page.ask(`/?token=${page.token}`);
  assert.equal(status, 303);
  assert.equal(headers.location, "/");
  const [cookie = ""] = headers["set-cookie"] ?? [];
  for (const attribute of ["HttpOnly", "SameSite=Strict", "Path=/"]) assert.ok(cookie.includes(attribute), attribute);
  assert.ok(!cookie.includes(page.token), "the cookie is not the token");
  const shown = await page.ask("/", { headers: { cookie: await page.cookie() } });
  assert.equal(shown.status, 200);
  assert.match(shown.body, /<title>tukar/);
});

test("without the cookie there is no page and no API, but a word about what to do", async (t) => {
  const page = await startPage(t);
  for (const target of ["/", `/?token=${"x".repeat(43)}`, "/assets/main-1234.js"]) {
    const { status, headers, body } = await page.ask(target);
    assert.equal(status, 401, target);
    assert.equal(headers["set-cookie"], undefined);
    assert.match(body, /tukar info/);
  }
  const headers = { cookie: "tukar-aaaaaaaa=nothing", authorization: `Bearer ${"x".repeat(43)}` };
  for (const target of ["/api/info", "/api/peers", "/api/nothing"]) {
    const { status, body } = await page.ask(target, { headers });
    assert.equal(status, 403);
    assert.deepEqual(JSON.parse(body), { code: "not-allowed", message: "That is not allowed" });
  }
});

test("programs show the token itself", async (t) => {
  const page = await startPage(t);
  const { status, body } = await page.ask("/api/info", { headers: { authorization: `Bearer ${page.token}` } });
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), INFO);
});

const REBOUND = [
  "evil.example",
  "evil.example:80",
  "127.0.0.1.evil.example",
  "localhost.evil.example",

  "192.0.2.1",
  "[::2]",
];

for (const host of REBOUND) {
  test(`a page whose name "${host}" leads here gets nothing, not even with the cookie`, async (t) => {
    const page = await startPage(t);
    const cookie = await page.cookie();
    for (const target of ["/", "/api/info", `/?token=${page.token}`]) {
      const { status, body } = await page.ask(target, { headers: { host, cookie } });
      assert.ok(status === 403 || status === 400, `${target}: ${status}`);
      assert.doesNotMatch(body, /alice|<title>tukar/);
    }
  });
}

for (const host of ["localhost:1234", "127.0.0.1", "[::1]:80", "127.0.0.2:9"]) {
  test(`this machine may be called ${host}, as it is behind a forwarded port`, async (t) => {
    const page = await startPage(t);
    const { status } = await page.ask("/api/info", { headers: { host, cookie: await page.cookie() } });
    assert.equal(status, 200);
  });
}

const FORGED: readonly (readonly [what: string, headers: Record<string, string>])[] = [
  ["of another origin", { origin: "https://evil.example" }],
  ["of another port of this machine", { origin: "http://127.0.0.1:1" }],
  ["of an opaque origin", { origin: "null" }],
  ["that the browser says comes from another site", { "sec-fetch-site": "cross-site" }],
  ["that the browser says comes from the same site", { "sec-fetch-site": "same-site" }],
  ["typed by nobody", { "sec-fetch-site": "none" }],
  ["that says nothing of where it comes from", {}],
];

for (const [what, headers] of FORGED) {
  test(`a request ${what} changes nothing, whatever cookie it bears`, async (t) => {
    let changes = 0;
    const change = async () => {
      changes += 1;
      return INFO.limits;
    };
    const page = await startPage(t, { operations: { limits: change } });
    const host = page.url.host;
    const body = JSON.stringify({ up: null, down: null, slots: 3 });
    const cookie = await page.cookie();
    const forged = await page.ask("/api/limits", { method: "POST", headers: { ...headers, host, cookie }, body });
    assert.equal(forged.status, 403);
    assert.equal(changes, 0);
    const own = { host, cookie, origin: `http://${host}`, "sec-fetch-site": "same-origin" };
    assert.equal((await page.ask("/api/limits", { method: "POST", headers: own, body })).status, 200);
    assert.equal(changes, 1);
  });
}

test("another page cannot have the API read, not even one on another port of this machine", async (t) => {
  const page = await startPage(t);
  const cookie = await page.cookie();
  for (const site of ["same-site", "cross-site"]) {
    const { status } = await page.ask("/api/peers", { headers: { cookie, "sec-fetch-site": site } });
    assert.equal(status, 403, site);
  }
});

test("every answer says that nothing else may run, frame it, or learn of it", async (t) => {
  const page = await startPage(t);
  const cookie = await page.cookie();
  for (const target of ["/", "/assets/main-1234.js", "/api/info", "/nothing", "/api/nothing"]) {
    const { headers } = await page.ask(target, { headers: { cookie } });
    assert.equal(headers["x-content-type-options"], "nosniff", target);
    assert.equal(headers["referrer-policy"], "no-referrer", target);
    assert.equal(headers["cross-origin-opener-policy"], "same-origin", target);
    assert.equal(headers["cross-origin-resource-policy"], "same-origin", target);
    assert.equal(headers["access-control-allow-origin"], undefined, target);
  }
  const { headers } = await page.ask("/", { headers: { cookie } });
  const policy = String(headers["content-security-policy"]);
  for (const rule of ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"])
    assert.ok(policy.includes(rule), rule);
  assert.doesNotMatch(policy, /unsafe|\*/);
});

for (const target of [
  "//evil.example/",
  "/../page.json",
  "/%2e%2e/page.json",
  "/assets/..%2f..%2fpage.json",
  "http://x/",
]) {
  test(`nothing but what was built is at ${target}`, async (t) => {
    const page = await startPage(t);
    const { status, body } = await page.ask(target, { headers: { cookie: await page.cookie() } });
    assert.ok([400, 403, 404].includes(status), String(status));
    assert.doesNotMatch(body, /token/);
  });
}

test("token and port outlive the peer, in a file of the owner's alone, so that a bookmark goes on to work", async (t) => {
  const home = await tempFolder(t);
  const first = await startPage(t, { home, page: { port: undefined } });
  const cookie = await first.cookie();
  const file = path.join(home, "page.json");
  if (!onWindows) assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal(JSON.parse(await readFile(file, "utf8")).token, first.token);
  // The port is taken as long as the first one runs: the second looks for another.
  const second = await startPage(t, { home, page: { port: undefined } });
  assert.equal(second.token, first.token);
  assert.notEqual(second.url.port, first.url.port);
  assert.equal((await second.ask("/api/info", { headers: { cookie } })).status, 200);
});

test("a port that is asked for and taken is a failure with a name", async (t) => {
  const { url } = await startPage(t);
  const failed = startPage(t, { page: { port: Number(url.port) } });
  await assert.rejects(failed, (error) => error instanceof Failure && error.code === "port-in-use");
});

test("a page that was not built says how to build it, and is there as soon as it was", async (t) => {
  const page = await startPage(t);
  const cookie = await page.cookie();
  await rm(page.folder, { recursive: true });
  const { status, body } = await page.ask("/", { headers: { cookie } });
  assert.equal(status, 503);
  assert.match(body, /npm run build:web/);
});

test("with a password the page speaks TLS, the token opens nothing, and few wrong ones may be tried", async (t) => {
  const page = await startPage(t, { page: { password: "open sesame" } });
  assert.equal(page.url.protocol, "https:");
  assert.equal(page.token, "");
  const host = page.url.host;
  const asked = (password: string) => {
    const headers = { host, origin: `https://${host}`, "content-type": "application/x-www-form-urlencoded" };
    return page.ask("/login", { method: "POST", headers, body: new URLSearchParams({ password }).toString() });
  };
  assert.match((await page.ask("/")).body, /type="password"/);
  const right = await asked("open sesame");
  assert.equal(right.status, 303);
  const cookie = right.headers["set-cookie"]?.[0] ?? "";
  assert.match(cookie, /Secure/);
  assert.equal((await page.ask("/api/info", { headers: { cookie: cookie.split(";")[0] } })).status, 200);
  for (let tries = 0; tries < 5; tries++) assert.equal((await asked("guess")).status, 403);
  assert.equal((await asked("open sesame")).status, 429);
  const { token } = JSON.parse(await readFile(path.join(page.home, "page.json"), "utf8"));
  assert.equal((await page.ask(`/?token=${token}`)).status, 401);
  assert.equal((await page.ask("/api/info", { headers: { authorization: `Bearer ${token}` } })).status, 403);
});

test("logging out takes the cookie away", async (t) => {
  const page = await startPage(t);
  const headers = { cookie: await page.cookie(), "sec-fetch-site": "same-origin" };
  const { status, headers: answered } = await page.ask("/logout", { method: "POST", headers });
  assert.equal(status, 204);
  assert.match(answered["set-cookie"]?.[0] ?? "", /Max-Age=0/);
});
