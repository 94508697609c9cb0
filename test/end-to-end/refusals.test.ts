import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { parseInvite } from "../../src/protocol/invite.ts";
import { createIdentity } from "../../src/transport/identity.ts";
import { present } from "../support/present.ts";
import { portOf, scriptedTcp, scriptedTls } from "../support/scripted-server.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { startNetwork, type TestNetwork } from "./network.ts";
import { type Finished, startTukar, tukar } from "./tukar-process.ts";

const TIMEOUT = { timeout: 60_000 };

/** Runs a command that has to fail, and gives its last line of `--json` talk. */
async function refused(
  args: readonly string[],
  status: number,
): Promise<{ readonly code: string; readonly message: string }> {
  const ended: Finished = await tukar(["--json", ...args]);
  assert.equal(ended.status, status, `${args.join(" ")}: ${ended.stderr}`);
  assert.equal(ended.stdout, "");
  const lines = ended.stderr.trim().split("\n");
  assert.equal(lines.length, 1, ended.stderr);
  const { event, code, message } = JSON.parse(lines[0] ?? "");
  assert.equal(event, "error");
  assert.doesNotMatch(message, /\.$|\n| {4}at /);
  return { code, message };
}

function peerArgs(network: Pick<TestNetwork, "folder">, name: string, target: string, ...more: string[]): string[] {
  const [home, dir] = [path.join(network.folder, `${name}-home`), path.join(network.folder, `${name}-dir`)];
  return ["peer", target, "--name", name, "--home", home, "--dir", dir, "--host", "127.0.0.1", "--headless", ...more];
}

function indexAddress(network: TestNetwork): string {
  const { host, port } = present(parseInvite(network.invite)).address;
  return `${host}:${port}`;
}

test("a second peer under one home is refused, and the first goes on", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", { "a.txt": "A" });
  const { code, message } = await refused(bob.options, 1);
  assert.equal(code, "home-in-use");
  assert.ok(message.includes(`"${bob.home}"`), message);
  const got = await tukar(["get", "bob", "a.txt", ...network.visitor("carol")]);
  assert.equal(got.status, 0, got.stderr);
});

test("a port that is taken is named, by peer and index server alike", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const { port } = await scriptedTcp(t, () => undefined);
  const peer = await refused(peerArgs(network, "bob", network.invite, "--port", String(port)), 1);
  assert.equal(peer.code, "port-in-use");
  assert.match(peer.message, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
  const home = path.join(network.folder, "other-index");
  const index = await refused(["index", "--home", home, "--host", "127.0.0.1", "--port", String(port)], 1);
  assert.equal(index.code, "port-in-use");
  assert.match(index.message, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
  const { port: own } = present(parseInvite(network.invite)).address;
  const same = await refused(["index", "--home", home, "--host", "127.0.0.1", "--port", String(own)], 1);
  assert.equal(same.code, "port-in-use");
});

test("a home that cannot be used is named", TIMEOUT, async () => {
  await using network = await startNetwork();
  const file = path.join(network.folder, "file");
  await writeFile(file, "not a folder");
  const home = path.join(file, "home");
  const dir = path.join(network.folder, "dir");
  for (const args of [
    ["index", "--home", home, "--host", "127.0.0.1", "--port", "0"],
    ["peer", network.invite, "--home", home, "--dir", dir, "--headless"],
    ["peers", "--home", home, "--index", network.invite],
    ["index", "--home", file, "--host", "127.0.0.1", "--port", "0"],
    ["peer", network.invite, "--home", file, "--dir", dir, "--headless"],
  ]) {
    const { code, message } = await refused(args, 1);
    assert.equal(code, "home-unusable", args.join(" "));
    assert.ok(message.includes(file), message);
  }
});

test("a database of a newer version is left alone and named", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", {});
  await bob.end();
  await network.index.end();
  const library = path.join(bob.home, "library.sqlite");
  const index = path.join(network.folder, "index", "index.sqlite");
  for (const file of [library, index]) {
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 999");
    db.close();
  }
  const indexArgs = ["index", "--home", path.join(network.folder, "index"), "--host", "127.0.0.1", "--port", "0"];
  for (const [args, file] of [
    [bob.options, library],
    [indexArgs, index],
  ] as const) {
    const { code, message } = await refused(args, 1);
    assert.equal(code, "database-newer");
    assert.ok(message.includes(`"${file}"`), message);
    const db = new DatabaseSync(file);
    assert.deepEqual({ ...db.prepare("PRAGMA user_version").get() }, { user_version: 999 });
    db.close();
  }
});

