import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startNetwork } from "./network.ts";
import { type Line, startTukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 110_000 };
const MIB = 1024 * 1024;
/** Slow enough for something to happen meanwhile. */
const SLOW = ["--up-limit", "16MiB"];

test(
  "a download goes on from another peer when the one that was asked is killed in the middle of it",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const bytes = randomBytes(48 * MIB);
    const bob = await network.peer("bob", { "big.bin": bytes }, SLOW);
    await network.peer("alice", { "of another name.bin": bytes }, SLOW);

    const get = startTukar(["get", "bob", "big.bin", ...network.visitor("carol")]);
    for (let line: Line = {}; !(Number(line["bytes"]) > 0); ) line = await get.line({ event: "progress" });
    await bob.end("SIGKILL");
    const done = await get.line({ event: "done" });
    assert.ok(Number(done["sources"]) >= 1);
    assert.ok((await readFile(String(done["saved"]))).equals(bytes));
  },
);

test("a download that is killed twenty times loses no verified block, and comes whole", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(96 * MIB);
  await network.peer("bob", { "big.bin": bytes }, ["--up-limit", "8MiB"]);
  const args = ["get", "bob", "big.bin", ...network.visitor("carol")];
  const received = path.join(network.folder, "carol", "received");

  let told = 0;
  for (let times = 0; times < 20; times += 1) {
    const get = startTukar(args);
    let at = Number((await get.line({ event: "progress" }))["bytes"]);
    assert.ok(at >= told, `${told} bytes were verified before, ${at} after`);
    // Killed as soon as it is further than it was, but for some that have only just begun.
    const until = times % 4 === 3 ? at : at + 1;
    while (at < until) at = Number((await get.line({ event: "progress" }))["bytes"]);
    await get.end("SIGKILL");
    told = at;
    assert.ok(!existsSync(path.join(received, "big.bin")), "there is more to fetch");
  }

  const last = await tukarJson(args);
  assert.equal(last.status, 0, last.stderr);
  assert.ok(Number(last.lines[0]?.["bytes"]) >= told);
  assert.ok((await readFile(path.join(received, "big.bin"))).equals(bytes));
  assert.deepEqual(await readdir(path.join(received, ".tukar")), []);
});

test(
  "peers that fetch the same file at the same time are sources of each other, and it comes whole to all",
  TIMEOUT,
  async () => {
    await using network = await startNetwork();
    const bytes = randomBytes(24 * MIB);
    await network.peer("bob", { "big.bin": bytes }, ["--up-limit", "4MiB"]);
    const peers = [];
    for (const name of ["carol", "dave", "eve"]) peers.push(await network.peer(name, {}));
    const gets = await Promise.all(peers.map(({ home }) => tukarJson(["get", "bob", "big.bin", "--home", home])));
    for (const [at, { status, stderr, lines }] of gets.entries()) {
      assert.equal(status, 0, stderr);
      const saved = path.join(peers[at]?.dir ?? "", "received", "big.bin");
      assert.ok((await readFile(saved)).equals(bytes));
      assert.ok(Number(lines.at(-1)?.["sources"]) > 1, JSON.stringify(lines.at(-1)));
    }
  },
);
