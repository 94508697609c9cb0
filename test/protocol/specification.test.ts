import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { blake3 } from "@napi-rs/blake-hash";
import { CONTENT_ID_PREFIX, encodeBlockList } from "../../src/protocol/block-list.ts";
import { blockSizeFor, contentIdFromDigest } from "../../src/protocol/content-id.ts";
import { FAILURES } from "../../src/protocol/failures.ts";
import * as limits from "../../src/protocol/limits.ts";
import { MESSAGE_DATA, parseMessage } from "../../src/protocol/messages.ts";
import { PLAIN_TYPES } from "../../src/protocol/plain.ts";
import { KEY_PROOF_HEADER } from "../../src/protocol/routes.ts";
import { PROTOCOL_VERSION, VERSION_HEADER } from "../../src/protocol/version.ts";

/** What `src/protocol/README.md` says, compared with what the program does. */

const SPECIFICATION = readFileSync(new URL("../../src/protocol/README.md", import.meta.url), "utf8");

/** The rows of the tables in a section (up to the next heading), as cells without code marks. */
function rowsOf(heading: string): string[][] {
  const [, section = ""] = SPECIFICATION.split(`\n${heading}\n`);
  const [text = ""] = section.split(/\n#+ /);
  const rows = text.split("\n").filter((line) => line.startsWith("|") && !/^[|\s:-]+$/.test(line));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, "$1")),
  );
}

test("the table of limits has the numbers of limits.ts, each once, and no others", () => {
  const [, ...rows] = rowsOf("## Limits");
  const written = rows.map(([name, value = ""]) => [name, Number(value.replaceAll(",", ""))] as const);
  assert.equal(new Set(written.map(([name]) => name)).size, rows.length);
  assert.deepEqual(Object.fromEntries(written), { ...limits });
});

test("the table of failures has the codes, statuses and sentences of failures.ts, each once, and no others", () => {
  const [, ...rows] = rowsOf("## Failures");
  const written = rows.map(([code, status, says]) => [code, { status: Number(status), says }] as const);
  assert.equal(new Set(written.map(([code]) => code)).size, rows.length);
  assert.deepEqual(Object.fromEntries(written), FAILURES);
});

test("the table of messages has each type once, and names every field of its data", () => {
  const [, ...rows] = rowsOf("### Messages");
  assert.deepEqual(rows.map(([type]) => type).toSorted(), Object.keys(MESSAGE_DATA).toSorted());
  for (const [type = "", , data = ""] of rows) {
    const schema = Object.entries(MESSAGE_DATA).find(([name]) => name === type)?.[1];
    for (const field of Object.keys(schema?.shape ?? {})) assert.match(data, new RegExp(`\\b${field}\\b`), type);
  }
});

test("the table of plain messages has each type once", () => {
  const types = rowsOf("### Plain JSON").filter(([type = ""]) => /^[A-Z]+$/.test(type));
  assert.deepEqual(types.map(([type]) => type).toSorted(), [...PLAIN_TYPES].toSorted());
});

test("the message that stands there as an example is one", () => {
  const [, example = ""] = /```json\n([^`]+)```/.exec(SPECIFICATION) ?? [];
  assert.deepEqual(parseMessage(example), JSON.parse(example));
});

test("version and headers are named as the program names them", () => {
  assert.ok(SPECIFICATION.startsWith(`# The tukar wire protocol, version ${PROTOCOL_VERSION}\n`));
  assert.ok(SPECIFICATION.includes(`\`${VERSION_HEADER}: ${PROTOCOL_VERSION}\``));
  assert.ok(SPECIFICATION.includes(`\n${KEY_PROOF_HEADER}: `));
});

test("the key proof's test vector follows from what is written above it", () => {
  const [, ...rows] = rowsOf("## Network key").slice(-6);
  const {
    key = "",
    "exported (hexadecimal)": exported = "",
    prover = "",
    verifier = "",
    proof,
  } = Object.fromEntries(rows);
  const expected = createHmac("sha256", Buffer.from(key, "base64url"))
    .update(Buffer.concat([Buffer.from(exported, "hex"), Buffer.from(prover), Buffer.from(verifier)]))
    .digest("base64url");
  assert.equal(proof, expected);
});

test("the table of block sizes is the rule that the program follows", () => {
  const rows = rowsOf("## Content").filter(([size]) => size?.startsWith("up to"));
  assert.equal(rows.length, 4);
  for (const [size = "", block = ""] of rows) {
    const sizeBytes = Number.parseInt(size.slice("up to ".length), 10) * 1024 ** 3;
    const blockBytes = Number.parseInt(block, 10) * 1024 ** 2;
    assert.deepEqual([blockSizeFor(sizeBytes), blockSizeFor(sizeBytes + 1)], [blockBytes, blockBytes * 2]);
  }
});

const FILES = [
  { called: "empty", bytes: "" },
  { called: "the 3 bytes `abc`", bytes: "abc" },
];

for (const { called, bytes } of FILES) {
  test(`the content id's test vector for a file that is "${called}" is what the program computes`, () => {
    const [, blockList, id] = rowsOf("## Content").find(([file]) => file === called) ?? [];
    const hashes = bytes === "" ? Buffer.alloc(0) : blake3(Buffer.from(bytes));
    const encoded = encodeBlockList({ sizeBytes: bytes.length, hashes });
    assert.equal(blockList, encoded.toString("hex"));
    assert.equal(id, contentIdFromDigest(blake3(Buffer.concat([Buffer.from(CONTENT_ID_PREFIX), encoded]))));
  });
}

test("the content id's prefix is written out", () => {
  assert.ok(SPECIFICATION.includes(`\`\`\`\n${CONTENT_ID_PREFIX.replace("\n", "\\n")}\n\`\`\``));
  assert.ok(SPECIFICATION.includes(`of these ${CONTENT_ID_PREFIX.length} bytes of ASCII`));
});
