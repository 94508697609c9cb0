import assert from "node:assert/strict";
import { test } from "node:test";
import { createTally } from "../../../../src/peer/downloads/queue/tally.ts";
import type { GetEvent } from "../../../../src/protocol/control-api.ts";
import type { ListEntry } from "../../../../src/protocol/listing.ts";
import { peerNameFrom } from "../../../../src/protocol/peer-name.ts";
import { BOB, CONTENT, file, folder } from "../../control/fake-operations.ts";
import { doneEvent } from "./scripted-fetch.ts";

const NOTHING = { peerId: null, peerName: null, content: null, files: 0, bytes: 0, total: null };
const progress = (path: string, bytes: number, total: number): GetEvent => ({ event: "progress", path, bytes, total });
const skipped = (path: string, within?: string): GetEvent => ({
  event: "skipped",
  path,
  saved: `/r/${path}`,
  reason: "already there",
  ...(within !== undefined && { within }),
});
const folderEvent = (counts: {
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
}): GetEvent => ({
  event: "folder",
  path: "f",
  saved: "/r/f",
  ...counts,
});

type Case = {
  readonly of: string;
  readonly before?: Partial<typeof NOTHING>;
  readonly isSingle?: boolean;
  readonly resolved?: readonly ListEntry[];
  readonly events: readonly GetEvent[];
  readonly learns: object;
  readonly progressed: boolean;
};

const CASES: readonly Case[] = [
  { of: "nothing yet", before: { files: 2, bytes: 7 }, events: [], learns: { files: 2, bytes: 7 }, progressed: false },
  {
    of: "a file that stood where it was",
    events: [progress("a", 5, 9)],
    learns: { files: 0, bytes: 5 },
    progressed: false,
  },
  {
    of: "a file that grows",
    events: [progress("a", 5, 9), progress("a", 6, 9)],
    learns: { bytes: 6 },
    progressed: true,
  },
  {
    of: "a file that came",
    events: [progress("a", 5, 9), doneEvent("a")],
    learns: { files: 1, bytes: 9 },
    progressed: true,
  },
  {
    of: "a single file",
    isSingle: true,
    resolved: [file("a", 9)],
    events: [skipped("a")],
    learns: { content: CONTENT, total: 9, files: 1, bytes: 9 },
    progressed: false,
  },
  {
    of: "two files",
    resolved: [file("a", 9), file("b", 5)],
    events: [doneEvent("a"), progress("b", 2, 5)],
    learns: { content: null, total: 14, files: 1, bytes: 11 },
    progressed: true,
  },
  {
    of: "a folder that is there already",
    resolved: [folder("f", 14)],
    events: [skipped("f/a", "f"), skipped("f/b", "f"), folderEvent({ done: 0, skipped: 2, failed: 0 })],
    learns: { content: null, total: 14, files: 2, bytes: 14 },
    progressed: false,
  },
  {
    of: "a folder that is on its way",
    resolved: [folder("f", 30)],
    events: [progress("f", 3, 30), { ...doneEvent("f/a"), within: "f" }, progress("f/b", 5, 9), progress("f", 14, 30)],
    learns: { total: 30, files: 1, bytes: 14 },
    progressed: true,
  },
  {
    of: "a folder of which a file failed",
    resolved: [folder("f", 30)],
    events: [progress("f", 14, 30), folderEvent({ done: 1, skipped: 0, failed: 1 })],
    learns: { total: 30, bytes: 14 },
    progressed: false,
  },
];

for (const { of, before, isSingle = false, resolved = [], events, learns, progressed } of CASES) {
  test(`the tally of ${of}`, () => {
    const tally = createTally({ ...NOTHING, ...before }, isSingle);
    for (const entry of resolved) tally.resolved(entry.path, entry);
    for (const event of events) tally.count(event);
    const learnt: Record<string, unknown> = { ...tally.learnt() };
    for (const [name, value] of Object.entries(learns)) assert.deepEqual(learnt[name], value, name);
    assert.equal(tally.progressed(), progressed);
  });
}

test("the first failure of each code is kept", () => {
  const tally = createTally(NOTHING, false);
  for (const [code, message] of [
    ["unreachable", "one"],
    ["no-such-file", "two"],
    ["unreachable", "three"],
  ] as const)
    tally.count({ event: "failed", path: "x", code, message });
  assert.deepEqual(
    [...tally.failures],
    [
      ["unreachable", "one"],
      ["no-such-file", "two"],
    ],
  );
});

test("the peer that was met is learnt", () => {
  const tally = createTally(NOTHING, false);
  tally.metPeer({ id: BOB, name: peerNameFrom("bob") });
  assert.deepEqual([tally.learnt().peerId, tally.learnt().peerName], [BOB, "bob"]);
});
