import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { HISTORY_LINES, openHistory } from "../../../src/cli/shell/history.ts";

async function tempHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), "tukar-history-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  return home;
}

test("what was typed is there the next time, newest first, for the owner alone", async (t) => {
  const home = await tempHome(t);
  const first = await openHistory(home);
  assert.deepEqual(first.lines, []);
  await first.add("ls bob");
  await first.add("peers");
  assert.deepEqual((await openHistory(home)).lines, ["peers", "ls bob"]);
  if (process.platform !== "win32") assert.equal((await stat(path.join(home, "shell-history"))).mode & 0o777, 0o600);
});

test("the oldest lines are forgotten", async (t) => {
  const home = await tempHome(t);
  const typed = Array.from({ length: 2 * HISTORY_LINES + 1 }, (_, at) => `line ${at}`);
  await writeFile(path.join(home, "shell-history"), `${typed.join("\n")}\n`);
  const { lines } = await openHistory(home);
  assert.equal(lines.length, HISTORY_LINES);
  assert.equal(lines[0], typed.at(-1));
  const kept = (await readFile(path.join(home, "shell-history"), "utf8")).trimEnd().split("\n");
  assert.deepEqual(kept, typed.slice(-HISTORY_LINES));
});
