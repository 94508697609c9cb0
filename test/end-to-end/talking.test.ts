import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { startAgain, startNetwork, type TestPeer, writeFiles } from "./network.ts";
import { type RunningTukar, startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };

/** Peers with no index server, in a temporary folder. */
async function startMesh() {
  const folder = await mkdtemp(path.join(tmpdir(), "tukar-test-"));
  const running: RunningTukar[] = [];
  return {
    folder,
    async peer(name: string, options: readonly string[] = [], files: Readonly<Record<string, string>> = {}) {
      const [dir, home] = [path.join(folder, `${name}-dir`), path.join(folder, `${name}-home`)];
      await writeFiles(path.join(dir, "shared"), files);
      const own = ["--name", name, "--home", home, "--dir", dir, "--host", "127.0.0.1", "--headless", "--no-discovery"];
      const args = ["peer", ...own, ...options];
      const peer = startTukar(args);
      running.push(peer);
      const ready = await peer.line({ event: "ready", role: "peer" });
      await peer.line({ event: "shared" });
      return { ...peer, ready, home, dir, options: args, at: `127.0.0.1:${ready["port"]}` };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one.end("SIGKILL")));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const by = ({ home, dir }: Pick<TestPeer, "home" | "dir">): string[] => ["--home", home, "--dir", dir];

test("peers, and commands without a peer, talk with one and with all by way of an index server", TIMEOUT, async () => {
  await using network = await startNetwork();
  const [ada, bob] = [await network.peer("ada", {}), await network.peer("bob", {})];
  const from = { id: ada.ready["id"], name: "ada" };

  const direct = await tukarJson(["msg", "bob", "are you", "there?", ...by(ada)]);
  assert.deepEqual(direct.lines, [{ event: "delivered", message: 1, peer: { id: bob.ready["id"], name: "bob" } }]);
  const came = { event: "message", message: 1, from, scope: "direct", text: "are you there?" };
  assert.deepEqual(await bob.line({ event: "message" }), came);

  const all = await tukarJson(["broadcast", "hello", ...by(ada)]);
  assert.deepEqual(all.lines, [{ event: "sent", message: 2, reached: 1 }]);
  assert.deepEqual(await bob.line({ event: "message" }), { ...came, message: 2, scope: "broadcast", text: "hello" });

  const visitor = await tukarJson(["msg", "bob", "just passing", ...network.visitor("cyd")]);
  assert.equal(visitor.lines[0]?.["event"], "delivered", visitor.stderr);
  assert.equal((await bob.line({ event: "message" }))["text"], "just passing");

  const { stdout } = await tukar(["history", "bob", ...by(ada)]);
  assert.match(stdout, /ada: are you there\?\n$/);
  assert.match((await tukar(["history", "--room", ...by(bob)])).stdout, /ada: hello\n$/);
});

test(
  "what is said to somebody who is offline is kept through kill -9 of the sender, and arrives",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const [ada, bob] = [await network.peer("ada", {}), await network.peer("bob", {})];
    await tukar(["msg", "bob", "one", ...by(ada)]);
    await bob.end();
    await ada.line({ event: "peer-left" });
    const kept = await tukar(["msg", "bob", "two", ...by(ada)]);
    assert.deepEqual([kept.status, kept.stderr], [0, "bob is not online: kept as message 2 until they come\n"]);
    await ada.end("SIGKILL");
    assert.match((await tukar(["msg", "--waiting", ...by(ada)])).stdout, /^2 .* to bob: two\n$/);
    const bobAgain = await startAgain(bob);
    const adaAgain = await startAgain(ada);
    assert.equal((await bobAgain.line({ event: "message" }))["text"], "two");
    await Promise.all([adaAgain.end(), bobAgain.end()]);
  },
);

test("a stranger's text can do nothing to the terminal of the one who reads it", TIMEOUT, async () => {
  await using network = await startNetwork();
  const [ada, bob] = [await network.peer("ada", {}), await network.peer("bob", {})];
  await tukar(["broadcast", "\u001b[2J\u202egnp.exe\ntwo", ...by(ada)]);
  await bob.line({ event: "message" });
  const { stdout } = await tukar(["history", "--room", ...by(bob)]);
  assert.match(stdout, /ada: \ufffd\[2J\ufffdgnp\.exe\n {4}two\n$/);
});

test("in the room a plain line goes to everybody, and a slash begins a command", TIMEOUT, async () => {
  await using network = await startNetwork();
  const [ada, bob] = [await network.peer("ada", {}), await network.peer("bob", {})];
  const input = "it's \"you\" -- all\n/msg bob only 'you'\n/peers\n/quit\nnever said\n";
  const { status, stdout, stderr } = await tukar(["chat", ...by(ada)], { input });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /ada \(you\)[\s\S]*bob/);
  assert.equal((await bob.line({ event: "message", scope: "broadcast" }))["text"], 'it\'s "you" -- all');
  assert.equal((await bob.line({ event: "message", scope: "direct" }))["text"], "only 'you'");
});

