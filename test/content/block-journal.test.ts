import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { openBlockJournal } from "../../src/content/block-journal.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tukar-journal-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("a journal names what was added by all who had it open, in order", { timeout: 30_000 }, async () => {
  let files = 0;
  const sessions = fc.array(fc.array(fc.nat(2 ** 32 - 1), { maxLength: 50 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(sessions, async (added) => {
      files += 1;
      const file = path.join(folder, String(files));
      for (const indexes of added) {
        const journal = await openBlockJournal(file);
        for (const index of indexes) journal.add(index);
        await journal.close();
      }
      const journal = await openBlockJournal(file);
      await journal.close();
      assert.deepEqual(journal.named, added.flat());
    }),
    { numRuns: 30 },
  );
});

test("an entry that was cut off is written over", async () => {
  const file = path.join(folder, "cut");
  await writeFile(file, Buffer.from([1, 0, 0, 0, 2, 0]));
  const journal = await openBlockJournal(file);
  assert.deepEqual(journal.named, [1]);
  journal.add(3);
  await journal.close();
  const again = await openBlockJournal(file);
  await again.close();
  assert.deepEqual(again.named, [1, 3]);
});
