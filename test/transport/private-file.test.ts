import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { createPrivateFile, readPrivateFile, writePrivateFile } from "../../src/transport/private-file.ts";
import { failureWith } from "../support/failure-with.ts";
import { tempFolder } from "../support/temp-folder.ts";

const onWindows = process.platform === "win32";

test("a file that is not there reads as nothing", async (t) => {
  assert.equal(await readPrivateFile(path.join(await tempFolder(t), "a", "b")), undefined);
});

test("writing replaces the text and tightens the mode", async (t) => {
  const folder = await tempFolder(t);
  const file = path.join(folder, "secret");
  await writeFile(file, "before", { mode: 0o644 });
  await writePrivateFile(file, "after");
  assert.equal(await readFile(file, "utf8"), "after");
  if (!onWindows) assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ["secret"]);
});

test("many who write one file at once leave one whole text and no remains", async (t) => {
  const folder = await tempFolder(t);
  const file = path.join(folder, "secret");
  const texts = Array.from({ length: 16 }, (_, index) => String(index).repeat(10_000));
  await Promise.all(texts.map((text) => writePrivateFile(file, text)));
  assert.ok(texts.includes(await readFile(file, "utf8")));
  assert.deepEqual(await readdir(folder), ["secret"]);
});

test("a file that was created first stays", async (t) => {
  const folder = await tempFolder(t);
  const file = path.join(folder, "new", "secret");
  assert.equal(await createPrivateFile(file, "first"), "first");
  assert.equal(await createPrivateFile(file, "second"), "first");
  assert.deepEqual(await readdir(path.dirname(file)), ["secret"]);
  if (!onWindows) assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("a file that cannot be replaced is a failure that leaves no remains", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(path.join(folder, "secret", "inside"), { recursive: true });
  await assert.rejects(
    writePrivateFile(path.join(folder, "secret"), "text"),
    failureWith("home-unusable", /Cannot write/),
  );
  assert.deepEqual(await readdir(folder), ["secret"]);
});

test("a folder that cannot be made is a failure", async (t) => {
  const folder = await tempFolder(t);
  await writeFile(path.join(folder, "file"), "");
  await assert.rejects(
    writePrivateFile(path.join(folder, "file", "deep", "secret"), "text"),
    failureWith("home-unusable", /ENOTDIR|EEXIST/),
  );
});
