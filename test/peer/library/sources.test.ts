import assert from "node:assert/strict";
import { test } from "node:test";
import { nameFolders } from "../../../src/peer/library/sources.ts";

const FOLDERS = [
  { wishes: ["", "music"], gives: ["", "music"] },
  { wishes: ["music", "music", "music"], gives: ["music", "music (2)", "music (3)"] },
  { wishes: ["music", "music (2)", "music"], gives: ["music", "music (2)", "music (3)"] },
  { wishes: ["cafe\u0301", "caf\u00e9"], gives: ["caf\u00e9", "caf\u00e9 (2)"] },
  { wishes: ["", ""], gives: ["", ""] },
];

for (const { wishes, gives } of FOLDERS) {
  test(`folders named ${JSON.stringify(wishes)} are offered as ${JSON.stringify(gives)}`, () => {
    const { named, problems } = nameFolders(wishes.map((name) => ({ path: "/somewhere", name })));
    assert.deepEqual(
      named.map(({ name }) => name),
      gives,
    );
    assert.deepEqual(problems, []);
  });
}

test("a folder whose name others could not take is left out, and said", () => {
  const { named, problems } = nameFolders([
    { path: "/data/\u202enoc", name: "\u202enoc" },
    { path: "/data/fine", name: "fine" },
  ]);
  assert.deepEqual(
    named.map(({ name }) => name),
    ["fine"],
  );
  assert.deepEqual(problems, ['Cannot share "/data/\ufffdnoc": its name cannot be shown to others']);
});
