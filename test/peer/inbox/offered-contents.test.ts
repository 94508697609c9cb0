import assert from "node:assert/strict";
import { closeSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { startHashing } from "../../../src/content/hashing.ts";
import { gatherParcel } from "../../../src/peer/inbox/gather-parcel.ts";
import { createOfferedContents } from "../../../src/peer/inbox/offered-contents.ts";
import type { ContentId } from "../../../src/protocol/content-id.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { failureWith } from "../../support/failure-with.ts";
import { log } from "../../support/silent-log.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test("a content can be read by those alone to whom it is offered, as long as it is, and as it was", async (t) => {
  const file = path.join(await tempFolder(t), "note.txt");
  await writeFile(file, "text");
  const hashing = startHashing({ threads: 1, log });
  t.after(() => hashing.close());
  const gathered = await gatherParcel([file], { hashing, onProgress: () => undefined }, t.signal);
  const content = gathered.hashed[0]?.content as ContentId;
  const [bob, carol, mallory] = [await createIdentity(), await createIdentity(), await createIdentity()];

  const offered = createOfferedContents();
  offered.expect(1, bob.id, gathered.parcel.items);
  assert.throws(() => offered.open(content, bob.id), failureWith("too-many"));
  assert.throws(() => offered.blockList(content, bob.id), failureWith("too-many"));
  assert.equal(offered.blockList(content, carol.id), undefined);
  offered.hold(1, bob.id, gathered);
  offered.hold(2, carol.id, gathered);
  const { fd } = offered.open(content, bob.id);
  assert.equal(readFileSync(fd, "utf8"), "text");
  closeSync(fd);
  assert.ok(offered.blockList(content, carol.id));
  for (const stranger of [mallory.id, undefined]) {
    assert.equal(offered.blockList(content, stranger), undefined);
    assert.throws(() => offered.open(content, stranger), failureWith("no-such-file"));
  }

  offered.release(1);
  assert.throws(() => offered.open(content, bob.id), failureWith("no-such-file"));
  closeSync(offered.open(content, carol.id).fd);
  await writeFile(file, "changed");
  assert.throws(() => offered.open(content, carol.id), failureWith("no-such-file"));
  offered.release(2);
  assert.equal(offered.blockList(content, carol.id), undefined);
});
