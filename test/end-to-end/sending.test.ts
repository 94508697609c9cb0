import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startAgain, startNetwork, type TestNetwork, writeFiles } from "./network.ts";
import { type Line, startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };
const MIB = 1024 * 1024;
const ACCEPT_ALL = ["--accept", "all"];

/** The options of a command that sends without a running peer, whose files lie beside it. */
function sender(network: TestNetwork, name = "alice"): string[] {
  return network.visitor(name);
}

async function filesOf(network: TestNetwork, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = path.join(network.folder, "to send");
  await writeFiles(folder, files);
  return folder;
}

function without(line: Line | undefined, ...fields: readonly string[]): Line {
  return Object.fromEntries(Object.entries(line ?? {}).filter(([name]) => !fields.includes(name)));
}

test("what is sent arrives as it is, and the sender hears that it was verified", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", {}, ACCEPT_ALL);
  const bytes = randomBytes(3 * MIB);
  const folder = await filesOf(network, { "one.bin": bytes, "tree/a 'b' å.txt": "text", "tree/sub/run.sh": "run" });
  await mkdir(path.join(folder, "tree/empty"));
  await chmod(path.join(folder, "tree/sub/run.sh"), 0o755);
  for (const name of ["one.bin", "tree/sub", "tree/empty", "tree"]) await utimes(path.join(folder, name), 1e9, 1e9);

  const args = ["send", "bob", path.join(folder, "one.bin"), path.join(folder, "tree"), ...sender(network)];
  const { lines, status, stderr } = await tukarJson(args);
  assert.equal(status, 0, stderr);
  const told = lines.filter(({ event }) => event !== "hashing" && event !== "progress");
  const peer = { id: bob.ready["id"], name: "bob" };
  const sum = { files: 3, bytes: 3 * MIB + 7 };
  assert.deepEqual(
    told.map((line) => without(line, "seconds")),
    [
      { event: "offered", send: 1, peer, ...sum },
      { event: "accepted", send: 1, peer },
      { event: "delivered", send: 1, peer, ...sum },
    ],
  );

  const received = path.join(bob.dir, "received");
  assert.ok((await readFile(path.join(received, "one.bin"))).equals(bytes));
  for (const name of ["one.bin", "tree/sub", "tree/empty", "tree"])
    assert.equal((await stat(path.join(received, name))).mtimeMs, 1e12, name);
  assert.equal(await readFile(path.join(received, "tree/a 'b' å.txt"), "utf8"), "text");
  assert.equal((await stat(path.join(received, "tree/sub/run.sh"))).mode & 0o111, 0o111);
  assert.ok((await stat(path.join(received, "tree/empty"))).isDirectory());
  const offer = await bob.line({ event: "offer" });
  assert.deepEqual([offer["answer"], offer["names"], offer["files"]], ["accepted", ["one.bin", "tree"], 3]);
});

test("what is received overwrites nothing", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", {}, ACCEPT_ALL);
  await writeFiles(path.join(bob.dir, "received"), { "note.txt": "mine" });
  const folder = await filesOf(network, { "note.txt": "yours" });
  const { status, stderr } = await tukar(["send", "bob", path.join(folder, "note.txt"), ...sender(network)]);
  assert.equal(status, 0, stderr);
  assert.equal(await readFile(path.join(bob.dir, "received", "note.txt"), "utf8"), "mine");
  assert.equal(await readFile(path.join(bob.dir, "received", "note (2).txt"), "utf8"), "yours");
});

for (const rule of ["none", "known"]) {
  test(`a stranger's offer is declined by --accept ${rule}, with status 6`, TIMEOUT, async () => {
    await using network = await startNetwork();
    const bob = await network.peer("bob", {}, ["--accept", rule]);
    const folder = await filesOf(network, { "note.txt": "text" });
    const { lines, status, stderr } = await tukarJson([
      "send",
      "bob",
      path.join(folder, "note.txt"),
      ...sender(network),
    ]);
    assert.equal(status, 6, stderr);
    assert.equal(lines.at(-1)?.["event"], "declined");
    assert.match(stderr, /"code":"not-allowed"/);
    assert.ok(!existsSync(path.join(bob.dir, "received", "note.txt")));
    assert.equal((await bob.line({ event: "offer" }))["answer"], "declined");
  });
}

