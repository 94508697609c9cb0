import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeVersion, PROTOCOL_VERSION } from "../../src/protocol/version.ts";

const VERDICTS = [
  { header: String(PROTOCOL_VERSION), gives: "same" },
  { header: String(PROTOCOL_VERSION + 1), gives: "newer" },
  { header: "999999", gives: "newer" },
  { header: undefined, gives: "not-tukar" },
  { header: "", gives: "not-tukar" },
  { header: "0", gives: "not-tukar" },
  { header: "-1", gives: "not-tukar" },
  { header: "01", gives: "not-tukar" },
  { header: "1.0", gives: "not-tukar" },
  { header: "1 ", gives: "not-tukar" },
  { header: "1, 1", gives: "not-tukar" },
  { header: "one", gives: "not-tukar" },
  { header: "9".repeat(400), gives: "not-tukar" },
  { header: ["1"], gives: "not-tukar" },
] as const;

for (const { header, gives } of VERDICTS) {
  test(`judgeVersion calls ${JSON.stringify(header) ?? "no header"} ${gives}`, () =>
    assert.equal(judgeVersion(header), gives));
}

test("judgeVersion calls every version before this one older", () => {
  for (let version = 1; version < PROTOCOL_VERSION; version++) assert.equal(judgeVersion(String(version)), "older");
});
