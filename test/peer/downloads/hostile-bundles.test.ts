import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { contentIdOf } from "../../../src/content/blake3.ts";
import { get } from "../../../src/peer/downloads/get.ts";
import { openRemotePeer } from "../../../src/peer/remote-peer.ts";
import type { BundleHead } from "../../../src/protocol/bundle.ts";
import { encodeBundleHead } from "../../../src/protocol/bundle-head.ts";
import type { GetEvent } from "../../../src/protocol/control-api.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { PEER_ROUTES } from "../../../src/protocol/routes.ts";
import { answerLines } from "../../../src/transport/answer.ts";
import type { Clock } from "../../../src/transport/clock.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { startSecureServer } from "../../../src/transport/secure-server.ts";
import { log } from "../../support/silent-log.ts";
import { NOBODY_ELSE } from "./nobody-else.ts";
import { blockListOf } from "./scripted-peer.ts";

/** A peer that offers the folder `tree` and says in its bundles, or of what it lists, whatever a test wants. */

const TIMEOUT = { timeout: 60_000 };
const FOLDER = { kind: "folder", path: "tree", size: 6, modified: 0, type: null, content: null };

type Says = {
  /** Answers the n-th request for a bundle. */
  readonly bundle: (response: ServerResponse, asked: number) => void;
  readonly listing?: readonly unknown[];
  readonly content?: (response: ServerResponse) => void;
};

type Got = { readonly events: readonly GetEvent[]; readonly received: string; readonly bundles: number };

const idOf = (text: string) => contentIdOf(blockListOf(Buffer.from(text)));

/** A file as it is listed, and as it stands in a bundle. */
function file(name: string, text: string) {
  return {
    kind: "file",
    path: `tree/${name}`,
    size: Buffer.byteLength(text),
    modified: 1_700_000_000_000,
    type: "text/plain",
    content: idOf(text),
    executable: false,
  };
}

const head = (value: unknown): Buffer => encodeBundleHead(value as BundleHead);
const piece = (name: string, text: string, changes = {}): Buffer =>
  Buffer.concat([head({ ...file(name, text), follows: true, ...changes }), Buffer.from(text)]);
const END = head({ kind: "end" });

