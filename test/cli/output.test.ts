import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { createLineWriter } from "../../src/cli/line-writer.ts";
import { readableLog } from "../../src/cli/logger.ts";
import { jsonLine } from "../../src/cli/output.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { isHostileText } from "../../src/protocol/untrusted-text.ts";
import { memoryOutput } from "./memory-output.ts";

test("a JSON line means what it was made from, and holds nothing that steers a terminal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = jsonLine({ text });
      assert.deepEqual(JSON.parse(line), { text });
      assert.equal(isHostileText(line), false);
    }),
  );
});

test("a failure is one line on stderr, in JSON if that is wanted", () => {
  const human = memoryOutput();
  assert.equal(human.output.problem(new Failure("no-such-peer", 'No peer "b\nob"')), "no-such-peer");
  assert.equal(human.err.text(), 'tukar: No peer "b\ufffdob"\n');
  const json = memoryOutput({ json: true });
  assert.equal(json.output.problem(new RangeError("oops")), "internal");
  assert.deepEqual(JSON.parse(json.err.text()), {
    event: "error",
    code: "internal",
    message: "Something failed inside: oops",
  });
});

test("quiet keeps talk away, and failures not", () => {
  const { output, err } = memoryOutput({ quiet: true });
  output.talk("hello");
  output.problem(new Failure("unreachable", "gone"));
  assert.equal(err.text(), "tukar: gone\n");
});

test("talk comes after the results before it", async () => {
  const order: string[] = [];
  const { output, out, err } = memoryOutput();
  for (const stream of [out, err]) {
    stream.write = (text: string) => {
      order.push(text);
      return true;
    };
  }
  await output.result("first");
  output.talk("second");
  assert.deepEqual(order, ["first\n", "second\n"]);
});

test("lines for a terminal go to whoever holds its last lines", async () => {
  const { output, out, err } = memoryOutput({ terminal: true });
  const above: string[] = [];
  output.divert((line) => above.push(line));
  await output.result("result");
  output.talk("talk");
  output.divert();
  output.talk("later");
  output.flush();
  assert.deepEqual(above, ["result", "talk"]);
  assert.deepEqual([out.text(), err.text()], ["", "later\n"]);
});

test("many lines become few writes, and a full stream makes the writer wait", { timeout: 10_000 }, async () => {
  const writes: string[] = [];
  let release: (() => void) | undefined;
  const stream = new Writable({
    decodeStrings: false,
    highWaterMark: 1000,
    write(chunk: string, _, done) {
      writes.push(chunk);
      release = done;
    },
  });
  const writer = createLineWriter(stream);
  const line = "x".repeat(99);
  let waited: Promise<void> | undefined;
  let count = 0;
  while (writes.length === 0) {
    waited = writer.write(line);
    count++;
  }
  assert.ok(count > 100, `${count} lines in one write`);
  let through = false;
  const waiting = waited?.then(() => {
    through = true;
  });
  assert.equal(through, false);
  release?.();
  await waiting;
});

test("a log line reads well", () => {
  const line = JSON.stringify({
    level: 40,
    time: 0,
    msg: "a peer\u001b left",
    peer: "bob",
    err: { message: "gone" },
    count: 2,
  });
  assert.match(readableLog(line), /^\d\d:\d\d:\d\d warn a peer\ufffd left \(gone\) peer=bob count=2$/);
  assert.equal(readableLog("not json\n"), "not json");
});
