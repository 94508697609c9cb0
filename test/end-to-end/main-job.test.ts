import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startNetwork, writeFiles } from "./network.ts";
import { tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 60_000 };

const AWKWARD_FILES: Readonly<Record<string, Uint8Array>> = {
  "plain.txt": Buffer.from("hello\n"),
  empty: new Uint8Array(),
  "with blank.txt": randomBytes(100),
  'it\'s "quoted".txt': randomBytes(100),
  "emoji 😀🎉.bin": randomBytes(5000),
  "שלום עולם.txt": randomBytes(100),
  [`${"n".repeat(196)}.txt`]: randomBytes(100),
  "100%25 #hash?&x=1+2;a.txt": randomBytes(100),
  "-starts-with-dash": randomBytes(10),
  "deep/er/est/one.bin": randomBytes(1024 * 1024),
  "deep/er/one-block-and-a-byte.bin": randomBytes(1024 * 1024 + 1),
  "deep/several.blocks": randomBytes(3 * 1024 * 1024 + 12_345),
};

test("peers sees who is online, ls what they share, and get brings every byte of it", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", AWKWARD_FILES);
  const alice = await network.peer("alice", { "hers.txt": "alice's" });
  const visitor = network.visitor("carol");

  const peers = await tukarJson(["peers", ...visitor]);
  assert.equal(peers.status, 0, peers.stderr);
  const totalBytes = Object.values(AWKWARD_FILES).reduce((sum, bytes) => sum + bytes.length, 0);
  assert.deepEqual(
    peers.lines.find((line) => line["name"] === "bob"),
    {
      id: bob.ready["id"],
      name: "bob",
      host: "127.0.0.1",
      port: bob.ready["port"],
      files: Object.keys(AWKWARD_FILES).length,
      bytes: totalBytes,
      reachable: true,
      self: false,
    },
  );
  assert.notEqual(bob.ready["port"], alice.ready["port"]);

  const listed = await tukarJson(["ls", "bob", "-r", ...visitor]);
  assert.equal(listed.status, 0, listed.stderr);
  assert.deepEqual(listed.lines.map((line) => line["path"]).sort(), Object.keys(AWKWARD_FILES).sort());

  const names = Object.keys(AWKWARD_FILES);
  const got = await tukarJson(["get", "bob", ...visitor, "-o", `${network.folder}/got/`, "--", ...names]);
  assert.equal(got.status, 0, got.stderr);
  for (const [name, bytes] of Object.entries(AWKWARD_FILES)) {
    const saved = await readFile(path.join(network.folder, "got", path.basename(name)));
    assert.ok(saved.equals(bytes), `${name} differs`);
    const done = got.lines.find((line) => line["event"] === "done" && line["path"] === name);
    assert.match(String(done?.["content"]), /^b3-[0-9a-f]{64}$/);
    assert.equal(done?.["bytes"], bytes.length);
    assert.equal(done?.["sources"], 1);
  }
});

test("get -r brings a folder with the names, bytes and times that it has there", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bob = await network.peer("bob", AWKWARD_FILES);
  const got = await tukarJson(["get", "bob", "deep", "-r", ...network.visitor("carol")]);
  assert.equal(got.status, 0, got.stderr);
  for (const name of Object.keys(AWKWARD_FILES).filter((name) => name.startsWith("deep/"))) {
    const [from, to] = [path.join(bob.dir, "shared", name), path.join(network.folder, "carol", "received", name)];
    assert.ok((await readFile(to)).equals(await readFile(from)), `${name} differs`);
    assert.equal(Math.floor((await stat(to)).mtimeMs), Math.floor((await stat(from)).mtimeMs));
  }
});

test("a second get skips what is there already, and other content of that name gets a number", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "a.txt": "from bob" });
  await network.peer("dave", { "a.txt": "from dave" });
  const visitor = network.visitor("carol");
  const received = path.join(network.folder, "carol", "received");

  assert.equal((await tukar(["get", "bob", "a.txt", ...visitor])).status, 0);
  const again = await tukarJson(["get", "bob", "a.txt", ...visitor]);
  assert.equal(again.status, 0, again.stderr);
  assert.deepEqual(again.lines, [
    { event: "skipped", path: "a.txt", saved: path.join(received, "a.txt"), reason: "already there" },
  ]);

  const other = await tukarJson(["get", "dave", "a.txt", ...visitor]);
  assert.equal(other.lines.at(-1)?.["saved"], path.join(received, "a (2).txt"));
  assert.equal(await readFile(path.join(received, "a (2).txt"), "utf8"), "from dave");
  assert.equal(await readFile(path.join(received, "a.txt"), "utf8"), "from bob");
  assert.equal((await tukarJson(["get", "dave", "a.txt", ...visitor])).lines.at(-1)?.["event"], "skipped");
});

