import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { get } from "../../../src/peer/downloads/get.ts";
import { openRemotePeer } from "../../../src/peer/remote-peer.ts";
import type { GetEvent } from "../../../src/protocol/control-api.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { systemClock } from "../../../src/transport/clock.ts";
import { present } from "../../support/present.ts";
import { sharePath, until } from "../library/shared-folder.ts";
import { type ServedShare, type ServedShareOptions, serveShare } from "../serving/served-share.ts";
import { NOBODY_ELSE } from "./nobody-else.ts";
import { blockListOf } from "./scripted-peer.ts";

const TIMEOUT = { timeout: 100_000 };
const MIB = 1024 * 1024;
const onWindows = process.platform === "win32";

type Fetching = ServedShare & {
  readonly received: string;
  /** Fetches a folder and gives the events, but for those of progress. */
  fetch(name?: string): Promise<GetEvent[]>;
};

async function shareToFetch(t: TestContext, options: ServedShareOptions): Promise<Fetching> {
  const share = await serveShare(t, options);
  const received = share.place.at("received");
  const known = {
    id: share.identity.id,
    name: peerNameFrom("server"),
    hosts: ["127.0.0.1"],
    port: share.port,
    files: 0,
    bytes: 0,
    reachable: true,
  };
  const remote = openRemotePeer(known, share.member);
  t.after(() => remote.close());
  const deps = {
    identity: share.member,
    clock: systemClock,
    hashLocalFile: async (file: string) => contentIdOf(blockListOf(readFileSync(file))),
    source: async () => remote,
    neighbourhood: NOBODY_ELSE,
    received,
    platform: process.platform,
  };
  return {
    ...share,
    received,
    async fetch(name = "tree") {
      const request = { peer: "server", names: [name], recursive: true, output: null };
      const events = await Array.fromAsync(get(request, deps, new AbortController().signal));
      return events.filter(({ event }) => event !== "progress" && event !== "hashing");
    },
  };
}

/** Every file and folder below, with what it holds. */
function treeOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .map((entry) => path.join(entry.parentPath, entry.name))
      .toSorted()
      .map((file) => {
        const name = path.relative(folder, file).replaceAll(path.sep, "/");
        return statSync(file).isDirectory() ? [`${name}/`, ""] : [name, readFileSync(file, "latin1")];
      }),
  );
}

const said = (events: readonly GetEvent[]): string[] =>
  events
    .map((event) =>
      event.event === "failed" ? `${event.path} ${event.code}` : `${"path" in event ? event.path : ""} ${event.event}`,
    )
    .toSorted();

test("a folder comes as it is: empty folders, times, what may be run, equal files, large ones", TIMEOUT, async (t) => {
  const files = {
    "tree/a.txt": "a",
    "tree/sub/same.txt": "a",
    "tree/sub/deep/nothing.txt": "",
    "tree/sub/deep/nothing either.txt": "",
    "tree/large.bin": Buffer.alloc(MIB + 1, 7),
    "tree/run.sh": "#!/bin/sh",
    "tree/large run.sh": Buffer.alloc(2 * MIB, 8),
  };
  const share = await shareToFetch(t, { files });
  const at = (name: string) => share.place.at("share", name);
  mkdirSync(at("tree/empty/within"), { recursive: true });
  for (const name of ["tree/run.sh", "tree/large run.sh"]) chmodSync(at(name), 0o6777);
  utimesSync(at("tree/sub/same.txt"), 1_600_000_000, 1_600_000_000);
  utimesSync(at("tree/sub/deep/nothing.txt"), 1_500_000_000, 1_500_000_000);
  utimesSync(at("tree/sub/deep/nothing either.txt"), 1_400_000_000, 1_400_000_000);
  await until(share.library, () => {
    const entries = [...(share.library.list(sharePath("tree"), { recursive: true, folders: true }) ?? [])];
    const times = entries.filter(({ modified }) => [1.4e12, 1.5e12, 1.6e12].includes(modified));
    const runnable = entries.filter((entry) => entry.kind === "file" && entry.executable);
    const isHashed = share.library.totals().unhashed === 0;
    return isHashed && times.length === 5 && entries.length === 11 && (onWindows || runnable.length === 2);
  });

  const events = await share.fetch();
  assert.deepEqual(said(events), [...Object.keys(files).map((name) => `${name} done`), "tree folder"].toSorted());
  const got = path.join(share.received, "tree");
  assert.deepEqual(treeOf(got), treeOf(at("tree")));
  for (const name of Object.keys(treeOf(got)).filter((name) => !name.endsWith("/"))) {
    assert.equal(
      Math.floor(statSync(path.join(got, name)).mtimeMs),
      Math.floor(statSync(at(`tree/${name}`)).mtimeMs),
      name,
    );
    const mode = statSync(path.join(got, name)).mode;
    if (!onWindows) assert.equal((mode & 0o100) !== 0, name.endsWith(".sh"), `${name} ${mode.toString(8)}`);
    assert.equal(mode & 0o7000, 0, "nothing that would run as somebody else");
  }
  assert.equal(statSync(path.join(got, "sub")).mtimeMs, 1.6e12, "a folder has the time that is listed");
  assert.equal(statSync(path.join(got, "sub/deep")).mtimeMs, 1.5e12);
  assert.deepEqual(readdirSync(path.join(share.received, ".tukar")), [], "nothing is left of part files");
});

