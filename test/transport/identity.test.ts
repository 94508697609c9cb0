import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { parsePeerId } from "../../src/protocol/peer-id.ts";
import { createIdentity, loadIdentity } from "../../src/transport/identity.ts";
import { failureWith } from "../support/failure-with.ts";
import { tempFolder } from "../support/temp-folder.ts";

const onWindows = process.platform === "win32";

test("an identity is made once and read again with the same id", async (t) => {
  const file = path.join(await tempFolder(t), "home", "identity.pem");
  const made = await loadIdentity(file);
  assert.equal(parsePeerId(made.id), made.id);
  assert.deepEqual(await loadIdentity(file), made);
});

test("two identities have different ids", async () => {
  assert.notEqual((await createIdentity()).id, (await createIdentity()).id);
});

test("those who start at the same time under one home agree on one identity", async (t) => {
  const home = await tempFolder(t);
  const file = path.join(home, "identity.pem");
  const all = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(file)));
  assert.equal(new Set(all.map(({ id }) => id)).size, 1);
  assert.deepEqual(await readdir(home), ["identity.pem"]);
});

test("only its owner may read an identity", { skip: onWindows && "Windows has no modes" }, async (t) => {
  const home = path.join(await tempFolder(t), "home");
  await loadIdentity(path.join(home, "identity.pem"));
  assert.equal((await stat(path.join(home, "identity.pem"))).mode & 0o777, 0o600);
  assert.equal((await stat(home)).mode & 0o777, 0o700);
});

const { keyPem, certificatePem } = await createIdentity();
const other = await createIdentity();
const DAMAGED = {
  "an empty file": "",
  "other text": "hello\n",
  "a key without certificate": keyPem,
  "a certificate without key": certificatePem,
  "a key that was cut off": keyPem.slice(0, 60) + certificatePem,
  "a certificate with a wrong byte":
    keyPem + certificatePem.replace(/.{10}\n-----END/, "AAAAAAAAAA\n-----END").replace("MII", "MIA"),
  "key and certificate of two identities": keyPem + other.certificatePem,
  "binary zeros": "\0".repeat(500),
};

for (const [what, text] of Object.entries(DAMAGED)) {
  test(`${what} in place of an identity is refused and left alone`, async (t) => {
    const file = path.join(await tempFolder(t), "identity.pem");
    await writeFile(file, text);
    await assert.rejects(
      loadIdentity(file),
      failureWith("home-unusable", /Cannot read the identity in ".*identity\.pem": .*restore it/),
    );
    assert.equal(await readFile(file, "utf8"), text);
  });
}

test("a home below a file is refused in one clear sentence", async (t) => {
  const folder = await tempFolder(t);
  await writeFile(path.join(folder, "file"), "");
  await assert.rejects(
    loadIdentity(path.join(folder, "file", "identity.pem")),
    failureWith("home-unusable", /Cannot \w+ ".*identity\.pem" \(ENOTDIR\): choose a home folder/),
  );
});

test("an identity file that is a folder is refused", async (t) => {
  await assert.rejects(loadIdentity(await tempFolder(t)), failureWith("home-unusable", /EISDIR/));
});
