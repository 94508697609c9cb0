import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judgeConditions, type Verdict } from "../../../src/peer/serving/conditions.ts";

const TAG = '"b3-1234"';
const CHANGED = "Thu, 01 Jan 2026 10:00:00 GMT";
const BEFORE = "Thu, 01 Jan 2026 09:59:59 GMT";
const AFTER = "Thu, 01 Jan 2026 10:00:01 GMT";
/** Ten bytes that changed within the second that `CHANGED` names. */
const FILE = { sizeBytes: 10, etag: TAG, modifiedMs: Date.parse("2026-01-01T10:00:00.789Z") };
const UNHASHED = { ...FILE, etag: undefined };
const EMPTY = { ...FILE, sizeBytes: 0 };

const WHOLE: Verdict = { status: 200 };
const FIRST_THREE: Verdict = { status: 206, range: { first: 0, last: 2 } };
const NOT_MODIFIED: Verdict = { status: 304 };
const FAILED: Verdict = { status: 412 };
const UNSATISFIABLE: Verdict = { status: 416 };

const CASES: readonly {
  readonly headers: Readonly<Record<string, string>>;
  readonly gives: Verdict;
  readonly of?: typeof FILE | typeof UNHASHED;
  readonly method?: string;
  readonly called?: string;
}[] = [
  { headers: {}, gives: WHOLE },

  { headers: { "if-match": TAG }, gives: WHOLE },
  { headers: { "if-match": '"other"' }, gives: FAILED },
  { headers: { "if-match": `"other", ${TAG} , "third"` }, gives: WHOLE },
  { headers: { "if-match": `"a,b",${TAG}` }, gives: WHOLE },
  { headers: { "if-match": `W/${TAG}` }, gives: FAILED },
  { headers: { "if-match": "*" }, gives: WHOLE },
  { headers: { "if-match": " * " }, gives: WHOLE },
  { headers: { "if-match": "*" }, gives: WHOLE, of: UNHASHED },
  { headers: { "if-match": TAG }, gives: FAILED, of: UNHASHED },
  { headers: { "if-match": "b3-1234" }, gives: FAILED },
  { headers: { "if-match": "" }, gives: FAILED },
  { headers: { "if-match": '"other"', range: "bytes=0-2" }, gives: FAILED },
  { headers: { "if-match": '"other"', "if-none-match": TAG }, gives: FAILED },

  { headers: { "if-unmodified-since": CHANGED }, gives: WHOLE },
  { headers: { "if-unmodified-since": AFTER }, gives: WHOLE },
  { headers: { "if-unmodified-since": BEFORE }, gives: FAILED },
  { headers: { "if-unmodified-since": "yesterday" }, gives: WHOLE },
  { headers: { "if-match": TAG, "if-unmodified-since": BEFORE }, gives: WHOLE },

  { headers: { "if-none-match": TAG }, gives: NOT_MODIFIED },
  { headers: { "if-none-match": `W/${TAG}` }, gives: NOT_MODIFIED },
  { headers: { "if-none-match": `"other",W/${TAG}` }, gives: NOT_MODIFIED },
  { headers: { "if-none-match": '"other", W/"third"' }, gives: WHOLE },
  { headers: { "if-none-match": "*" }, gives: NOT_MODIFIED },
  { headers: { "if-none-match": "*" }, gives: NOT_MODIFIED, of: UNHASHED },
  { headers: { "if-none-match": TAG }, gives: WHOLE, of: UNHASHED },
  { headers: { "if-none-match": '"b3-12345"' }, gives: WHOLE },
  { headers: { "if-none-match": "b3-1234" }, gives: WHOLE },
  { headers: { "if-none-match": TAG, range: "bytes=0-2" }, gives: NOT_MODIFIED },
  { headers: { "if-none-match": TAG }, gives: NOT_MODIFIED, method: "HEAD" },

  { headers: { "if-modified-since": CHANGED }, gives: NOT_MODIFIED },
  { headers: { "if-modified-since": AFTER }, gives: NOT_MODIFIED },
  { headers: { "if-modified-since": BEFORE }, gives: WHOLE },
  { headers: { "if-modified-since": "Thursday, 01-Jan-26 10:00:00 GMT" }, gives: NOT_MODIFIED, called: "RFC 850" },
  { headers: { "if-modified-since": "Thu Jan  1 10:00:00 2026" }, gives: NOT_MODIFIED, called: "asctime" },
  { headers: { "if-modified-since": "Thu Jan  1 09:59:59 2026" }, gives: WHOLE, called: "asctime" },
  { headers: { "if-modified-since": "2027" }, gives: WHOLE },
  { headers: { "if-modified-since": "2027-01-01T00:00:00Z" }, gives: WHOLE },
  { headers: { "if-modified-since": "Thu, 01 Jan 2026 10:00:00" }, gives: WHOLE },
  { headers: { "if-modified-since": "Thu, 01 Jan 2026 12:00:00 +0200" }, gives: WHOLE },
  { headers: { "if-modified-since": "Thu, 32 Jan 2026 10:00:00 GMT" }, gives: WHOLE },
  { headers: { "if-modified-since": "" }, gives: WHOLE },
  { headers: { "if-none-match": '"other"', "if-modified-since": AFTER }, gives: WHOLE },

  { headers: { range: "bytes=0-2" }, gives: FIRST_THREE },
  { headers: { range: "bytes=10-" }, gives: UNSATISFIABLE },
  { headers: { range: "bytes=-0" }, gives: UNSATISFIABLE },
  { headers: { range: "bytes=0-1,4-5" }, gives: WHOLE },
  { headers: { range: "lines=0-2" }, gives: WHOLE },
  { headers: { range: "bytes=0-2" }, gives: WHOLE, method: "HEAD" },
  { headers: { range: "bytes=0-" }, gives: UNSATISFIABLE, of: EMPTY },
  { headers: { range: "bytes=-5" }, gives: WHOLE, of: EMPTY },

  { headers: { range: "bytes=0-2", "if-range": TAG }, gives: FIRST_THREE },
  { headers: { range: "bytes=0-2", "if-range": '"other"' }, gives: WHOLE },
  { headers: { range: "bytes=0-2", "if-range": `W/${TAG}` }, gives: WHOLE },
  { headers: { range: "bytes=0-2", "if-range": TAG }, gives: WHOLE, of: UNHASHED },
  { headers: { range: "bytes=0-2", "if-range": CHANGED }, gives: FIRST_THREE },
  { headers: { range: "bytes=0-2", "if-range": CHANGED }, gives: FIRST_THREE, of: UNHASHED },
  { headers: { range: "bytes=0-2", "if-range": BEFORE }, gives: WHOLE },
  { headers: { range: "bytes=0-2", "if-range": AFTER }, gives: WHOLE },
  { headers: { range: "bytes=0-2", "if-range": "*" }, gives: WHOLE },
  { headers: { range: "bytes=10-", "if-range": '"other"' }, gives: WHOLE },
  { headers: { "if-range": '"other"' }, gives: WHOLE },
];