test("a peer that asks takes what its owner accepts, and not what he declines", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", {});
  const folder = await filesOf(network, { "good.txt": "good", "bad.txt": "bad" });

  const good = startTukar(["send", "bob", path.join(folder, "good.txt"), ...sender(network)]);
  const first = await bob.line({ event: "offer" });
  assert.equal(first["answer"], "open");
  const listed = await tukarJson(["offers", "--home", bob.home]);
  assert.deepEqual([listed.lines[0]?.["id"], listed.lines[0]?.["state"]], [first["offer"], "open"]);
  const accepted = await tukarJson(["accept", String(first["offer"]), "--home", bob.home]);
  assert.deepEqual(accepted.lines, [{ event: "accept", offer: first["offer"] }]);
  await good.line({ event: "delivered" });
  assert.equal(await readFile(path.join(bob.dir, "received", "good.txt"), "utf8"), "good");
  await good.end();

  const bad = startTukar(["send", "bob", path.join(folder, "bad.txt"), ...sender(network)]);
  const second = await bob.line({ event: "offer" });
  assert.equal((await tukar(["decline", String(second["offer"]), "--home", bob.home])).status, 0);
  await bad.line({ event: "declined" });
  assert.ok(!existsSync(path.join(bob.dir, "received", "bad.txt")));
  const all = await tukarJson(["offers", "--all", "--home", bob.home]);
  assert.deepEqual(
    all.lines.map(({ state }) => state),
    ["delivered", "declined"],
  );
});

test("whoever was accepted once is known by id, and nobody else by the name", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", {});
  const folder = await filesOf(network, { "1.txt": "1", "2.txt": "2", "3.txt": "3" });
  const alice = await network.peer("alice", {});

  const first = startTukar(["send", "bob", path.join(folder, "1.txt"), "--home", alice.home]);
  const { offer } = await bob.line({ event: "offer" });
  await tukar(["accept", String(offer), "--home", bob.home]);
  await first.line({ event: "delivered" });

  await bob.end();
  const known = await startAgain({ ...bob, options: [...bob.options, "--accept", "known"] });
  const second = await tukar(["send", "bob", path.join(folder, "2.txt"), "--home", alice.home]);
  assert.equal(second.status, 0, second.stderr);
  await alice.end();
  const mallory = await network.peer("mallory", {}, ["--name", "alice"]);
  const third = await tukar(["send", "bob", path.join(folder, "3.txt"), "--home", mallory.home]);
  assert.equal(third.status, 6, third.stderr);
  assert.ok(!existsSync(path.join(bob.dir, "received", "3.txt")));
  await known.end();
});

test("an offer waits for somebody who is offline, though its sender is killed meanwhile", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const folder = await filesOf(network, { "note.txt": "text" });
  const bob = await network.peer("bob", {}, ACCEPT_ALL);
  const alice = await network.peer("alice", {});
  await bob.end();
  const asleep = await tukarJson(["send", "bob", path.join(folder, "note.txt"), "--home", alice.home]);
  assert.equal(asleep.status, 3, asleep.stderr);

  const id = String(bob.ready["id"]);
  const waits = await tukarJson(["send", id, path.join(folder, "note.txt"), "--wait", "--home", alice.home]);
  assert.equal(waits.status, 0, waits.stderr);
  assert.equal(waits.lines.at(-1)?.["event"], "waiting");
  const { lines } = await tukarJson(["sends", "--home", alice.home]);
  assert.deepEqual([lines[0]?.["state"], lines[0]?.["names"]], ["waiting", ["note.txt"]]);

  await alice.end("SIGKILL");
  const again = await startAgain(alice);
  t.after(() => again.end("SIGKILL"));
  const back = await startAgain(bob);
  t.after(() => back.end("SIGKILL"));
  const { saved } = await back.line({ event: "received" });
  assert.equal(await readFile(String(saved), "utf8"), "text");
});

test("what is sent to all reaches everybody, and they fetch it from each other", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(24 * MIB);
  const folder = await filesOf(network, { "big.bin": bytes });
  const peers = [];
  for (const name of ["bob", "carol", "dave"]) peers.push(await network.peer(name, {}, ACCEPT_ALL));
  const alice = await network.peer("alice", {}, ["--up-limit", "6MiB"]);
  const { lines, status, stderr } = await tukarJson(["sendall", path.join(folder, "big.bin"), "--home", alice.home]);
  assert.equal(status, 0, stderr);
  const delivered = lines.filter(({ event }) => event === "delivered");
  assert.deepEqual(delivered.map(({ peer }) => (peer as Line)["name"]).toSorted(), ["bob", "carol", "dave"]);
  const histories = [];
  for (const { dir, home } of peers) {
    assert.ok((await readFile(path.join(dir, "received", "big.bin"))).equals(bytes));
    const history = await tukarJson(["history", "--home", home]);
    histories.push(Number(history.lines[0]?.["sources"]));
  }
  assert.ok(Math.max(...histories) > 1, `${histories}`);
});

