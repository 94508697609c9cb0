import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { lockRunner } from "../../../../src/peer/downloads/queue/runner-lock.ts";
import { tempFolder } from "../../../support/temp-folder.ts";

test("a process is alive to others until it lets go", async (t) => {
  const folder = path.join(await tempFolder(t), "runners");
  const [one, other] = [lockRunner(folder), lockRunner(folder)];
  assert.deepEqual([one.isAlive(one.name), one.isAlive(other.name), other.isAlive(one.name)], [true, true, true]);
  one.release();
  assert.equal(other.isAlive(one.name), false);
  other.release();
  assert.deepEqual(readdirSync(folder), []);
});

test("a process that was killed is dead to others, and its lock is cleared away", { timeout: 60_000 }, async (t) => {
  const folder = path.join(await tempFolder(t), "runners");
  const module = pathToFileURL(
    path.resolve(import.meta.dirname, "../../../../src/peer/downloads/queue/runner-lock.ts"),
  );
  const code = `import { lockRunner } from ${JSON.stringify(module.href)};
    const lock = lockRunner(${JSON.stringify(folder)});
    console.log(lock.name);
    setInterval(() => lock, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [name] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const lock = lockRunner(folder);
  t.after(() => lock.release());
  assert.equal(lock.isAlive(name), true);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(lock.isAlive(name), false);
  assert.deepEqual(readdirSync(folder), [`${lock.name}.sqlite`]);
});
