import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startAgain, startNetwork, type TestNetwork } from "./network.ts";
import { startTukar, tukar, tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };

async function noteIn({ folder }: TestNetwork): Promise<string> {
  const note = path.join(folder, "note.txt");
  await writeFile(note, "text");
  return note;
}

test("who stops sending takes back what was not accepted", TIMEOUT, async () => {
  await using network = await startNetwork();
  const note = await noteIn(network);
  const bob = await network.peer("bob", {});
  const send = startTukar(["send", "bob", note, ...network.visitor("alice")]);
  const { offer } = await bob.line({ event: "offer" });
  assert.equal((await send.end("SIGINT")).status, 130);
  const { lines } = await tukarJson(["offers", "--all", "--home", bob.home]);
  assert.equal(lines[0]?.["state"], "withdrawn");
  const late = await tukar(["accept", String(offer), "--home", bob.home]);
  assert.equal(late.status, 0);
  assert.match(late.stderr, /was answered before/);
});

test("a send that is cancelled while its peer does not run is taken back when that runs again", TIMEOUT, async (t) => {
  await using network = await startNetwork();
  const note = await noteIn(network);
  const bob = await network.peer("bob", {});
  const alice = await network.peer("alice", {});
  const send = startTukar(["send", "bob", note, "--wait", "--home", alice.home]);
  t.after(() => send.end("SIGKILL"));
  await bob.line({ event: "offer" });
  await alice.end();
  const cancelled = await tukarJson(["sends", "cancel", "all", "--home", alice.home]);
  assert.equal(cancelled.status, 0, cancelled.stderr);
  assert.deepEqual(cancelled.lines, [{ event: "cancel", send: 1 }]);
  const offers = async (): Promise<unknown> =>
    (await tukarJson(["offers", "--all", "--home", bob.home])).lines[0]?.["state"];
  assert.equal(await offers(), "open");

  const again = await startAgain(alice);
  t.after(() => again.end("SIGKILL"));
  while ((await offers()) === "open");
  assert.equal(await offers(), "withdrawn");
});
