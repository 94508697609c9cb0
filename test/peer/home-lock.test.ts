import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { lockHome } from "../../src/peer/home-lock.ts";
import { failureWith } from "../support/failure-with.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("one peer at a time has a home, and the next one after it", async (t) => {
  const home = path.join(await tempFolder(t), "made", "anew");
  const lock = await lockHome(home);
  await assert.rejects(
    lockHome(home),
    failureWith(
      "home-in-use",
      /A peer is already running under ".*anew": use it, stop it, or choose another folder with --home/,
    ),
  );
  lock.release();
  (await lockHome(home)).release();
});

test("of many who start at once one gets the home", async (t) => {
  const home = await tempFolder(t);
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockHome(home)));
  const won = tries.filter((one) => one.status === "fulfilled");
  assert.equal(won.length, 1);
  for (const { value } of won) value.release();
});

test("another process that is killed leaves no lock behind", { timeout: 20_000 }, async (t) => {
  const home = await tempFolder(t);
  const lockModule = new URL("../../src/peer/home-lock.ts", import.meta.url).href;
  const script = `const { lockHome } = await import(${JSON.stringify(lockModule)}); await lockHome(${JSON.stringify(home)}); console.log("locked"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await assert.rejects(lockHome(home), failureWith("home-in-use"));
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  (await lockHome(home)).release();
});

test("a home below a file is refused", async (t) => {
  const folder = await tempFolder(t);
  await writeFile(path.join(folder, "file"), "");
  await assert.rejects(lockHome(path.join(folder, "file", "home")), failureWith("home-unusable", /--home$/));
  await assert.rejects(lockHome(path.join(folder, "file")), failureWith("home-unusable"));
});

test("a damaged lock file is refused and says so", async (t) => {
  const home = await tempFolder(t);
  await writeFile(path.join(home, "lock.sqlite"), "no database ".repeat(100));
  await assert.rejects(lockHome(home), failureWith("home-unusable", /not a database/));
});