test("-o names the file, or the folder if it is one or ends with a slash", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "a.txt": "A", "b.txt": "B" });
  const visitor = network.visitor("carol");
  const out = path.join(network.folder, "out");
  await mkdir(path.join(out, "there"), { recursive: true });

  for (const [names, output, saved] of [
    [["a.txt"], "renamed.md", ["renamed.md"]],
    [["a.txt"], "there", ["there/a.txt"]],
    [["a.txt"], "new/", ["new/a.txt"]],
    [["a.txt", "b.txt"], "both", ["both/a.txt", "both/b.txt"]],
  ] as const) {
    const got = await tukar(["get", "bob", ...names, "-o", output, ...visitor], { cwd: out });
    assert.equal(got.status, 0, got.stderr);
    for (const file of saved) assert.match(await readFile(path.join(out, file), "utf8"), /^[AB]$/);
  }
  assert.deepEqual((await readdir(out)).sort(), ["both", "new", "renamed.md", "there"]);
  assert.deepEqual(await readdir(path.join(out, "both")), ["a.txt", "b.txt"], "part files are gone");
});

test(
  "the manifest and further folders are shared too, and a wrong line is told without stopping the others",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const extra = path.join(network.folder, "music");
    await writeFiles(extra, { "a.mp3": "not really" });
    const dir = path.join(network.folder, "bob-dir");
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(network.folder, "far.txt"), "far away");
    await writeFile(path.join(dir, "shares.txt"), `# what I offer\n"from afar.txt" ../far.txt\n../evil ../far.txt\n`);
    const bob = await network.peer("bob", { "own.txt": "own" }, ["--share", extra]);

    const problem = await bob.line({ event: "problem" });
    assert.match(String(problem["message"]), /line 3/);
    const listed = await tukarJson(["ls", "bob", "-r", ...network.visitor("carol")]);
    assert.deepEqual(listed.lines.map((line) => line["path"]).sort(), ["from afar.txt", "music/a.mp3", "own.txt"]);
  },
);

test("commands go through the running peer of their home", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "a.txt": "A" });
  const alice = await network.peer("alice", {});
  const peers = await tukarJson(["peers", "--home", alice.home]);
  assert.equal(peers.lines.find((line) => line["self"] === true)?.["name"], "alice");
  const got = await tukarJson(["get", "bob", "a.txt", "--home", alice.home]);
  assert.equal(got.status, 0, got.stderr);
  assert.equal(await readFile(path.join(alice.dir, "received", "a.txt"), "utf8"), "A");
  const info = await tukarJson(["info", "--home", alice.home]);
  assert.equal(info.lines[0]?.["role"], "peer");
});

const FAILING = [
  { args: ["ls", "nobody"], status: 3, says: /No peer "nobody" is online/ },
  { args: ["get", "bob", "nothing.txt"], status: 3, says: /No such file/ },
  { args: ["get", "bob", "sub"], status: 2, says: /-r/ },
  { args: ["get", "bob", "../../etc/passwd"], status: 3, says: /No such file/ },
  { args: ["ls", "bob", "nowhere"], status: 3, says: /No such file/ },
  { args: ["get", "bob"], status: 2, says: /missing required argument/i },
  { args: ["ls", "--no-such-option", "bob"], status: 2, says: /unknown option/i },
] as const;

test("what cannot be done is said in one line with the documented exit status", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  await network.peer("bob", { "sub/a.txt": "A" });
  for (const { args, status, says } of FAILING) {
    await t.test(`tukar ${args.join(" ")} exits ${status}`, async () => {
      const plain = await tukar([...args, ...network.visitor("carol")]);
      assert.equal(plain.status, status, plain.stderr);
      assert.match(plain.stderr, says);
      assert.equal(plain.stdout, "");
      const json = await tukarJson([...args, ...network.visitor("carol")]);
      assert.equal(json.status, status);
      const error = JSON.parse(json.stderr.trim().split("\n").at(-1) ?? "");
      assert.equal(error.event, "error");
      assert.match(error.message, says);
    });
  }
});

test("a file name that several files bear is an error that lists them", TIMEOUT, async () => {
  await using network = await startNetwork();
  await network.peer("bob", { "x/same.txt": "1", "y/same.txt": "2", "z/unique.txt": "3" });
  const ambiguous = await tukar(["get", "bob", "same.txt", ...network.visitor("carol")]);
  assert.equal(ambiguous.status, 3);
  assert.match(ambiguous.stderr, /x\/same\.txt.*y\/same\.txt/);
  assert.equal((await tukar(["get", "bob", "unique.txt", ...network.visitor("carol")])).status, 0);
});