/** A clock on which every wait is over at once, and nine seconds have passed by then. */
function hurriedClock(): Clock {
  let nowMs = 1_000_000;
  return {
    now: () => nowMs,
    after(_delayMs, callback) {
      const immediate = setImmediate(() => {
        nowMs += 9_000;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };
}

async function fetchFrom(t: TestContext, says: Says, received?: string): Promise<Got> {
  const top = realpathSync(mkdtempSync(path.join(tmpdir(), "tukar-hostile-")));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const into = received ?? path.join(top, "received");
  const identity = await createIdentity();
  let bundles = 0;
  const server = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: 0,
    log,
    async onRequest(request: IncomingMessage, response: ServerResponse) {
      const url = request.url ?? "";
      if (url.startsWith(PEER_ROUTES.resolve)) return answerLines(response, [FOLDER]);
      if (url.startsWith(PEER_ROUTES.files)) return answerLines(response, says.listing ?? []);
      if (url.startsWith(PEER_ROUTES.content) && says.content) return says.content(response);
      if (url !== PEER_ROUTES.bundle) throw new Failure("no-such-file");
      await request.toArray();
      bundles += 1;
      says.bundle(response, bundles);
    },
  });
  t.after(() => server.close());
  const known = {
    id: identity.id,
    name: peerNameFrom("liar"),
    hosts: ["127.0.0.1"],
    port: server.port,
    files: 0,
    bytes: 0,
    reachable: true,
  };
  const remote = openRemotePeer(known, identity);
  t.after(() => remote.close());
  const deps = {
    identity,
    clock: hurriedClock(),
    hashLocalFile: async () => idOf(""),
    source: async () => remote,
    neighbourhood: NOBODY_ELSE,
    received: into,
    platform: "linux",
  } as const;
  const request = { peer: "liar", names: ["tree"], recursive: true, output: null };
  const events = await Array.fromAsync(get(request, deps, new AbortController().signal));
  return { events: events.filter(({ event }) => event !== "progress"), received: into, bundles };
}

const said = (events: readonly GetEvent[]): string[] =>
  events.map((event) =>
    event.event === "failed" ? `${event.path} ${event.code}` : `${"path" in event ? event.path : ""} ${event.event}`,
  );

function sends(...parts: readonly Buffer[]): Says["bundle"] {
  return (response) => void response.writeHead(200).end(Buffer.concat(parts));
}

const LIES: readonly {
  readonly lie: string;
  readonly says: Says;
  readonly ends: readonly string[];
  readonly files?: readonly string[];
}[] = [
  {
    lie: "a file outside of the folder that was asked for",
    says: { bundle: sends(piece("a.txt", "abc"), piece("a.txt", "abc", { path: "other/a.txt" }), END) },
    ends: ["tree/a.txt done", "tree bad-message"],
    files: ["tree/a.txt"],
  },
  {
    lie: "the folder itself as a file",
    says: { bundle: sends(piece("a.txt", "abc", { path: "tree" }), END) },
    ends: ["tree bad-message"],
  },
  {
    lie: "a path that climbs out",
    says: { bundle: sends(piece("a.txt", "abc", { path: "tree/../../x" }), END) },
    ends: ["tree bad-message"],
  },
  {
    lie: "a head that is no JSON",
    says: { bundle: sends(Buffer.from([3, 0, 0, 0, 1, 2, 3])) },
    ends: ["tree bad-message"],
  },
  {
    lie: "a head of four gigabytes",
    says: { bundle: sends(Buffer.alloc(4, 0xff)) },
    ends: ["tree too-large"],
  },
  {
    lie: "a bundle without its end",
    says: { bundle: sends(piece("a.txt", "abc")) },
    ends: ["tree/a.txt done", "tree bad-message"],
    files: ["tree/a.txt"],
  },
  {
    lie: "something after the end",
    says: { bundle: sends(piece("a.txt", "abc"), END, END) },
    ends: ["tree/a.txt done", "tree bad-message"],
    files: ["tree/a.txt"],
  },
  {
    lie: "the same file twice",
    says: { bundle: sends(piece("a.txt", "abc"), piece("a.txt", "abc"), END) },
    ends: ["tree/a.txt done", "tree folder"],
    files: ["tree/a.txt"],
  },
  {
    lie: "a length that is a lie",
    says: {
      bundle: (response) => void response.writeHead(200, { "content-length": 3 }).end("abc"),
    },
    ends: ["tree bad-message"],
  },
  {
    lie: "no tukar",
    says: {
      bundle: (response) => void response.socket?.end("HTTP/1.0 200 OK\r\n\r\nabc"),
    },
    ends: ["tree not-tukar"],
  },
  {
    lie: "a refusal",
    says: {
      bundle: () => {
        throw new Failure("not-allowed");
      },
    },
    ends: ["tree not-allowed"],
  },
  {
    lie: "files that it cannot send",
    says: {
      bundle: sends(
        head({ kind: "failure", path: "tree/gone.txt", code: "no-such-file", message: "gone" }),
        piece("a.txt", "abc"),
        head({ kind: "failure", path: "tree/locked.txt", code: "file-unreadable", message: "locked" }),
        head({ kind: "failure", path: "tree/odd.txt", code: "a code of the future", message: "" }),
        END,
      ),
    },
    ends: [
      "tree/gone.txt no-such-file",
      "tree/a.txt done",
      "tree/locked.txt file-unreadable",
      "tree/odd.txt internal",
      "tree folder",
    ],
    files: ["tree/a.txt"],
  },
  {
    lie: "names that are too long for the disk",
    says: { bundle: sends(piece(`${"n".repeat(300)}.txt`, "abc"), piece("a.txt", "abc"), END) },
    ends: [`tree/${"n".repeat(300)}.txt cannot-save`, "tree/a.txt done", "tree folder"],
    files: ["tree/a.txt"],
  },
  {
    lie: "a path of 4,096 bytes",
    says: {
      bundle: sends(piece(`${`${"d".repeat(200)}/`.repeat(20)}${"e".repeat(66)}`, "abc"), piece("a.txt", "abc"), END),
    },
    ends: [`tree/${"d".repeat(200)}`, "tree/a.txt done", "tree folder"],
    files: ["tree/a.txt"],
  },
];

for (const { lie, says, ends, files = [] } of LIES) {
  test(`${lie} ends in ${ends.at(-1)}, and nothing else is saved`, {
    ...TIMEOUT,
    skip: process.platform === "win32",
  }, async (t) => {
    const { events, received } = await fetchFrom(t, says);
    const lines = said(events);
    assert.equal(lines.length, ends.length, lines.join("; "));
    for (const [at, line] of ends.toSorted().entries())
      assert.ok(lines.toSorted()[at]?.startsWith(line), lines.join("; "));
    assert.deepEqual(filesIn(received), files);
  });
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
}

test("wrong bytes in a bundle are asked for once more, on their own", TIMEOUT, async (t) => {
  const wrong = Buffer.concat([head({ ...file("a.txt", "abc"), follows: true }), Buffer.from("abX")]);
  const honest = await fetchFrom(t, {
    bundle: sends(wrong, piece("b.txt", "def"), END),
    content: (response) => void response.writeHead(200, { "content-length": 3 }).end("abc"),
  });
  assert.deepEqual(said(honest.events).toSorted(), ["tree folder", "tree/a.txt done", "tree/b.txt done"]);
  const liar = await fetchFrom(t, {
    bundle: sends(wrong, piece("b.txt", "def"), END),
    content: (response) => void response.writeHead(200, { "content-length": 3 }).end("abX"),
  });
  assert.deepEqual(said(liar.events).toSorted(), ["tree folder", "tree/a.txt content-mismatch", "tree/b.txt done"]);
  assert.deepEqual(filesIn(liar.received), ["tree/b.txt"]);
});

test(
  "a connection that breaks in a bundle costs what had come no second time, and no second event",
  TIMEOUT,
  async (t) => {
    const { events, received, bundles } = await fetchFrom(t, {
      listing: [file("a.txt", "abc"), file("b.txt", "def")],
      bundle(response, asked) {
        if (asked === 1) response.writeHead(200).write(piece("a.txt", "abc"), () => response.destroy());
        else response.writeHead(200).end(Buffer.concat([piece("b.txt", "def"), END]));
      },
    });
    assert.deepEqual(said(events), ["tree/a.txt done", "tree waiting", "tree/b.txt done", "tree folder"]);
    assert.deepEqual(filesIn(received), ["tree/a.txt", "tree/b.txt"]);
    assert.equal(bundles, 2);
  },
);

test("a peer that breaks off again and again is given up", TIMEOUT, async (t) => {
  const { events } = await fetchFrom(t, {
    listing: [file("a.txt", "abc")],
    bundle: (response) => response.destroy(),
  });
  assert.equal(said(events).at(-1), "tree unreachable");
});

const NOT_ASKED: readonly { readonly what: string; readonly parts: readonly Buffer[] }[] = [
  { what: "another file", parts: [piece("b.txt", "abc"), END] },
  { what: "another content", parts: [piece("a.txt", "other"), END] },
  { what: "a folder", parts: [head({ ...FOLDER, path: "tree/a.txt" }), END] },
  { what: "one file more", parts: [piece("a.txt", "abc"), piece("a.txt", "abc"), END] },
  { what: "one file less", parts: [END] },
];

for (const { what, parts } of NOT_ASKED) {
  test(`${what} than those named ends in bad-message`, TIMEOUT, async (t) => {
    const received = realpathSync(mkdtempSync(path.join(tmpdir(), "tukar-named-")));
    t.after(() => rmSync(received, { recursive: true, force: true }));
    mkdirSync(path.join(received, "tree")); // so that it is listed first
    const { events } = await fetchFrom(t, { listing: [file("a.txt", "abc")], bundle: sends(...parts) }, received);
    assert.equal(said(events).at(-1), "tree bad-message");
  });
}

test("a listing that leads elsewhere ends in bad-message", TIMEOUT, async (t) => {
  const received = realpathSync(mkdtempSync(path.join(tmpdir(), "tukar-listed-")));
  t.after(() => rmSync(received, { recursive: true, force: true }));
  mkdirSync(path.join(received, "tree"));
  const says = { listing: [{ ...file("a.txt", "abc"), path: "other/a.txt" }], bundle: sends(END) };
  assert.deepEqual(said((await fetchFrom(t, says, received)).events), ["tree bad-message"]);
});