test("with no index server anywhere peers list, search, fetch, send and talk", TIMEOUT, async () => {
  await using mesh = await startMesh();
  const ada = await mesh.peer("ada", [], { "songs/one.txt": "la la" });
  const bob = await mesh.peer("bob", ["--connect", ada.at, "--accept", "all"]);
  const cyd = await mesh.peer("cyd", ["--connect", bob.at], { "songs/two.txt": "la la" });
  for (const [one, other] of [
    [ada, "cyd"],
    [bob, "cyd"],
    [cyd, "ada"],
  ] as const)
    await one.line({ event: "peer-joined", name: other });

  const peers = await tukarJson(["peers", ...by(cyd)]);
  assert.deepEqual(peers.lines.map(({ name, files, self }) => [name, files, self]).toSorted(), [
    ["ada", 1, false],
    ["bob", 0, false],
    ["cyd", 1, true],
  ]);
  assert.equal((await tukarJson(["ls", "ada", "songs", ...by(cyd)])).lines[0]?.["path"], "songs/one.txt");
  const found = await tukarJson(["search", "songs", ...by(bob)]);
  assert.deepEqual(
    found.lines.map(({ sources }) => sources),
    [2],
  );
  const content = String(found.lines[0]?.["content"]);
  assert.equal((await tukarJson(["get", content, ...by(bob)])).lines.at(-1)?.["event"], "done");
  const sent = await tukarJson(["send", "bob", path.join(ada.dir, "shared/songs/one.txt"), ...by(ada)]);
  assert.equal(sent.lines.at(-1)?.["event"], "delivered", sent.stderr);
  await tukar(["msg", "cyd", "hello", ...by(ada)]);
  assert.equal((await cyd.line({ event: "message", scope: "direct" }))["text"], "hello");
  await tukar(["broadcast", "all", ...by(cyd)]);
  for (const one of [ada, bob]) assert.equal((await one.line({ event: "message", scope: "broadcast" }))["text"], "all");
});

test("when the one between two others is killed they are linked anew, and it is gone from both", TIMEOUT, async () => {
  await using mesh = await startMesh();
  const ada = await mesh.peer("ada");
  const bob = await mesh.peer("bob", ["--connect", ada.at]);
  const cyd = await mesh.peer("cyd", ["--connect", bob.at]);
  await ada.line({ event: "peer-joined", name: "cyd" });
  await bob.end("SIGKILL");
  for (const one of [ada, cyd]) await one.line({ event: "peer-left", name: "bob" });
  const { lines } = await tukarJson(["msg", "cyd", "still here", ...by(ada)]);
  assert.equal(lines[0]?.["event"], "delivered");
  const info = await tukarJson(["info", ...by(ada)]);
  assert.deepEqual(info.lines[0]?.["mesh"], { peers: 1, neighbours: 1, private: false });
});

test("a private mesh is joined by its invite alone", TIMEOUT, async () => {
  await using mesh = await startMesh();
  const ada = await mesh.peer("ada", ["--private"]);
  const invite = String(ada.ready["invite"]);
  assert.match(invite, new RegExp(`^tukar://${ada.at}/${ada.ready["id"]}\\?key=`));
  const bob = await mesh.peer("bob", ["--connect", invite]);
  await ada.line({ event: "peer-joined", name: "bob" });
  await bob.line({ event: "peer-joined", name: "ada" });
  const stranger = await mesh.peer("stranger");
  const refused = await tukar(["connect", ada.at, ...by(stranger)]);
  assert.deepEqual([refused.status, /private/.test(refused.stderr)], [6, true]);
});

test("a peer with an index server and with neighbours passes on what is said on either side", TIMEOUT, async () => {
  await using network = await startNetwork(["--open"]);
  await using mesh = await startMesh();
  const inside = await network.peer("inside", {});
  const outside = await mesh.peer("outside");
  const both = await network.peer("both", {}, ["--connect", outside.at, "--no-discovery"]);
  await outside.line({ event: "peer-joined", name: "both" });
  await tukar(["broadcast", "from inside", ...by(inside)]);
  assert.equal((await outside.line({ event: "message" }))["text"], "from inside");
  await tukar(["broadcast", "from outside", ...by(outside)]);
  assert.equal((await inside.line({ event: "message" }))["text"], "from outside");
  const heard = await tukarJson(["history", "--room", ...by(both)]);
  assert.deepEqual(
    heard.lines.map(({ text }) => text),
    ["from inside", "from outside"],
  );
});
