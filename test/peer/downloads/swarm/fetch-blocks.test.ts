import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { createIdentity } from "../../../../src/transport/identity.ts";
import { serveShare } from "../../serving/served-share.ts";
import { startScriptedPeer } from "../scripted-peer.ts";
import { startFetcher } from "./crowd.ts";

const MIB = 1024 * 1024;
const TIMEOUT = { timeout: 60_000 };

test("two sources share the work, and are both counted", TIMEOUT, async (t) => {
  const bytes = randomBytes(40 * MIB + 7);
  await using first = await startScriptedPeer(await createIdentity(), bytes);
  await using second = await startScriptedPeer(await createIdentity(), bytes);
  const carol = await startFetcher(t, { name: "carol", sources: [second.known] });
  const events = await carol.fetch(first.known);
  const last = events.at(-1);
  assert.equal(last?.event, "done", JSON.stringify(last));
  assert.ok((await readFile(path.join(carol.received, "file.bin"))).equals(bytes));
  assert.equal(last?.event === "done" && last.sources, 2);
});

test("those that fetch the same file at the same time give each other what they have", TIMEOUT, async (t) => {
  const bytes = randomBytes(32 * MIB);
  const seeder = await serveShare(t, { files: { "file.bin": bytes }, isMember: async () => true });
  const from = { ...seeder.known, hosts: ["127.0.0.1"] };
  const names = ["carol", "dave", "eve", "fred"];
  const crowd = await Promise.all(names.map((name) => startFetcher(t, { name })));
  const all = await Promise.all(crowd.map((fetcher) => fetcher.fetch(from)));
  for (const [at, events] of all.entries()) {
    const last = events.at(-1);
    assert.equal(last?.event, "done", JSON.stringify(events));
    assert.ok((await readFile(path.join(crowd[at]?.received ?? "", "file.bin"))).equals(bytes));
  }
  console.log(
    all.map((e) => JSON.stringify(e.at(-1))),
    crowd.map((c) => c.asked.length),
  );
});
