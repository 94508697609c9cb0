import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createChunkedBody } from "../../src/transport/chunked-body.ts";
import { failureWith } from "../support/failure-with.ts";

/** Reads what comes in these pieces; `after` is what follows the body, once that has ended. */
function read(pieces: readonly Uint8Array[]): { readonly body: string; readonly after: string | undefined } {
  const body: Buffer[] = [];
  let after: Buffer | undefined;
  const chunked = createChunkedBody((bytes) => body.push(Buffer.from(bytes)));
  for (const piece of pieces) {
    if (after) after = Buffer.concat([after, piece]);
    else {
      const rest = chunked.push(piece);
      if (rest) after = Buffer.from(rest);
    }
  }
  return { body: Buffer.concat(body).toString("latin1"), after: after?.toString("latin1") };
}

const text = (value: string): Buffer => Buffer.from(value, "latin1");

test("a chunked body gives its bytes and what follows it, wherever it is cut", () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 5 });
  fc.assert(
    fc.property(chunks, fc.string(), fc.array(fc.nat(), { maxLength: 10 }), (chunks, next, places) => {
      const parts = chunks.map((chunk) => [text(`${chunk.length.toString(16)}\r\n`), Buffer.from(chunk), text("\r\n")]);
      const bytes = Buffer.concat([...parts.flat(), text("0\r\n\r\n"), Buffer.from(next)]);
      const at = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
      const { body, after } = read([0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length)));
      assert.equal(body, Buffer.concat(chunks).toString("latin1"));
      assert.equal(after, Buffer.from(next).toString("latin1"));
    }),
  );
});

const CASES = [
  { what: "extensions", comes: "3;name=value\r\nabc\r\n0\r\n\r\n", body: "abc", after: "" },
  { what: "capital digits", comes: `A\r\n${"x".repeat(10)}\r\n0\r\n\r\n`, body: "x".repeat(10), after: "" },
  { what: "a trailer", comes: "1\r\na\r\n0\r\nname: value\r\n\r\nnext", body: "a", after: "next" },
  { what: "no end yet", comes: "1\r\na\r\n0\r\n", body: "a", after: undefined },
] as const;

for (const { what, comes, body, after } of CASES) {
  test(`a chunked body with ${what} is understood`, () => assert.deepEqual(read([text(comes)]), { body, after }));
}

const WRONG = [
  ["no length", "\r\nabc"],
  ["a length that is no number", "x\r\n"],
  ["a negative length", "-1\r\n"],
  ["a length of nine digits", "100000000\r\n"],
  ["a length line without carriage return", "1\na\r\n"],
  ["more data than announced", "1\r\nab\r\n"],
  ["a line that never ends", "1".repeat(300)],
  ["blanks before the length", " 1\r\na\r\n"],
] as const;

for (const [what, comes] of WRONG) {
  test(`a chunked body with ${what} is refused`, () => {
    assert.throws(() => read([text(comes)]), failureWith("bad-message"));
  });
}
