import assert from "node:assert/strict";
import { STATUS_CODES } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import {
  FAILURES,
  Failure,
  type FailureCode,
  fromWire,
  isErrno,
  isFailureCode,
  toWire,
} from "../../src/protocol/failures.ts";

const CODES = Object.keys(FAILURES).filter(isFailureCode);

for (const code of CODES) {
  test(`"${code}" tells a stranger its public sentence, and never the message or the cause`, () => {
    const failure = new Failure(code, "cannot read /home/zygmunt/a.txt", { cause: new Error("EACCES /home/zygmunt") });
    const { status, body } = toWire(failure);
    assert.equal(status, FAILURES[code].status);
    assert.deepEqual(body, { code, message: FAILURES[code].says });
    assert.doesNotMatch(JSON.stringify(body), /zygmunt/);
  });

  test(`"${code}" crosses the wire and is the same code on the other side`, () => {
    const failure = fromWire(JSON.parse(JSON.stringify(toWire(new Failure(code)).body)), "nas");
    assert.equal(failure.code, code);
    assert.equal(failure.message, `nas: ${FAILURES[code].says}`);
  });

  test(`"${code}" reads as one sentence without a full stop, and has a status that HTTP knows`, () => {
    const { says, status } = FAILURES[code];
    assert.match(says, /^[A-Z][^\n]*[^.\s]$/);
    assert.ok(status >= 400 && (status in STATUS_CODES || status === 499), `${status}`);
  });
}

test("no two failures say the same", () => {
  const sentences = CODES.map((code) => FAILURES[code].says);
  assert.equal(new Set(sentences).size, sentences.length);
});

test("an error that is no failure tells a stranger only that something failed", () => {
  for (const error of [
    new TypeError("x is not a function in /srv/tukar"),
    "text",
    undefined,
    null,
    { code: "no-such-file" },
  ]) {
    assert.deepEqual(toWire(error), { status: 500, body: { code: "internal", message: FAILURES.internal.says } });
  }
});

const FOREIGN = [
  ["a code of a newer program", { code: "quota-exceeded", message: "Too much" }],
  ["a word that every object has", { code: "constructor" }],
  ["__proto__", JSON.parse('{"code":"__proto__","message":"x"}')],
  ["a code that is no text", { code: 404 }],
  ["no code", { message: "x" }],
  ["text", "no-such-file"],
  ["nothing", undefined],
  ["null", null],
  ["a list", ["no-such-file"]],
] as const;

for (const [what, reported] of FOREIGN) {
  test(`fromWire makes an internal failure of ${what}`, () => {
    const failure = fromWire(reported, "nas");
    assert.ok(failure instanceof Failure);
    assert.equal(failure.code, "internal" satisfies FailureCode);
    assert.match(failure.message, /^nas: /);
  });
}

test("fromWire never repeats what a stranger wrote", () => {
  const codes = fc.constantFrom<string>(...CODES, "unknown");
  fc.assert(
    fc.property(codes, fc.string(), (code, text) => {
      const marked = `\u001b]0;${text}`;
      assert.ok(!fromWire({ code, message: marked }, "nas").message.includes("\u001b"));
    }),
  );
});

test("isErrno knows the codes it was asked for, on errors alone", () => {
  const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
  assert.equal(isErrno(missing, "ENOENT"), true);
  assert.equal(isErrno(missing, "EACCES", "ENOENT"), true);
  assert.equal(isErrno(missing, "EACCES"), false);
  assert.equal(isErrno(missing), false);
  assert.equal(isErrno({ code: "ENOENT" }, "ENOENT"), false);
  assert.equal(isErrno(new Error("ENOENT"), "ENOENT"), false);
  assert.equal(isErrno(Object.assign(new Error("x"), { code: 2 }), "2"), false);
});

const CODED = Object.assign(new Error("no entry"), { code: "ENOENT", errno: -2 });

test("an error of the system is told by its code, or as any if no code is asked for", () => {
  assert.ok(isErrno(CODED, "EACCES", "ENOENT"));
  assert.ok(!isErrno(CODED, "EACCES"));
  assert.ok(isErrno(CODED));
  assert.ok(!isErrno(Object.assign(new Error("wrong argument"), { code: "ERR_INVALID_ARG_TYPE" })));
  assert.ok(!isErrno(new Error("plain")));
});