test("what is there already is skipped, what is missing comes, and nothing is replaced", TIMEOUT, async (t) => {
  const share = await shareToFetch(t, {
    files: { "tree/a.txt": "a", "tree/b.txt": "b", "tree/sub/c.txt": "c", "tree/large.bin": Buffer.alloc(2 * MIB, 1) },
  });
  await share.fetch();
  const got = path.join(share.received, "tree");
  rmSync(path.join(got, "b.txt"));
  writeFileSync(path.join(got, "a.txt"), "A");
  mkdirSync(path.join(got, "own"));
  writeFileSync(path.join(got, "own/mine.txt"), "mine");

  const events = await share.fetch();
  assert.deepEqual(said(events), [
    "tree folder",
    "tree/a.txt done",
    "tree/b.txt done",
    "tree/large.bin skipped",
    "tree/sub/c.txt skipped",
  ]);
  assert.deepEqual(present(events.at(-1)), {
    event: "folder",
    path: "tree",
    saved: got,
    done: 2,
    skipped: 2,
    failed: 0,
  });
  const { "large.bin": _, ...tree } = treeOf(got);
  assert.deepEqual(tree, {
    "a (2).txt": "a",
    "a.txt": "A",
    "b.txt": "b",
    "own/": "",
    "own/mine.txt": "mine",
    "sub/": "",
    "sub/c.txt": "c",
  });
  assert.ok(said(await share.fetch()).every((line) => line === "tree folder" || line.endsWith(" skipped")));
});

test(
  "a file where a folder should go fails what belongs into it, a folder where a file should go stays",
  TIMEOUT,
  async (t) => {
    const share = await shareToFetch(t, {
      files: { "tree/taken/a.txt": "a", "tree/taken/sub/b.txt": "b", "tree/c.txt": "c", "tree/d.txt": "d" },
    });
    const got = path.join(share.received, "tree");
    mkdirSync(path.join(got, "c.txt"), { recursive: true });
    writeFileSync(path.join(got, "taken"), "a file");

    const events = await share.fetch();
    assert.deepEqual(said(events), [
      "tree folder",
      "tree/c.txt done",
      "tree/d.txt done",
      "tree/taken cannot-save",
      "tree/taken/a.txt cannot-save",
      "tree/taken/sub cannot-save",
      "tree/taken/sub/b.txt cannot-save",
    ]);
    assert.deepEqual(treeOf(got), { "c (2).txt": "c", "c.txt/": "", "d.txt": "d", taken: "a file" });
    for (const event of events)
      if (event.event === "failed") assert.match(event.message, /^Cannot .*; choose another place/);
  },
);

test("a file that changes after it was listed comes as it is now", TIMEOUT, async (t) => {
  const share = await shareToFetch(t, {
    files: { "tree/a.txt": "old", "tree/b.txt": "b" },
    library: { timing: { debounceMs: 3_600_000, rescanMs: 3_600_000 } },
  });
  mkdirSync(path.join(share.received, "tree"), { recursive: true }); // so that it is listed first
  writeFileSync(share.place.at("share/tree/a.txt"), "newer");
  assert.deepEqual(said(await share.fetch()), ["tree folder", "tree/a.txt done", "tree/b.txt done"]);
  assert.deepEqual(treeOf(path.join(share.received, "tree")), { "a.txt": "newer", "b.txt": "b" });
});

test("a tree with several bundles of files is whole, whether it is there in part or not", TIMEOUT, async (t) => {
  const files = Object.fromEntries(
    Array.from({ length: 700 }, (_, at) => [`tree/${at % 13}/${at % 7}/${at}.txt`, `file ${at % 500}`]),
  );
  const share = await shareToFetch(t, { files });
  assert.equal(said(await share.fetch()).filter((line) => line.endsWith(" done")).length, 700);
  const got = path.join(share.received, "tree");
  assert.deepEqual(treeOf(got), treeOf(share.place.at("share/tree")));

  for (let at = 0; at < 700; at += 2) rmSync(path.join(share.received, `tree/${at % 13}/${at % 7}/${at}.txt`));
  const again = said(await share.fetch());
  assert.equal(again.filter((line) => line.endsWith(" done")).length, 350);
  assert.equal(again.filter((line) => line.endsWith(" skipped")).length, 350);
  assert.deepEqual(treeOf(got), treeOf(share.place.at("share/tree")));
});