test("a sender that is killed in the middle goes on when it runs again", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bytes = randomBytes(32 * MIB);
  const folder = await filesOf(network, { "big.bin": bytes });
  const bob = await network.peer("bob", {}, ACCEPT_ALL);
  const alice = await network.peer("alice", {}, ["--up-limit", "8MiB"]);
  const send = startTukar(["send", "bob", path.join(folder, "big.bin"), "--home", alice.home]);
  t.after(() => send.end("SIGKILL"));
  await send.line({ event: "progress" });
  await alice.end("SIGKILL");
  const again = await startAgain(alice);
  t.after(() => again.end("SIGKILL"));
  const { saved } = await bob.line({ event: "received" });
  assert.ok((await readFile(String(saved))).equals(bytes));
  const { lines } = await tukarJson(["sends", "--all", "--home", alice.home]);
  assert.ok(["accepted", "delivered"].includes(String(lines[0]?.["state"])), JSON.stringify(lines));
});

test("what cannot be sent is said in one line with the documented status", TIMEOUT, async () => {
  await using network = await startNetwork();
  const folder = await filesOf(network, { "note.txt": "text" });
  const note = path.join(folder, "note.txt");
  const alice = await network.peer("alice", {});
  const cases = [
    { args: ["send", "bob", note], status: 3, says: /No peer "bob"/ },
    { args: ["send", "bob", note, "--wait"], status: 3, says: /takes its id/ },
    { args: ["send", "alice", note], status: 2, says: /is you/ },
    { args: ["send", "--all", note], status: 3, says: /Nobody else is online/ },
    { args: ["send", "alice"], status: 2, says: /file/ },
    { args: ["accept", "7"], status: 2, says: /no offer 7/ },
    { args: ["sends", "cancel", "7"], status: 2, says: /no send 7/ },
    { args: ["decline", "x"], status: 2, says: /not the number of an offer/ },
  ];
  for (const { args, status, says } of cases) {
    const finished = await tukar([...args, "--home", alice.home]);
    assert.deepEqual([args, finished.status], [args, status], finished.stderr);
    assert.match(finished.stderr, says);
    assert.equal(finished.stderr.trim().split("\n").length, 1, finished.stderr);
  }
  await network.peer("bob", {}, ACCEPT_ALL);
  const missing = await tukar(["send", "bob", path.join(folder, "no such file"), "--home", alice.home]);
  assert.deepEqual([missing.status, /no such file/.test(missing.stderr)], [3, true]);
});

test("sending from a peer that is not running leaves what is known of its shares alone", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const folder = await filesOf(network, { "note.txt": "text" });
  await network.peer("bob", {}, ACCEPT_ALL);
  const alice = await network.peer("alice", { "song.mp3": "la la la" });
  await alice.end();
  const send = startTukar(["send", "bob", path.join(folder, "note.txt"), "--home", alice.home, "--dir", alice.dir]);
  t.after(() => send.end("SIGKILL"));
  await send.line({ event: "delivered" });
  await send.end();
  const again = startTukar([...alice.options, "--log-level", "debug"]);
  t.after(() => again.end("SIGKILL"));
  await again.line({ event: "shared", files: 1 });
  const { lines } = await tukarJson(["search", "song", ...network.visitor("carol")]);
  assert.equal(lines.length, 1);
});

test("with --reshare others find what was received, and without it they do not", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "song.mp3": "la la la" });
  const carol = await network.peer("carol", {}, ["--reshare"]);
  const dave = await network.peer("dave", {});
  for (const { home } of [carol, dave]) {
    const got = await tukar(["get", "bob", "song.mp3", "--home", home]);
    assert.equal(got.status, 0, got.stderr);
  }
  await carol.line({ event: "shared", files: 1 });
  const { lines } = await tukarJson(["ls", "carol", "-r", "--home", dave.home]);
  assert.deepEqual(
    lines.map((line) => line["path"]),
    ["received/song.mp3"],
  );
  assert.deepEqual((await tukarJson(["ls", "dave", "-r", "--home", carol.home])).lines, []);
});
