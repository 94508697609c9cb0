import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { blocksAsked } from "../peer/downloads/scripted-peer.ts";
import { contentKnown, startAgain, startNetwork } from "./network.ts";
import { scriptedSource } from "./scripted-source.ts";
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

test(
  "a download that is killed at twenty moments fetches no verified block again, and comes whole",
  TIMEOUT,
  async (t) => {
    await using network = await startNetwork();
    const bytes = randomBytes(64 * MIB);
    const args = ["get", "liar", "liars.bin", ...network.visitor("carol")];
    const received = path.join(network.folder, "carol", "received");
    /** What the source sends before it falls silent: then the download is killed, whatever it is doing. */
    let life = { bytes: 0, silent: Promise.withResolvers<void>() };
    const { asked } = await scriptedSource(t, network.invite, bytes, {
      answer(response, { first, last }) {
        const [now, length] = [life, last - first + 1];
        if (length <= now.bytes) {
          now.bytes -= length;
          return false;
        }
        const part = bytes.subarray(first, first + now.bytes);
        now.bytes = 0;
        response.on("error", () => undefined);
        response.writeHead(206, {
          "content-length": length,
          "content-range": `bytes ${first}-${last}/${bytes.length}`,
        });
        response.flushHeaders();
        response.write(part, () => now.silent.resolve());
        return true;
      },
    });

    const budgets = fc.sample(fc.integer({ min: 1, max: 5 * MIB }), { seed: 20, numRuns: 20 });
    for (const [times, budget] of [...budgets, Number.POSITIVE_INFINITY].entries()) {
      const verified = await journaled(path.join(received, ".tukar"));
      const before = asked.length;
      life = { bytes: budget, silent: Promise.withResolvers() };
      const get = startTukar(args);
      if (times === budgets.length) assert.equal((await get.line({ event: "done" }))["bytes"], bytes.length);
      else await life.silent.promise;
      await get.end("SIGKILL");
      const again = blocksAsked(asked.slice(before)).filter((index) => verified.has(index));
      assert.deepEqual(again, [], `after kill ${times}, at ${budgets.slice(0, times)}`);
    }
    assert.ok((await readFile(path.join(received, "liars.bin"))).equals(bytes));
    assert.deepEqual(await readdir(path.join(received, ".tukar")), []);
  },
);

/** The blocks that journals in a folder name as verified. */
async function journaled(folder: string): Promise<ReadonlySet<number>> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  const verified = new Set<number>();
  for (const name of names.filter((name) => name.endsWith(".blocks"))) {
    const entries = await readFile(path.join(folder, name));
    for (let at = 0; at + 4 <= entries.length; at += 4) verified.add(entries.readUInt32LE(at));
  }
  return verified;
}

test("a download whose sources are all gone goes on when they are back", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bytes = randomBytes(32 * MIB);
  const bob = await network.peer("bob", { "big.bin": bytes }, SLOW);
  const ada = await network.peer("ada", { "of another name.bin": bytes }, SLOW);
  await contentKnown("another", network.visitor("carol"));

  const get = startTukar(["get", "bob", "big.bin", ...network.visitor("carol")]);
  t.after(() => get.end("SIGKILL"));
  for (let line: Line = {}; !(Number(line["bytes"]) > 0); ) line = await get.line({ event: "progress" });
  await Promise.all([bob, ada].map((peer) => peer.end("SIGKILL")));
  for (const again of await Promise.all([bob, ada].map(startAgain))) t.after(() => again.end("SIGKILL"));
  const done = await get.line({ event: "done" });
  assert.ok((await readFile(String(done["saved"]))).equals(bytes));
});

test("a swarm does not notice that the index server is gone", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const bytes = randomBytes(24 * MIB);
  await network.peer("bob", { "big.bin": bytes }, ["--up-limit", "4MiB"]);
  const peers = [await network.peer("carol", {}), await network.peer("dave", {})];
  const gets = peers.map(({ home }) => startTukar(["get", "bob", "big.bin", "--home", home]));
  for (const get of gets) {
    t.after(() => get.end("SIGKILL"));
    for (let line: Line = {}; !(Number(line["bytes"]) > 0); ) line = await get.line({ event: "progress" });
  }
  await network.index.end("SIGKILL");
  for (const done of await Promise.all(gets.map((get) => get.line({ event: "done" })))) {
    assert.ok((await readFile(String(done["saved"]))).equals(bytes));
    assert.ok(Number(done["sources"]) > 1, JSON.stringify(done));
  }
});

test("one content under two names, fetched under both at the same time, comes under both", TIMEOUT, async () => {
  await using network = await startNetwork();
  const bytes = randomBytes(16 * MIB);
  await network.peer("bob", { "one.bin": bytes, "other.bin": bytes });
  const carol = await network.peer("carol", {});
  const names = ["one.bin", "other.bin"];
  const gets = await Promise.all(names.map((name) => tukarJson(["get", "bob", name, "--home", carol.home])));
  for (const [at, { status, stderr }] of gets.entries()) {
    assert.equal(status, 0, stderr);
    assert.ok((await readFile(path.join(carol.dir, "received", names[at] ?? ""))).equals(bytes));
  }
  assert.deepEqual(await readdir(path.join(carol.dir, "received", ".tukar")), []);
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
