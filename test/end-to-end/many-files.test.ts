import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startNetwork } from "./network.ts";
import { tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 110_000 };
const MADE_FILES = 2000;
/** Real files of every kind, where there are some. */
const REAL_FOLDER = "/usr/share/doc";

/** Regular files below a folder that can be shared: links and hidden ones are left out. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).some((part) => part.startsWith(".")))
    .sort();
}

/** Makes folders within folders of files from nothing to some blocks, with links of each kind among them. */
async function makeFiles(folder: string): Promise<void> {
  for (let made = 0; made < MADE_FILES; made += 1) {
    const below = path.join(folder, `a${made % 7}`, `b${made % 31}`);
    await mkdir(below, { recursive: true });
    const size = made % 500 === 0 ? 1024 * 1024 + randomInt(1024 * 1024) : randomInt(10_000);
    await writeFile(path.join(below, `file ${made}.bin`), randomBytes(size));
  }
  if (process.platform === "win32") return;
  await symlink("/etc/passwd", path.join(folder, "way-out"));
  await symlink("nowhere", path.join(folder, "dangling"));
  await symlink(".", path.join(folder, "circle"));
}

test("a share with thousands of files is fetched file by file as it is", TIMEOUT, async () => {
  await using network = await startNetwork();
  const real = existsSync(REAL_FOLDER) && (await filesBelow(REAL_FOLDER)).length >= 1000;
  const folder = real ? REAL_FOLDER : path.join(network.folder, "made");
  if (!real) await makeFiles(folder);
  const name = path.basename(folder);
  await network.peer("bob", {}, ["--share", folder]);

  const got = await tukarJson(["get", "bob", name, "-r", ...network.visitor("carol")]);
  assert.equal(got.status, 0, got.stderr);
  const received = path.join(network.folder, "carol", "received", name);
  const files = await filesBelow(folder);
  for (const file of files) {
    const [from, to] = [path.join(folder, file), path.join(received, file)];
    assert.ok((await readFile(to)).equals(await readFile(from)), `${file} differs`);
    assert.equal(Math.floor((await stat(to)).mtimeMs / 1000), Math.floor((await stat(from)).mtimeMs / 1000), file);
  }
  assert.equal(
    got.lines.filter(({ event }) => event === "done" || event === "skipped").length,
    (await filesBelow(received)).length,
  );

  const again = await tukarJson(["get", "bob", name, "-r", ...network.visitor("carol")]);
  assert.equal(again.status, 0, again.stderr);
  assert.ok(
    again.lines.every(({ event }) => event === "skipped"),
    "everything is there already",
  );
  const parts = path.join(network.folder, "carol", "received", ".tukar");
  assert.deepEqual(await readdir(parts), [], "nothing is left of the way in");
});
