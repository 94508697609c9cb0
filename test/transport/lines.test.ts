import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readLines } from "../../src/transport/lines.ts";
import { failureWith } from "../support/failure-with.ts";

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let turn = 0; from < bytes.length; turn += 1) {
    const to = from + Math.max(1, sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(from, to);
    from = to;
  }
}

const read = (bytes: Uint8Array, sizes: readonly number[], most = 1000): Promise<string[]> =>
  Array.fromAsync(readLines(inChunks(bytes, sizes), most));

const TEXTS = [
  { text: "", lines: [] },
  { text: "a", lines: ["a"] },
  { text: "a\n", lines: ["a"] },
  { text: "\n", lines: [""] },
  { text: "a\n\nb\n", lines: ["a", "", "b"] },
  { text: "a\r\nb", lines: ["a\r", "b"] },
  { text: "\ufeffa\n", lines: ["\ufeffa"] },
] as const;

for (const { text, lines } of TEXTS) {
  test(`${JSON.stringify(text)} has the lines ${JSON.stringify(lines)}`, async () => {
    assert.deepEqual(await read(Buffer.from(text), [100]), lines);
    assert.deepEqual(await read(Buffer.from(text), [1]), lines);
  });
}

test("lines come out as they went in, however the bytes are cut", async () => {
  const line = fc.string({ unit: "binary" }).filter((text) => !text.includes("\n"));
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), sizes, async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      assert.deepEqual(await read(bytes, cuts, 100_000), lines);
    }),
  );
});

for (const sizes of [[1], [7], [1000]]) {
  test(`a line of exactly the limit passes and one more byte does not, in chunks of ${sizes}`, async () => {
    assert.deepEqual(await read(Buffer.from(`${"x".repeat(10)}\n`), sizes, 10), ["x".repeat(10)]);
    assert.deepEqual(await read(Buffer.from("x".repeat(10)), sizes, 10), ["x".repeat(10)]);
    for (const tooLong of [`${"x".repeat(11)}\n`, "x".repeat(11), `ok\n${"x".repeat(11)}\nok`]) {
      await assert.rejects(read(Buffer.from(tooLong), sizes, 10), failureWith("too-large"));
    }
  });
}

test("an endless line is refused long before it is held", async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      sent += 1000;
      yield Buffer.alloc(1000, "x");
    }
  }
  await assert.rejects(Array.fromAsync(readLines(endless(), 10_000)), failureWith("too-large"));
  assert.ok(sent <= 12_000);
});

for (const broken of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
  test(`the bytes ${Buffer.from(broken).toString("hex")} are no UTF-8`, async () => {
    await assert.rejects(read(Buffer.from([0x61, ...broken, 10]), [1]), failureWith("bad-message", /UTF-8/));
  });
}
