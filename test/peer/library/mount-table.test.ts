import assert from "node:assert/strict";
import { test } from "node:test";
import { changedMounts, followMounts, parseMountTable } from "../../../src/peer/library/mount-table.ts";
import { createPlace } from "./shared-folder.ts";

const ROOT = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw";
const STICK = "36 22 8:17 / /media/my\\040stick\\134 rw master:1 - vfat /dev/sdb1 rw";

test("a mount table tells what is mounted where", () => {
  assert.deepEqual(
    [...parseMountTable(`${ROOT}\n${STICK}\n`)],
    [
      ["/", "22 8:1"],
      ["/media/my stick\\", "36 8:17"],
    ],
  );
});

test("a mount point that is not ASCII is read as UTF-8", () => {
  const line = Buffer.from("36 22 8:17 / /media/für\\040dich rw").toString("latin1");
  assert.deepEqual([...parseMountTable(line).keys()], ["/media/für dich"]);
});

test("what came, went, was replaced or covered has changed, and nothing else", () => {
  const table = (...points: [string, string][]) => new Map(points);
  assert.deepEqual(changedMounts(table(["/a", "1 8:1"], ["/b", "2 8:2"]), table(["/a", "1 8:1"], ["/c", "3 8:3"])), [
    "/b",
    "/c",
  ]);
  assert.deepEqual(changedMounts(table(["/a", "1 8:1"]), table(["/a", "4 8:1"])), ["/a"]);
  assert.deepEqual([...parseMountTable("1 0 8:1 / /a rw\n2 1 8:2 / /a rw")], [["/a", "2 8:2"]]);
});

test("a follower tells each change once, and nothing where there is no table", (t) => {
  const place = createPlace(t);
  const file = place.write("mounts", ROOT);
  const follow = followMounts(file);
  assert.deepEqual(follow(), []);
  place.write("mounts", `${ROOT}\n${STICK}`);
  assert.deepEqual(follow(), ["/media/my stick\\"]);
  assert.deepEqual(follow(), []);
  place.write("mounts", ROOT);
  assert.deepEqual(follow(), ["/media/my stick\\"]);
  assert.deepEqual(followMounts(place.at("nowhere"))(), []);
});