for (const { headers, gives, of = FILE, method = "GET", called } of CASES) {
  const asked = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const what = of === UNHASHED ? "a file without hash" : of === EMPTY ? "an empty file" : "a file";
  const how = called === undefined ? "" : ` (${called})`;
  test(`${method} of ${what} with ${asked.join(" and ") || "no condition"}${how} gives ${gives.status}`, () => {
    assert.deepEqual(judgeConditions(headers, method, of), gives);
  });
}

test("a file that changed in a fraction of a second is not modified since the date that was told of it", () => {
  fc.assert(
    fc.property(fc.integer({ min: -2_000_000_000_000, max: 4_000_000_000_000 }), (modifiedMs) => {
      const date = new Date(modifiedMs - (((modifiedMs % 1000) + 1000) % 1000)).toUTCString();
      const is = { ...FILE, modifiedMs };
      assert.deepEqual(judgeConditions({ "if-modified-since": date }, "GET", is), NOT_MODIFIED);
      assert.deepEqual(judgeConditions({ "if-unmodified-since": date }, "GET", is), WHOLE);
      assert.deepEqual(judgeConditions({ "if-range": date, range: "bytes=0-2" }, "GET", is), FIRST_THREE);
    }),
  );
});

test("whatever stands in the headers, the verdict is one of the five and a range lies inside the file", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom(TAG, CHANGED, "*", "bytes=0-", "bytes=-3", "bytes=2-5"));
  const headers = fc.record(
    { "if-match": text, "if-none-match": text, "if-range": text, range: text, "if-modified-since": text },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(headers, fc.nat({ max: 20 }), (asked, sizeBytes) => {
      const verdict = judgeConditions(asked, "GET", { ...FILE, sizeBytes });
      assert.ok([200, 206, 304, 412, 416].includes(verdict.status));
      if (verdict.status !== 206) return;
      const { first, last } = verdict.range;
      assert.ok(0 <= first && first <= last && last < sizeBytes);
    }),
  );
});