test("a private network takes in who has the whole invite, and nobody else", TIMEOUT, async () => {
  await using network = await startNetwork();
  const [address, query] = network.invite.split("?key=");
  const wrongKey = `${address}?key=${[...present(query)].toReversed().join("").slice(0, 42)}A`;
  assert.ok(parseInvite(wrongKey), "it is an invite");
  const wrong = await refused(peerArgs(network, "bob", wrongKey), 6);
  assert.equal(wrong.code, "wrong-key");
  assert.equal((await refused(["peers", ...network.visitor("carol"), "--index", wrongKey], 6)).code, "wrong-key");
  assert.equal((await refused(peerArgs(network, "dave", present(address)), 6)).code, "key-required");
  assert.equal((await refused(peerArgs(network, "erin", indexAddress(network)), 6)).code, "key-required");
  const right = await tukar(["peers", ...network.visitor("carol")]);
  assert.equal(right.status, 0, right.stderr);
});

test("an open network is joined by its address alone", TIMEOUT, async () => {
  await using network = await startNetwork(["--open"]);
  assert.doesNotMatch(network.invite, /key=/);
  await network.peer("bob", { "a.txt": "A" });
  const home = path.join(network.folder, "carol");
  const listed = await tukar(["ls", "bob", "--home", home, "--dir", home, "--index", indexAddress(network)]);
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, /a\.txt/);
  assert.equal((await tukar(["ls", "bob", "--home", home, "--dir", home])).status, 0, "the address is remembered");
});

test("an invite for another index server than the one that answers is refused loudly", TIMEOUT, async () => {
  await using network = await startNetwork();
  const { id } = await createIdentity();
  const { indexId } = present(parseInvite(network.invite));
  const { code, message } = await refused(peerArgs(network, "bob", network.invite.replace(indexId, id)), 6);
  assert.equal(code, "identity-mismatch");
  assert.ok(message.includes(indexId.slice(0, 8)) && message.includes(id.slice(0, 8)), message);
});

test("an index server that comes back with another identity is refused loudly by who knew it", TIMEOUT, async () => {
  await using network = await startNetwork(["--open"]);
  const address = indexAddress(network);
  const home = path.join(network.folder, "carol");
  const asked = ["peers", "--home", home, "--dir", home, "--index", address];
  assert.equal((await tukar(asked)).status, 0);
  await network.index.end();

  const { port } = present(parseInvite(network.invite)).address;
  const other = startTukar([
    "index",
    "--home",
    path.join(network.folder, "anew"),
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--open",
  ]);
  try {
    const ready = await other.line({ event: "ready" });
    const { code, message } = await refused(asked, 6);
    assert.equal(code, "identity-mismatch");
    assert.match(message, /HAS CHANGED/);
    assert.ok(message.includes(String(ready["id"]).slice(0, 8)), message);
    assert.match(message, /known-ids\.json/);
    const invited = await tukar(["peers", "--home", home, "--dir", home, "--index", String(ready["invite"])]);
    assert.equal(invited.status, 0, `its new invite is proof enough: ${invited.stderr}`);
  } finally {
    await other.end("SIGKILL");
  }
});

