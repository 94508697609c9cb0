import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/protocol/failures.ts";
import { bodyLength, parseResponseHead } from "../../src/transport/response-head.ts";
import { failureWith } from "../support/failure-with.ts";

const READABLE = [
  { text: "HTTP/1.1 200 OK", status: 200, headers: {} },
  { text: "HTTP/1.1 206", status: 206, headers: {} },
  { text: "HTTP/1.1 404 Not Found\r\nA: b", status: 404, headers: { a: "b" } },
  { text: "HTTP/1.1 200 \r\nX-Y:  spaced out \t", status: 200, headers: { "x-y": "spaced out" } },
  { text: "HTTP/1.1 200 OK\r\nempty:\r\ncolon: a:b", status: 200, headers: { empty: "", colon: "a:b" } },
  { text: "HTTP/1.1 200 Très bien\r\nname: \u00ff", status: 200, headers: { name: "\u00ff" } },
] as const;

for (const { text, status, headers } of READABLE) {
  test(`the head ${JSON.stringify(text)} reads as ${status} ${JSON.stringify(headers)}`, () => {
    const head = parseResponseHead(text);
    assert.deepEqual({ status: head.status, headers: Object.fromEntries(head.headers) }, { status, headers });
  });
}

const REFUSED = [
  { text: "", code: "not-tukar" },
  { text: "HTTP/1.0 200 OK", code: "not-tukar" },
  { text: "HTTP/2 200", code: "not-tukar" },
  { text: "HTTP/1.1 200OK", code: "not-tukar" },
  { text: "HTTP/1.1 20 OK", code: "not-tukar" },
  { text: "SSH-2.0-OpenSSH_9.6", code: "not-tukar" },
  { text: "HTTP/1.1 200 OK\r\nno colon", code: "bad-message" },
  { text: "HTTP/1.1 200 OK\r\n: no name", code: "bad-message" },
  { text: "HTTP/1.1 200 OK\r\nblank : before colon", code: "bad-message" },
  { text: "HTTP/1.1 200 OK\r\na: b\r\n folded", code: "bad-message" },
  { text: "HTTP/1.1 200 OK\r\na: b\nc: d", code: "bad-message" },
  { text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\ncontent-length: 1", code: "bad-message" },
] as const;

for (const { text, code } of REFUSED) {
  test(`the head ${JSON.stringify(text)} is refused with ${code}`, () => {
    assert.throws(() => parseResponseHead(text), failureWith(code));
  });
}

test("whatever stands in a head, it is read or refused with a failure", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("HTTP/1.1 200 OK", "\r\n", ":", " ", "Content-Length", "5", "\n", "\0"),
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join("")),
      (text) => {
        try {
          bodyLength(parseResponseHead(text));
        } catch (error) {
          assert.ok(error instanceof Failure);
        }
      },
    ),
  );
});

test("any headers come back as they were sent, names in lower case", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
  const value = fc.stringMatching(/^(?:[!-~](?:[ -~]{0,20}[!-~])?)?$/);
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (headers) => {
      const lines = Object.entries(headers).map(([key, text]) => `${key.toUpperCase()}: ${text}`);
      const head = parseResponseHead(["HTTP/1.1 200 OK", ...lines].join("\r\n"));
      assert.deepEqual(new Map(head.headers), new Map(Object.entries(headers)));
    }),
  );
});

const LENGTHS = [
  { headers: "Content-Length: 0", length: 0 },
  { headers: "Content-Length: 123456789012345", length: 123_456_789_012_345 },
  { headers: "Content-Length: 1234567890123456", length: undefined },
  { headers: "Content-Length: -1", length: undefined },
  { headers: "Content-Length: 0x10", length: undefined },
  { headers: "Content-Length: 1, 1", length: undefined },
  { headers: "Content-Length:", length: undefined },
  { headers: "Transfer-Encoding: chunked", length: undefined },
  { headers: "Content-Length: 5\r\nTransfer-Encoding: chunked", length: undefined },
] as const;

for (const { headers, length } of LENGTHS) {
  test(`the body after ${JSON.stringify(headers)} has ${length ?? "no known number of"} bytes`, () => {
    const head = parseResponseHead(`HTTP/1.1 200 OK\r\n${headers}`);
    if (length === undefined) assert.throws(() => bodyLength(head), failureWith("bad-message"));
    else assert.equal(bodyLength(head), length);
  });
}
