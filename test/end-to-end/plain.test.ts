import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { type PlainClient, plainClient } from "../support/plain-client.ts";
import { startNetwork } from "./network.ts";
import { type Line, type RunningTukar, startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };

type Peer = RunningTukar & {
  readonly home: string;
  readonly id: string;
  readonly port: number;
  readonly plain: number;
};

async function meshPeer(t: TestContext, folder: string, name: string, extra: readonly string[]): Promise<Peer> {
  const home = path.join(folder, `${name}-home`);
  const dir = ["--dir", path.join(folder, name), "--host", "127.0.0.1"];
  const peer = startTukar(["peer", "--name", name, "--home", home, ...dir, "--headless", ...extra]);
  t.after(() => peer.end("SIGKILL"));
  const ready = await peer.line({ event: "ready" });
  return { ...peer, home, id: String(ready["id"]), port: Number(ready["port"]), plain: Number(ready["plain"]) };
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tukar-test-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

async function client(t: TestContext, port: number, id: string, name: string): Promise<PlainClient> {
  const dialled = await plainClient(port, id, name);
  t.after(() => dialled.socket.destroy());
  return dialled;
}

async function done(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tukar(args);
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

function without(line: Line, ...fields: readonly string[]): Line {
  return Object.fromEntries(Object.entries(line).filter(([field]) => !fields.includes(field)));
}

test("a plain peer talks with a mesh through the peer that lets it in", TIMEOUT, async (t) => {
  const folder = await folderFor(t);
  const ada = await meshPeer(t, folder, "ada", ["--plain-port", "0"]);
  const bob = await meshPeer(t, folder, "bob", ["--connect", `127.0.0.1:${ada.port}`]);
  await ada.line({ event: "peer-joined", name: "bob" });
  const oldie = await client(t, ada.plain, "p1", "oldie");
  await oldie.join();
  const joined = await ada.line({ event: "peer-joined", name: "oldie" });
  assert.equal(joined["plain"], true);
  await oldie.line("JOIN", bob.id);

  const { lines } = await tukarJson(["peers", "--home", ada.home]);
  const plain = lines.filter(({ plain }) => plain === true);
  assert.deepEqual(
    plain.map(({ id, name }) => [id, name]),
    [[joined["id"], "oldie"]],
  );
  assert.match(await done("peers", "--home", ada.home), /^oldie \(plain\) /m);

  oldie.say("BROADCAST", { text: "hello \u001b[31mall" });
  const direct = { id: "p1", name: "oldie", through: false };
  const from = { id: joined["id"], name: "oldie" };
  const said = { event: "message", scope: "broadcast", text: "hello \u001b[31mall" };
  assert.deepEqual(without(await ada.line({ event: "message" }), "message"), { ...said, from, plain: direct });
  const through = { ...direct, through: true };
  const beyond = { id: ada.id, name: "oldie (plain, through ada)" };
  assert.deepEqual(without(await bob.line({ event: "message" }), "message"), { ...said, from: beyond, plain: through });
  const room = await done("history", "--room", "--home", bob.home);
  assert.match(room, /oldie \(plain, through ada\): hello \ufffd\[31mall/);

  oldie.say("MESSAGE", { text: "only bob" }, { target_id: bob.id });
  const heard = await bob.line({ event: "message", scope: "direct" });
  assert.deepEqual([heard["text"], heard["from"]], ["only bob", beyond]);
  assert.match(await done("msg", "oldie", "back", "to", "you", "--home", bob.home), /oldie \(plain, through ada\)/);
  assert.deepEqual((await oldie.text("back to you")).sender_id, bob.id);

  await done("msg", "oldie", "from ada", "--home", ada.home);
  const line = await oldie.text("from ada");
  assert.deepEqual([line.type, line.sender_id, line.target_id], ["MESSAGE", ada.id, "p1"]);
  oldie.say("MESSAGE", { text: "thanks" });
  await ada.line({ event: "message", text: "thanks" });
  const kept = (await tukarJson(["history", "oldie", "--home", ada.home])).lines;
  assert.deepEqual(
    kept.map(({ text, state, plain }) => [text, state, plain]),
    [
      ["from ada", "delivered", direct],
      ["thanks", "received", direct],
    ],
  );

  await done("broadcast", "from bob to all", "--home", bob.home);
  assert.equal((await oldie.text("from bob to all")).sender_id, bob.id);
  await done("broadcast", "from ada to all", "--home", ada.home);
  assert.equal((await oldie.text("from ada to all")).type, "BROADCAST");

  await bob.end();
  await oldie.line("LEAVE", bob.id);
  oldie.end();
  assert.equal((await ada.line({ event: "peer-left", name: "oldie" }))["plain"], true);
  const { status } = await tukar(["msg", "oldie", "are you there?", "--home", ada.home]);
  assert.equal(status, 3);
});

test("nothing can be fetched from a plain peer, nor sent to it, and that is said", TIMEOUT, async (t) => {
  const folder = await folderFor(t);
  const ada = await meshPeer(t, folder, "ada", ["--plain-port", "0"]);
  const oldie = await client(t, ada.plain, "p1", "oldie");
  await oldie.join();
  for (const args of [
    ["ls", "oldie"],
    ["get", "oldie", "x"],
    ["send", "oldie", import.meta.filename],
    ["ping", "oldie"],
  ]) {
    const { status, stderr } = await tukar([...args, "--home", ada.home]);
    assert.deepEqual([status, /"oldie" is a plain JSON peer: it can be written to/.test(stderr)], [6, true], stderr);
  }
  await done("broadcast", "nobody else is here", "--home", ada.home);
  await oldie.text("nobody else is here");
  const { status } = await tukar(["sendall", import.meta.filename, "--home", ada.home]);
  assert.equal(status, 3);
});

test("a broadcast of a plain peer that is connected with two comes once to everybody", TIMEOUT, async (t) => {
  const folder = await folderFor(t);
  const ada = await meshPeer(t, folder, "ada", ["--plain-port", "0"]);
  const link = ["--connect", `127.0.0.1:${ada.port}`];
  const bob = await meshPeer(t, folder, "bob", [...link, "--plain-port", "0"]);
  const eve = await meshPeer(t, folder, "eve", link);
  await Promise.all([ada, bob].map((peer) => peer.line({ event: "peer-joined", name: "eve" })));
  const left = await client(t, ada.plain, "p1", "oldie");
  const right = await client(t, bob.plain, "p1", "oldie");
  const other = await client(t, bob.plain, "p2", "other");
  await Promise.all([left.join(), right.join(), other.join(4711)]);
  await Promise.all([left, right].map((one) => one.line("JOIN", eve.id)));
  const copy = { timestamp: 1_767_225_600.125 };
  left.say("BROADCAST", { text: "once" }, copy);
  right.say("BROADCAST", { text: "once" }, copy);
  for (const peer of [ada, bob, eve]) await peer.line({ event: "message", text: "once" });
  left.say("BROADCAST", { text: "and then" });
  for (const peer of [ada, bob, eve]) await peer.line({ event: "message", text: "and then" });
  for (const { home } of [ada, bob, eve]) {
    const { lines } = await tukarJson(["history", "--room", "--home", home]);
    assert.deepEqual(
      lines.map(({ text }) => text),
      ["once", "and then"],
    );
  }
  await Promise.all([left.settled(), right.settled(), other.settled()]);
  assert.deepEqual(
    left.lines.all.filter(({ type }) => type === "BROADCAST"),
    [],
  );
  assert.deepEqual(
    right.lines.all.filter(({ type }) => type === "BROADCAST"),
    [],
  );
  const once = other.lines.all.filter(({ data }) => /once$/.test(String(data["text"])));
  assert.equal(once.length, 1);
});

test("a plain peer talks with the members of an open index server's network", TIMEOUT, async (t) => {
  await using network = await startNetwork(["--open"]);
  const ada = await network.peer("ada", {}, ["--plain-port", "0"]);
  const bob = await network.peer("bob", {});
  const oldie = await client(t, Number(ada.ready["plain"]), "p1", "oldie");
  await oldie.join();
  await oldie.line("JOIN", String(bob.ready["id"]));
  oldie.say("BROADCAST", { text: "hello" });
  const { from } = await bob.line({ event: "message", scope: "broadcast" });
  assert.deepEqual(from, { id: ada.ready["id"], name: "oldie (plain, through ada)" });
  oldie.say("MESSAGE", { text: "only bob" }, { target_id: bob.ready["id"] });
  await bob.line({ event: "message", scope: "direct" });
  await done("broadcast", "to all", "--home", bob.home);
  assert.equal((await oldie.text("to all")).sender_id, bob.ready["id"]);
  const { lines } = await tukarJson(["broadcast", "from ada", "--home", ada.home]);
  assert.equal(lines[0]?.["reached"], 2);
});

test("a name means a tukar peer before a plain one, and of one who left msg asks for the id", TIMEOUT, async (t) => {
  const folder = await folderFor(t);
  const ada = await meshPeer(t, folder, "ada", ["--plain-port", "0"]);
  const bob = await meshPeer(t, folder, "bob", ["--connect", `127.0.0.1:${ada.port}`]);
  await ada.line({ event: "peer-joined", name: "bob" });
  const posing = await client(t, ada.plain, "p1", "bob");
  await posing.join();
  await done("msg", "bob", "for bob alone", "--home", ada.home);
  await bob.line({ event: "message", text: "for bob alone" });
  await bob.end();
  await ada.line({ event: "peer-left", name: "bob" });
  const { status, stderr } = await tukar(["msg", "bob", "for bob alone, too", "--home", ada.home]);
  assert.deepEqual([status, stderr.includes(bob.id)], [3, true], stderr);
  await posing.settled();
  assert.deepEqual(
    posing.lines.all.filter(({ type }) => type === "MESSAGE"),
    [],
  );
});

test("a private network lets no plain peers in", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const folder = await folderFor(t);
  const options = ["--home", path.join(folder, "home"), "--dir", folder, "--headless", "--plain-port", "0"];
  for (const args of [
    ["peer", network.invite, ...options],
    ["peer", "--private", ...options],
  ]) {
    const { status, stderr } = await tukar(args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /--plain-port .* private/);
  }
});

test("letting plain peers in is announced aloud", TIMEOUT, async (t) => {
  const folder = await folderFor(t);
  const ada = await meshPeer(t, folder, "ada", ["--plain-port", "0"]);
  const { stderr } = await ada.end();
  assert.match(
    stderr,
    new RegExp(`^Anybody who reaches port ${ada.plain} reads and writes messages here, without encryption`),
  );
});
