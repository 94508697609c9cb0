import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openCatalogReader } from "../../../src/peer/library/catalog-reader.ts";
import { openCatalogWriter } from "../../../src/peer/library/catalog-writer.ts";
import { openLibraryDatabase } from "../../../src/peer/library/database.ts";
import { createSettling } from "../../../src/peer/library/settling.ts";
import { createFileTaker, type Patience } from "../../../src/peer/library/take-files.ts";
import { createPlace } from "./shared-folder.ts";

const NOON_MS = Date.UTC(2026, 10, 24, 12);
const DAY_MS = 24 * 60 * 60 * 1000;
const SETTLE_MS = 1000;

/** A library's database in which one file is taken up, at times that the test sets. */
function createSample(t: TestContext) {
  const file = createPlace(t).at("home", "library.db");
  const db = openLibraryDatabase(file);
  t.after(() => db.close());
  const time = { wall: NOON_MS, steady: 0 };
  const clocks = { wall: () => time.wall, steady: () => time.steady };
  const writer = openCatalogWriter(file, db, clocks.wall);
  const settling = createSettling({ settleMs: SETTLE_MS, restlessNewMs: 60_000, restlessKnownMs: 15_000 });
  const reader = openCatalogReader(db);
  const taker = createFileTaker({
    ...{ writer, clocks, settling, settleMs: SETTLE_MS, restlessMs: 30_000 },
    onLinkedFile: () => undefined,
  });
  db.exec("INSERT INTO source VALUES (1, 'folder', '/share', '', 0); INSERT INTO directory VALUES (1, 1, '')");
  return {
    time,
    pass(ms: number): void {
      time.wall += ms;
      time.steady += ms;
    },
    take(sizeBytes: number, modifiedMs: number, patience: Patience = "when-settled"): void {
      // The odd nanosecond tells that the file system does not count in whole seconds.
      const state = { sizeBytes, modifiedNs: BigInt(modifiedMs) * 1_000_000n + 1n, inode: 7n };
      const name = "file";
      writer.write(() =>
        taker.take(
          {
            ...{ source: 1, folder: 1, name, local: null, state, executable: false, linked: false },
            named: { source: 1, folder: "", name },
            remembered: { root: "/share", path: name },
          },
          patience,
        ),
      );
    },
    /** Size under which the file is offered, if it is. */
    offered: () => reader.totals().files && reader.totals().bytes,
    isToBeHashed: () => reader.toHash(time.steady, 1).length === 1,
    changes: () => reader.version().generation,
  };
}

test("a new file that was changed long ago is taken up at once", (t) => {
  const sample = createSample(t);
  sample.take(5, NOON_MS - 60_000);
  assert.equal(sample.offered(), 5);
});

test("a new file is taken up when it has been left alone, and hashed at once then", (t) => {
  const sample = createSample(t);
  for (const size of [10, 20, 30]) {
    sample.take(size, sample.time.wall);
    assert.equal(sample.offered(), 0);
    sample.pass(900);
  }
  sample.take(30, sample.time.wall - 900);
  assert.equal(sample.offered(), 0);
  sample.pass(100);
  sample.take(30, sample.time.wall - 1000);
  assert.deepEqual([sample.offered(), sample.isToBeHashed(), sample.changes()], [30, true, 1]);
});

test("a file that is copied with its old time is not taken for finished by that", (t) => {
  const sample = createSample(t);
  sample.take(10, sample.time.wall);
  sample.pass(500);
  sample.take(20, NOON_MS - DAY_MS);
  assert.equal(sample.offered(), 0);
  sample.pass(1000);
  sample.take(20, NOON_MS - DAY_MS);
  assert.equal(sample.offered(), 20);
});

test("what lies in a share at the start is taken as it is, but not hashed while it may be written", (t) => {
  const sample = createSample(t);
  sample.take(10, sample.time.wall, "now");
  assert.deepEqual([sample.offered(), sample.isToBeHashed()], [10, false]);
  sample.pass(1000);
  assert.equal(sample.isToBeHashed(), true);
});

test("a log that is written for ever turns up, costs few changes, and is hashed when it rests", (t) => {
  const sample = createSample(t);
  let size = 0;
  for (let second = 0; second < 120; second++) {
    sample.take(++size, sample.time.wall);
    assert.equal(sample.isToBeHashed(), false);
    sample.pass(1000);
  }
  assert.equal(sample.offered(), 106); // at 60, 75, 90 and 105 seconds
  assert.equal(sample.changes(), 4);
  const lastWrittenMs = sample.time.wall - 1000;
  sample.take(size, lastWrittenMs);
  sample.pass(1000);
  sample.take(size, lastWrittenMs);
  assert.deepEqual([sample.offered(), sample.isToBeHashed(), sample.changes()], [size, true, 5]);
});

const CLOCKS = [
  { what: "is set back a day", wallMs: -DAY_MS },
  { what: "is set forward a day", wallMs: DAY_MS },
  { what: "is set forward by years", wallMs: 3000 * DAY_MS },
];

for (const { what, wallMs } of CLOCKS) {
  test(`a file that is being written while the machine's clock ${what} is taken up and hashed in time`, (t) => {
    const sample = createSample(t);
    sample.take(10, sample.time.wall);
    sample.time.wall += wallMs;
    sample.pass(1000);
    sample.take(10, NOON_MS);
    assert.deepEqual([sample.offered(), sample.isToBeHashed()], [10, true]);
    sample.take(20, sample.time.wall);
    sample.pass(1000);
    sample.take(20, sample.time.wall - 1000);
    assert.deepEqual([sample.offered(), sample.isToBeHashed()], [20, true]);
  });
}

test("a file from the future is taken up when it has been left alone, and changes nothing by being looked at", (t) => {
  const sample = createSample(t);
  const future = NOON_MS + 400 * DAY_MS;
  sample.take(10, future);
  assert.equal(sample.offered(), 0);
  sample.pass(1000);
  sample.take(10, future);
  assert.deepEqual([sample.offered(), sample.isToBeHashed()], [10, true]);
  for (let look = 0; look < 10; look++) sample.take(10, future);
  assert.equal(sample.changes(), 1);
});
