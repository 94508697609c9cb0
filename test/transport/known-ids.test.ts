import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { createIdentity } from "../../src/transport/identity.ts";
import { openKnownIds } from "../../src/transport/known-ids.ts";
import { failureWith } from "../support/failure-with.ts";
import { tempFolder } from "../support/temp-folder.ts";

const [{ id: ada }, { id: bob }] = [await createIdentity(), await createIdentity()];
const here = { host: "192.0.2.1", port: 9450 };
const there = { host: "2001:db8::1", port: 9450 };

test("at a first meeting anybody is welcome", async (t) => {
  const known = await openKnownIds(await tempFolder(t));
  await known.check(here, ada);
  await known.check(here, bob);
});

test("who was met once has to be met again, also after a restart", async (t) => {
  const home = await tempFolder(t);
  await (await openKnownIds(home)).remember(here, ada);
  const known = await openKnownIds(home);
  await known.check(here, ada);
  await known.check(there, bob);
  await known.check({ ...here, port: 9451 }, bob);
  await assert.rejects(
    known.check(here, bob),
    failureWith(
      "identity-mismatch",
      /^THE IDENTITY OF 192\.0\.2\.1:9450 HAS CHANGED: it was \w{8} and now shows \w{8}\. .* remove its line from ".*known-ids\.json"/,
    ),
  );
});

test("an invite overrules what was remembered", async (t) => {
  const known = await openKnownIds(await tempFolder(t));
  await known.remember(here, ada);
  await known.remember(here, bob);
  await known.check(here, bob);
  await assert.rejects(known.check(here, ada), failureWith("identity-mismatch"));
});

test("removing a line from the file is heard by a program that runs", async (t) => {
  const home = await tempFolder(t);
  const known = await openKnownIds(home);
  await known.remember(here, ada);
  await known.remember(there, ada);
  const file = path.join(home, "known-ids.json");
  const { [`[${there.host}]:${there.port}`]: _removed, ...kept } = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify(kept));
  await known.check(there, bob);
  await assert.rejects(known.check(here, bob), failureWith("identity-mismatch"));
});

test("two programs under one home forget nothing of each other", async (t) => {
  const home = await tempFolder(t);
  const [first, second] = [await openKnownIds(home), await openKnownIds(home)];
  await first.remember(here, ada);
  await second.remember(there, ada);
  await assert.rejects(first.check(there, bob), failureWith("identity-mismatch"));
  await assert.rejects(second.check(here, bob), failureWith("identity-mismatch"));
});

for (const text of ["", "{", "[]", '{"192.0.2.1:9450":"not an id"}', "null"]) {
  test(`a file with ${JSON.stringify(text)} is refused and not overwritten`, async (t) => {
    const home = await tempFolder(t);
    const file = path.join(home, "known-ids.json");
    await writeFile(file, text);
    await assert.rejects(
      openKnownIds(home),
      failureWith("home-unusable", /Cannot read ".*known-ids\.json": .*repair or remove it/),
    );
    assert.equal(await readFile(file, "utf8"), text);
  });
}