test("what is no index server is told from one that cannot be reached", TIMEOUT, async (t) => {
  const folder = await tempFolder(t);
  const web = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
  t.after(() => web.close());
  const chatty = await scriptedTcp(t, (socket) => void socket.write("220 mail.example ready\r\n"));
  const shutting = await scriptedTcp(t, (socket) => void socket.destroy());
  const page = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  const secureWeb = await scriptedTls(
    t,
    await createIdentity(),
    (socket) => void socket.once("data", () => socket.end(page)),
  );
  await new Promise((resolve) => (web.listening ? resolve(undefined) : web.once("listening", resolve)));

  for (const [what, port, code] of [
    ["a web server", portOf(web), "not-tukar"],
    ["a mail server", chatty.port, "not-tukar"],
    ["a web server over TLS", secureWeb.port, "not-tukar"],
    ["a server that hangs up", shutting.port, "unreachable"],
  ] as const) {
    for (const args of [
      ["peers", "--home", path.join(folder, "visitor"), "--index", `127.0.0.1:${port}`],
      peerArgs({ folder }, "bob", `127.0.0.1:${port}`),
    ]) {
      const found = await refused(args, 4);
      assert.equal(found.code, code, `${what}: ${found.message}`);
    }
  }
});

test("the port of a peer is no place to join, and that is what is said", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", {});
  const address = `127.0.0.1:${bob.ready["port"]}`;
  const { message } = await refused(["peers", ...network.visitor("carol"), "--index", address], 6);
  assert.ok(message.includes(address), message);
  assert.match(message, /index server/);
});

test("nothing that listens is unreachable", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.index.end();
  const { code, message } = await refused(["peers", ...network.visitor("carol")], 4);
  assert.equal(code, "unreachable");
  assert.match(message, /nothing listens there/);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends peer and index server with 0, after a goodbye`, {
    ...TIMEOUT,
    skip: process.platform === "win32",
  }, async () => {
    await using network = await startNetwork();
    const bob = await network.peer("bob", { "a.txt": "A" });
    const alice = await network.peer("alice", {});
    await bob.line({ event: "peer-joined", name: "alice" });

    // A process that does not end by itself in time is ended with another status.
    assert.deepEqual(await bob.end(signal), { status: 0, signal: null, stderr: "" });
    const left = await alice.line({ event: "peer-left" });
    assert.equal(left["id"], bob.ready["id"]);
    const peers = await tukar(["peers", "--json", "--home", alice.home]);
    assert.doesNotMatch(peers.stdout, /"bob"/);

    assert.deepEqual(await network.index.end(signal), { status: 0, signal: null, stderr: "" });
    assert.match(String((await alice.line({ event: "index-lost" }))["reason"]), /goodbye/);
    assert.deepEqual(await alice.end(signal), { status: 0, signal: null, stderr: "" });
  });
}

test("of two peers with one name either is found by the beginning of its id", TIMEOUT, async () => {
  await using network = await startNetwork();
  const first = await network.peer("first", { "a.txt": "from the first" }, ["--name", "bob"]);
  const second = await network.peer("second", { "a.txt": "from the second" }, ["--name", "bob"]);
  const { code, message } = await refused(["ls", "bob", ...network.visitor("carol")], 3);
  assert.equal(code, "ambiguous");
  for (const { ready } of [first, second]) assert.ok(message.includes(String(ready["id"]).slice(0, 8)), message);

  const prefix = String(second.ready["id"]).slice(0, 8);
  const got = await tukar(["get", prefix, "a.txt", ...network.visitor("carol")]);
  assert.equal(got.status, 0, got.stderr);
  assert.equal(await readFile(path.join(network.folder, "carol", "received", "a.txt"), "utf8"), "from the second");
});

test("a target that cannot be written to is named, and nothing is left there", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "a.txt": "A", "sub/b.txt": "B" });
  const file = path.join(network.folder, "file");
  await writeFile(file, "a file");
  for (const [names, output] of [
    [["a.txt"], `${file}/`],
    [["a.txt"], path.join(file, "below")],
    [["sub", "-r"], file],
  ] as const) {
    const ended = await tukar(["get", "bob", ...names, "-o", output, ...network.visitor("carol")]);
    assert.equal(ended.status, 1, ended.stderr);
    assert.match(ended.stderr, /Cannot save/);
    assert.equal(await readFile(file, "utf8"), "a file");
  }
  await mkdir(path.join(network.folder, "carol", "received", "a.txt"), { recursive: true });
  const besides = await tukar(["get", "bob", "a.txt", ...network.visitor("carol")]);
  assert.equal(besides.status, 0, besides.stderr);
  assert.equal(await readFile(path.join(network.folder, "carol", "received", "a (2).txt"), "utf8"), "A");
});
