import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodePlainLine, isPlainId, type PlainMessage, parsePlainLine } from "../../src/protocol/plain.ts";

const ADA = "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq";

function line(change: Readonly<Record<string, unknown>> = {}): string {
  const said = { type: "MESSAGE", sender_id: "p1", sender_name: "oldie", timestamp: 1_767_225_600.5 };
  return JSON.stringify({ ...said, data: { text: "hello" }, target_id: null, ...change });
}

function parsed(change: Readonly<Record<string, unknown>>): PlainMessage {
  const message = parsePlainLine(line(change));
  assert.ok(message && "type" in message, JSON.stringify(message));
  return message;
}

const TIMES: readonly (readonly [unknown, number | undefined])[] = [
  [1_767_225_600.5, 1_767_225_600_500],
  ["1767225600.5", 1_767_225_600_500],
  [1_767_225_600_500, 1_767_225_600_500],
  ["2026-01-01T00:00:00.500Z", 1_767_225_600_500],
  ["yesterday", undefined],
  ["", undefined],
  [null, undefined],
  [undefined, undefined],
  [{ at: 1 }, undefined],
  [1e300, undefined],
];

for (const [timestamp, saidMs] of TIMES) {
  test(`the timestamp ${JSON.stringify(timestamp)} means ${saidMs ?? "nothing"}`, () => {
    assert.equal(parsed({ timestamp }).saidMs, saidMs);
  });
}

const NO_PLAIN_IDS = [
  ["", "nothing"],
  [" p1", "a blank before it"],
  ["p\n1", "a line end"],
  ["p\u202e1", "a direction override"],
  ["\ud800", "half a character"],
  ["p".repeat(101), "too many characters"],
  [ADA, "a tukar id"],
  [ADA.toUpperCase(), "a tukar id in capitals"],
  [`${ADA.slice(0, 51)}b`, "what looks like a tukar id and is none"],
  [ADA.replace("a", "\uff41"), "a tukar id with a wide letter"],
] as const;

for (const [id, why] of NO_PLAIN_IDS) {
  test(`an id of a plain peer is not: ${why}`, () => {
    assert.equal(isPlainId(id), false);
    assert.deepEqual(Object.keys(parsePlainLine(line({ sender_id: id })) ?? {}), ["problem"]);
  });
}

for (const broken of [
  "",
  "hello",
  "[]",
  "42",
  "null",
  "{}",
  '{"type":7}',
  line().slice(0, -1),
  line({ sender_id: 7 }),
]) {
  test(`what is no message is a problem and no exception: ${JSON.stringify(broken)}`, () => {
    assert.deepEqual(Object.keys(parsePlainLine(broken) ?? {}), ["problem"]);
  });
}

test("a type that is not known is passed over, whoever says it", () => {
  assert.equal(parsePlainLine(line({ type: "FILE_LIST", sender_id: 7 })), undefined);
});

test("fields that are not known, or are of another kind, count for nothing", () => {
  const message = parsed({ sender_name: 7, data: [1], target_id: 7, message_id: {}, colour: "red" });
  const { name, text, target, of } = message;
  assert.deepEqual({ name, text, target, of }, { name: "p1", text: undefined, target: undefined, of: "1767225600.5" });
});

test("a name is made fit for a terminal", () => {
  assert.equal(parsed({ sender_name: " ol\u001b[31mdie\n " }).name, "ol\ufffd[31mdie");
});

const TEXTS: readonly (readonly [unknown, boolean])[] = [
  ["a".repeat(10_000), true],
  ["a".repeat(10_001), false],
  ["", false],
  ["\ud800", false],
  [7, false],
  [["hello"], false],
];

for (const [text, isOne] of TEXTS) {
  test(`${JSON.stringify(text).slice(0, 20)} of ${JSON.stringify(text).length} is ${isOne ? "a" : "no"} text`, () => {
    assert.equal(parsed({ data: { text } }).text, isOne ? text : undefined);
  });
}

for (const [port, gives] of [
  [4711, 4711],
  ["4711", 4711],
  [0, undefined],
  [65_536, undefined],
  [1.5, undefined],
  ["x", undefined],
  [null, undefined],
] as const) {
  test(`the port ${JSON.stringify(port)} means ${gives ?? "none"}`, () => {
    assert.equal(parsed({ type: "JOIN", data: { host: "10.0.0.1", port } }).port, gives);
  });
}

test("whatever comes, reading a line throws nothing", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.object().map((data) => line({ data, ...data })),
      ),
      (text) => {
        parsePlainLine(text);
      },
    ),
  );
});

test("a line that goes out has seconds, and is one line", () => {
  const from = { id: ADA, name: "ada" };
  const encoded = encodePlainLine("MESSAGE", { from, atMs: 1_767_225_600_500, data: { text: "a\nb" }, target: "p1" });
  assert.equal(encoded.indexOf("\n"), encoded.length - 1);
  assert.deepEqual(JSON.parse(encoded), {
    type: "MESSAGE",
    sender_id: ADA,
    sender_name: "ada",
    timestamp: 1_767_225_600.5,
    data: { text: "a\nb" },
    target_id: "p1",
  });
});
