import assert from "node:assert/strict";
import { test } from "node:test";
import { createIgnoreRules } from "../../../src/peer/library/ignore-rules.ts";
import { createPlace } from "./shared-folder.ts";

/** Rules at the top and in `sub`; what they say of an entry: its folder, its name, whether it is a folder. */
const CASES = [
  { top: "*.log", folder: "", name: "a.log", excluded: true },
  { top: "*.log", folder: "deep/down", name: "a.log", excluded: true },
  { top: "/a", folder: "", name: "a", excluded: true },
  { top: "/a", folder: "deep", name: "a", excluded: false },
  { top: "build/", folder: "deep", name: "build", excluded: false },
  { top: "build/", folder: "deep", name: "build", kind: "folder", excluded: true },
  { top: "sub/*.txt", folder: "sub", name: "a.txt", excluded: true },
  { top: "sub/*.txt", folder: "sub/deep", name: "a.txt", excluded: false },
  { top: "*.txt", sub: "!keep.txt", folder: "sub", name: "keep.txt", excluded: false },
  { top: "*.txt", sub: "!keep.txt", folder: "", name: "keep.txt", excluded: true },
  { sub: "/only", folder: "sub", name: "only", excluded: true },
  { sub: "/only", folder: "sub/deep", name: "only", excluded: false },
  { sub: "only", folder: "other", name: "only", excluded: false },
  { sub: "only", folder: "subway", name: "only", excluded: false },
] as const;

for (const { folder, name, excluded, ...rules } of CASES) {
  test(`${JSON.stringify(rules)} ${excluded ? "excludes" : "leaves"} "${name}" in "${folder}"`, (t) => {
    const place = createPlace(t);
    if ("top" in rules) place.write("share/.tukarignore", rules.top);
    if ("sub" in rules) place.write("share/sub/.tukarignore", rules.sub);
    const loaded = createIgnoreRules(place.at("share"));
    loaded.reload("", "top" in rules);
    loaded.reload("sub", "sub" in rules);
    assert.equal(loaded.excludes(folder, name, "kind" in rules ? rules.kind : "file"), excluded);
  });
}
