import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { expandPatterns } from "../../src/cli/expand-patterns.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tukar-patterns-"));
  for (const name of ["b.txt", "a.txt", "c.bin", "[1].txt"]) await writeFile(path.join(folder, name), "");
});
after(() => rm(folder, { recursive: true, force: true }));

const CASES = [
  { args: ["c.bin", "a.txt"], gives: ["c.bin", "a.txt"], because: "plain names keep their order" },
  { args: ["*.txt"], gives: ["[1].txt", "a.txt", "b.txt"], because: "a pattern becomes what matches" },
  { args: ["[1].txt"], gives: ["[1].txt"], because: "an existing file is meant as it stands" },
  { args: ["*.iso"], gives: ["*.iso"], because: "a pattern without a match stays to be reported" },
  { args: ["{a,b}.txt", "c.bin"], gives: ["a.txt", "b.txt", "c.bin"], because: "braces list alternatives" },
] as const;

for (const { args, gives, because } of CASES) {
  test(`${args.join(" ")} means ${gives.join(" ")}: ${because}`, async () => {
    assert.deepEqual(await expandPatterns(args, folder), gives);
  });
}
