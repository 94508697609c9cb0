import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { hashFiles } from "../../../src/cli/commands/hash.ts";
import { startHashing } from "../../../src/content/hashing.ts";
import { memoryOutput } from "../memory-output.ts";

async function sample(t: TestContext, json: boolean) {
  const cwd = await mkdtemp(path.join(tmpdir(), "tukar-hash-"));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(path.join(cwd, "a"), "same");
  await writeFile(path.join(cwd, "b"), "same");
  const memory = memoryOutput({ json });
  const engines = { startHashing: async () => startHashing({ threads: 1 }) };
  return { ...memory, context: { engines, output: memory.output, cwd, signal: new AbortController().signal } };
}

test("files of the same bytes have the same content id", { timeout: 20_000 }, async (t) => {
  const { context, output, out } = await sample(t, false);
  assert.equal(await hashFiles(context, ["a", "b"]), undefined);
  output.flush();
  const [first = "", second = ""] = out.lines();
  assert.match(first, /^b3-[0-9a-f]{64} {2}a$/);
  assert.equal(second, first.replace(/a$/, "b"));
});

test("hash --json tells the size too, and a file that is not there stops no other", { timeout: 20_000 }, async (t) => {
  const { context, output, out, err } = await sample(t, true);
  assert.equal(await hashFiles(context, ["none", "a"]), "no-such-file");
  output.flush();
  const { path: hashed, size, content } = JSON.parse(out.text());
  assert.deepEqual([hashed, size, content.length], ["a", 4, 67]);
  assert.match(JSON.parse(err.text()).message, /no file ".*none"/);
});
