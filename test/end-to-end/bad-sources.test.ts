import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { test } from "node:test";
import type { ByteRange } from "../../src/protocol/byte-range.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { answerFailure } from "../../src/transport/answer.ts";
import { blocksAsked, corruptNowAndThen, type Script } from "../peer/downloads/scripted-peer.ts";
import { contentKnown, startNetwork } from "./network.ts";
import { scriptedSource } from "./scripted-source.ts";
import { tukarJson } from "./tukar-process.ts";

const TIMEOUT = { timeout: 100_000 };
const MIB = 1024 * 1024;
const SIZE_BYTES = 12 * MIB;
/** Slow enough for the bad source to be of use. */
const SLOW = ["--up-limit", "8MiB"];

/** Honest at first, so that it has work when it begins to misbehave. */
function later(misbehave: (response: ServerResponse, range: ByteRange) => void): Script {
  return {
    answer(response, range, asked) {
      if (asked > 1) misbehave(response, range);
      return asked > 1;
    },
  };
}

const SOURCES: readonly { readonly what: string; readonly script: Script; readonly isDropped: boolean }[] = [
  { what: "corrupts one byte in a thousand blocks", script: corruptNowAndThen(), isDropped: true },
  { what: "sends nothing but noise", script: { body: ({ length }) => randomBytes(length) }, isDropped: true },
  {
    what: "stalls for ever after the headers",
    script: later((response, { first, last }) => {
      const range = `bytes ${first}-${last}/${SIZE_BYTES}`;
      response.writeHead(206, { "content-length": last - first + 1, "content-range": range }).flushHeaders();
    }),
    isDropped: false,
  },
  {
    what: "lies about its blocks",
    script: later((response) => answerFailure(response, new Failure("not-yet"))),
    isDropped: false,
  },
];

for (const { what, script, isDropped } of SOURCES) {
  test(`a file comes whole though the peer that was asked for it ${what}`, TIMEOUT, async (t) => {
    await using network = await startNetwork();
    const bytes = randomBytes(SIZE_BYTES);
    await network.peer("bob", { "honest.bin": bytes }, SLOW);
    await contentKnown("honest", network.visitor("carol"));
    const liar = await scriptedSource(t, network.invite, bytes, script);
    const { status, stderr, lines } = await tukarJson(["get", "liar", "liars.bin", ...network.visitor("carol")]);
    assert.equal(status, 0, stderr);
    const done = lines.at(-1);
    assert.equal(done?.["saved"], path.join(network.folder, "carol", "received", "liars.bin"));
    assert.ok((await readFile(String(done["saved"]))).equals(bytes));
    assert.ok(liar.asked.length > (isDropped ? 0 : 1), "it had its chance");
    const dropped = lines.filter(({ event }) => event === "source-dropped");
    assert.equal(dropped.length, isDropped ? 1 : 0, JSON.stringify(lines));
    for (const { peer, reason } of dropped) {
      assert.equal(peer, '"liar"');
      assert.match(String(reason), /wrong bytes \(block \d+\)/);
    }
  });
}

test(
  "a file that nobody has but a peer that lies fails with status 5, and nothing bears its name",
  TIMEOUT,
  async (t) => {
    await using network = await startNetwork();
    const liar = await scriptedSource(t, network.invite, randomBytes(SIZE_BYTES), {
      body: ({ length }) => randomBytes(length),
    });
    const { status, stderr } = await tukarJson(["get", "liar", "liars.bin", ...network.visitor("carol")]);
    assert.equal(status, 5, stderr);
    const { code, message } = JSON.parse(stderr.trim());
    assert.equal(code, "content-mismatch");
    assert.match(message, /"liar" sent wrong bytes/);
    assert.ok(!existsSync(path.join(network.folder, "carol", "received", "liars.bin")));
    assert.ok(blocksAsked(liar.asked).length < 2 * (SIZE_BYTES / MIB));
  },
);
