import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { contentOf, createPlace, list, paths, until, untilHashed } from "./shared-folder.ts";

/**
 * Disks that come and go and a limit on watches, for real: this file runs itself again in a user and mount namespace of
 * its own, where an ordinary user may mount things and lower limits without anybody else noticing.
 */

const bounded = { timeout: 60_000 };
const UNSHARE = ["--user", "--map-root-user", "--mount"];

function mount(...args: string[]): void {
  execFileSync("mount", args);
}

function unmount(path: string): void {
  execFileSync("umount", ["--lazy", path]);
}

if (process.env["TUKAR_TEST_NAMESPACE"] === undefined) {
  const canUnshare = spawnSync("unshare", [...UNSHARE, "true"]).status === 0;
  test("in a namespace: disks and limits", { timeout: 240_000, skip: !canUnshare && "needs user namespaces" }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(
      "unshare",
      [...UNSHARE, process.execPath, "--test", fileURLToPath(import.meta.url)],
      { env: { ...env, TUKAR_TEST_NAMESPACE: "1" }, encoding: "utf8" },
    );
    assert.equal(status, 0, stdout);
  });
} else {
  for (const { where, at } of [
    { where: "the root of a share", at: "share" },
    { where: "a folder of a share", at: "share/disk" },
  ]) {
    test(
      `a disk at ${where} takes its files along, and they are not hashed again when it is back`,
      bounded,
      async (t) => {
        const place = createPlace(t);
        const folder = place.at(at);
        mkdirSync(folder, { recursive: true });
        function write(text: string): void {
          place.write("disk/deep/file", text);
          utimesSync(place.at("disk/deep/file"), 1000, 1000.5);
        }
        write("one");
        mount("--bind", place.at("disk"), folder);
        const library = await place.start();
        await library.ready;
        await untilHashed(library);
        assert.equal(library.totals().files, 1);

        unmount(folder);
        await until(library, () => library.totals().files === 0);
        assert.deepEqual(library.problems(), []); // an empty folder is left, which is none
        write("two"); // of the same length and time: a new hash would tell
        mount("--bind", place.at("disk"), folder);
        await until(library, () => library.totals().files === 1 && library.totals().unhashed === 0);
        assert.equal(list(library, "", true)[0]?.content, contentOf("one"));
        place.write("disk/deep/later", "later");
        await until(library, () => library.totals().files === 2);
        await library.close();
        unmount(folder);
      },
    );
  }

  test("another disk at the same place is another, although its folders have the same inodes", bounded, async (t) => {
    const place = createPlace(t);
    function insert(name: string): void {
      mount("-t", "tmpfs", "disk", place.at("share"));
      place.write(`share/folder/${name}`, name);
    }
    insert("one");
    const library = await place.start();
    await library.ready;
    assert.deepEqual(paths(library), ["folder/one"]);
    unmount(place.at("share"));
    insert("two");
    await until(library, () => paths(library).join() === "folder/two");
    place.write("share/folder/later", "later");
    await until(library, () => paths(library).join() === "folder/later,folder/two");
    await library.close();
    unmount(place.at("share"));
  });

  test(
    "when the system allows no more watches that is said once, and changes are found all the same",
    bounded,
    async (t) => {
      const place = createPlace(t);
      const folders = Array.from({ length: 20 }, (_, at) => `share/${at}`);
      for (const folder of folders) place.write(`${folder}/first`, "x");
      writeFileSync("/proc/sys/user/max_inotify_watches", "5");
      const library = await place.start({ timing: { unwatchedRescanMs: 50 } });
      const said: string[] = [];
      library.onProblem((problem) => said.push(problem));
      await library.ready;
      assert.equal(library.totals().files, 20);
      for (const folder of folders) place.write(`${folder}/second`, "x");
      await until(library, () => library.totals().files === 40);
      for (const folder of folders) place.write(`${folder}/first`, "changed");
      await until(library, () => library.totals().bytes === 20 * 8);
      assert.equal(library.problems().length, 1);
      assert.match(library.problems()[0] ?? "", /allows no more watches/);
      assert.ok(said.length <= 1, said.join("\n"));
      writeFileSync("/proc/sys/user/max_inotify_watches", "100000");
    },
  );
}
