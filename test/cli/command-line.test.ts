import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { runCommandLine } from "../../src/cli/command-line.ts";
import type { Engines } from "../../src/cli/engines.ts";
import type { IndexServerOptions } from "../../src/index-server/index-server.ts";
import type { Operations } from "../../src/peer/operations.ts";
import type { PeerOptions, VisitorOptions } from "../../src/peer/options.ts";
import type { GetRequest, Found as Hit, PeerEvent, SearchRequest } from "../../src/protocol/control-api.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { parseInvite } from "../../src/protocol/invite.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import type { Found } from "../../src/transport/discovery/browse.ts";
import {
  ALICE,
  ALICE_SUMMARY,
  BOB,
  CONTENT,
  END,
  fakeOperations,
  hit,
  known,
  streamOf,
  thenSilence,
} from "../peer/control/fake-operations.ts";
import { memoryStream } from "./memory-output.ts";
import { tempHome } from "./temp-home.ts";

const KEY = `${"k".repeat(42)}A`;
const INVITE = `tukar://192.0.2.9:9450/${BOB}?key=${KEY}`;

const UI = "http://127.0.0.1:9449/?token=secret";

type Sample = {
  readonly engines?: Partial<Engines>;
  readonly typed?: string;
  readonly env?: Record<string, string>;
  readonly operations?: Operations;
};

/** Runs a command line in this process, with fakes for all it would start. `began` records what it started. */
async function sample(
  t: TestContext,
  { engines = {}, typed = "", env = {}, operations = fakeOperations() }: Sample = {},
) {
  const home = await tempHome(t);
  const ending = new AbortController();
  const began = {
    visitors: [] as VisitorOptions[],
    peers: [] as PeerOptions[],
    indexes: [] as IndexServerOptions[],
    closed: [] as string[],
  };
  const out = memoryStream();
  const err = memoryStream();
  const closing = (what: string) => async () => void began.closed.push(what);
  const world = {
    version: "1.2.3",
    surroundings: {
      env,
      cwd: home,
      userFolder: home,
      dataFolder: path.join(home, "data"),
      hostName: "laptop",
      exists: existsSync,
      isFolder: existsSync,
      readText: () => undefined,
    },
    input: Readable.from([typed]),
    out,
    err,
    signal: ending.signal,
    now: () => 0,
    engines: {
      openControlClient: async () => undefined,
      openVisitor: async (options: VisitorOptions) => {
        began.visitors.push(options);
        return { operations, close: closing("visitor") };
      },
      openLocalDesks: async () => ({ operations, close: closing("queue") }),
      startPeer: async (options: PeerOptions) => {
        began.peers.push(options);
        const where = { host: "::", port: 9500, page: UI };
        return { id: ALICE, name: ALICE_SUMMARY.name, ...where, operations, close: closing("peer") };
      },
      startIndexServer: async (options: IndexServerOptions) => {
        began.indexes.push(options);
        const invites = [INVITE, INVITE.replace("192.0.2.9", "198.51.100.1")];
        return {
          id: BOB,
          host: "::",
          port: 9450,
          invite: INVITE,
          invites,
          unannounced: undefined,
          close: closing("index"),
        };
      },
      lastNetwork: async () => parseInvite(INVITE),
      networkKey: async () => known(parseInvite(INVITE)?.key),
      lookAround: async () => ({ found: [], trouble: undefined }),
      answers: async () => false,
      startHashing: () => Promise.reject(new Error("nothing is hashed in these tests")),
      ...engines,
    } satisfies Engines,
  };
  return { home, out, err, began, ending, run: (...args: string[]) => runCommandLine(args, world) };
}

test("help goes to stdout and ends with 0, of a command too", async (t) => {
  for (const args of [["--help"], ["help"], ["help", "ls"], ["ls", "--help"], ["-h"]]) {
    const { out, err, run } = await sample(t);
    assert.equal(await run(...args), 0, args.join(" "));
    assert.match(out.text(), /^Usage: tukar /, args.join(" "));
    assert.equal(err.text(), "");
  }
});

test("--version prints the version", async (t) => {
  const { out, run } = await sample(t);
  assert.equal(await run("--version"), 0);
  assert.equal(out.text(), "1.2.3\n");
});

const WRONG: { args: string[]; says: RegExp }[] = [
  { args: ["pers"], says: /Unknown command "pers" \(Did you mean peers\?\)/ },
  { args: ["ls"], says: /Missing required argument "peer": type tukar ls <peer> \[path\] \[-r\]\n/ },
  { args: ["ls", "bob", "--recursiv"], says: /Unknown option "--recursiv" \(Did you mean --recursive\?\)/ },
  { args: ["peers", "bob"], says: /Too many arguments: type tukar peers \[-w\]\n/ },
  { args: ["get", "bob"], says: /"name": type tukar get <peer> <name...> \| <content-id...> \[-o/ },
  { args: ["get", CONTENT, "x.txt"], says: /"x.txt" is no content id: after one only others may follow\n/ },
  { args: ["get", "3"], says: /"3" alone does not say what to get: rows are known in the shell/ },
  { args: ["teleport", "x"], says: /Unknown command "teleport": type tukar help to see all\n/ },
  { args: ["help", "teleport"], says: /Unknown command "teleport": type tukar help to see all\n/ },
  { args: ["search"], says: /"words": type tukar search <words...> \[options\]\n/ },
  { args: ["search", "x", "--limt", "5"], says: /Unknown option "--limt": type tukar help search to see all\n/ },
  { args: ["search", "x", "--min", "big"], says: /Cannot use "big" for --min: give a size such as 500k/ },
  { args: ["search", "x", "--min", "2k", "--max", "1k"], says: /No file has at least 2k and at most 1k/ },
  { args: ["search", "x", "--type", "songs"], says: /"songs" for --type: give one of audio, video, .* or audio\/\*\n/ },
  { args: ["search", "x", "--limit", "0"], says: /"0" for --limit: give a number from 1/ },
  { args: ["search", "x", "--peer", ""], says: /--peer needs a peer/ },
  { args: ["search", "x".repeat(201)], says: /search for have 201 characters: 200 are the most\n/ },
  { args: ["help", "pers"], says: /Unknown command "pers"/ },
  {
    args: ["peer", "--connect", "x:0"],
    says: /Cannot use "x:0" for --connect: give HOST:PORT of a peer, or a whole invite/,
  },
  { args: ["peers", "--home"], says: /Option "--home <dir>" needs a value\n/ },
  { args: ["peer", `tukar://h/${BOB}?key=${KEY}`], says: /"h" is not HOST:PORT; give HOST:PORT, or a whole invite/ },
  { args: ["peer", `tukar://h:1/${BOB.slice(1)}?key=${KEY}`], says: /the index id "b+q" is cut off or mistyped; give/ },
  {
    args: ["peer", `tukar://h:1/${BOB}?key=${KEY.slice(1)}`],
    says: /"tukar:\/\/h:1\/b+q\?key=\.\.\." for the network to join: the key is cut off or mistyped; give/,
  },
  { args: ["peer", "tukar://x"], says: /Cannot use "tukar:\/\/x" for the network to join/ },
  { args: ["ls", "bob", "../x"], says: /cannot be the path of a shared folder/ },
  { args: ["get", "bob", "x", "-o", ""], says: /-o needs a path/ },
  { args: ["get", "bob", ""], says: /"" names nothing/ },
  { args: ["get", "bob", "x", "./"], says: /".\/" names nothing/ },
  { args: ["get", "bob", "-notes.txt"], says: /"-notes.txt": names that begin with a dash go after --\n/ },
  { args: ["--nonsense"], says: /Unknown option "--nonsense": type tukar help to see all\n/ },
];
for (const { args, says } of WRONG) {
  test(`tukar ${args.join(" ")} is wrong usage`, async (t) => {
    const { out, err, run } = await sample(t);
    assert.equal(await run(...args), 2);
    assert.equal(out.text(), "");
    assert.match(err.text(), says);
    assert.equal(err.lines().length, 1);
  });
}

test("wrong usage with --json is a JSON line", async (t) => {
  const { err, run } = await sample(t);
  assert.equal(await run("--json", "pers"), 2);
  const { event, code, message } = JSON.parse(err.text());
  assert.deepEqual([event, code, message], ["error", "usage", 'Unknown command "pers" (Did you mean peers?)']);
});

const SEARCHES: { args: string[]; asks: Partial<SearchRequest> }[] = [
  { args: ["blue", "green"], asks: { q: "blue green", limit: 100 } },
  { args: ["blue", "-live", "--limit", "7"], asks: { q: "blue -live", limit: 7 } },
  { args: ["-live", "blue", "--json"], asks: { q: "-live blue" } },
  { args: ["--type", "audio", "--", "-rf", "blue"], asks: { q: "-rf blue", type: "audio" } },
  { args: ['"blue in green" -live'], asks: { q: '"blue in green" -live' } },
  { args: ["blue", "--min", "10M", "--max", "1.5GiB"], asks: { min: 10_485_760, max: 1_610_612_736 } },
  {
    args: ["blue", "--peer", "bob the second", "--type", "IMAGE/*"],
    asks: { peer: "bob the second", type: "image/*" },
  },
];
for (const { args, asks } of SEARCHES) {
  test(`tukar search ${args.join(" ")} asks for ${JSON.stringify(asks)}`, async (t) => {
    const asked: SearchRequest[] = [];
    const operations = fakeOperations({
      search(request) {
        asked.push(request);
        return streamOf<Hit>([END]);
      },
    });
    const { run } = await sample(t, { operations });
    assert.equal(await run("search", ...args), 0);
    assert.deepEqual({ ...asked[0], ...asks }, asked[0]);
  });
}

test("global options count before and after the command", async (t) => {
  for (const args of [
    ["--json", "--home", "h", "peers"],
    ["peers", "--json", "--home", "h"],
  ]) {
    const { home, out, began, run } = await sample(t);
    assert.equal(await run(...args), 0);
    assert.equal(JSON.parse(out.lines()[0] ?? "").name, "alice");
    assert.equal(began.visitors[0]?.home, path.join(home, "h"));
  }
});

test("a command uses the running peer, and opens no session of its own", async (t) => {
  const { began, run } = await sample(t, { engines: { openControlClient: async () => fakeOperations() } });
  assert.equal(await run("peers"), 0);
  assert.deepEqual(began.visitors, []);
});

test("a command on its own joins the network last joined, and leaves it", async (t) => {
  const { began, run } = await sample(t);
  assert.equal(await run("peers"), 0);
  assert.deepEqual(began.visitors[0]?.network, parseInvite(INVITE));
  assert.deepEqual(began.closed, ["visitor"]);
});

const NETWORKS: { given: string; visitor: boolean }[] = [
  { given: "192.0.2.9:9450", visitor: false },
  { given: `tukar://203.0.113.77:1/${BOB}`, visitor: false },
  { given: "192.0.2.9:9451", visitor: true },
  { given: `tukar://192.0.2.9:9450/${ALICE}`, visitor: true },
];
for (const { given, visitor } of NETWORKS) {
  test(`with --index ${given} a command ${visitor ? "asks on its own" : "asks the running peer"}`, async (t) => {
    const { began, run } = await sample(t, { engines: { openControlClient: async () => fakeOperations() } });
    assert.equal(await run("peers", "--index", given), 0);
    assert.equal(began.visitors.length, visitor ? 1 : 0);
  });
}

for (const args of [["connect", "192.0.2.7:9500"], ["limit"]]) {
  test(`tukar ${args.join(" ")} takes a running peer, be a network known or not`, async (t) => {
    const { err, began, run } = await sample(t);
    assert.equal(await run(...args), 3);
    assert.match(err.text(), /No peer runs under ".*": start one with tukar peer\n/);
    assert.equal(began.visitors.length, 0);
  });
}

test("without any network known, a command says what to do and ends with 4", async (t) => {
  const { err, run } = await sample(t, { engines: { lastNetwork: async () => undefined } });
  assert.equal(await run("ls", "bob"), 4);
  assert.match(err.text(), /No index server is known yet: start one with tukar index/);
});

test("the exit status tells what failed, and the session is closed all the same", async (t) => {
  const operations = fakeOperations({
    list: () => streamOf([], new Failure("no-such-peer", 'No peer is called "zoe"')),
  });
  const { err, began, run } = await sample(t, { operations });
  assert.equal(await run("ls", "zoe"), 3);
  assert.equal(err.text(), 'tukar: No peer is called "zoe"\n');
  assert.deepEqual(began.closed, ["visitor"]);
});

test("a command that is interrupted ends with 130", { timeout: 10_000 }, async (t) => {
  const reached = Promise.withResolvers<void>();
  const operations = fakeOperations({
    get(_, signal) {
      reached.resolve();
      return thenSilence([], signal);
    },
  });
  const { began, ending, run } = await sample(t, { operations });
  const status = run("get", "bob", "x");
  await reached.promise;
  ending.abort(new Failure("interrupted"));
  assert.equal(await status, 130);
  assert.deepEqual(began.closed, ["visitor"]);
});

test("even one that is still joining", { timeout: 10_000 }, async (t) => {
  const reached = Promise.withResolvers<void>();
  const openVisitor = () => {
    reached.resolve();
    return new Promise<never>(() => undefined);
  };
  const { ending, run } = await sample(t, { engines: { openVisitor } });
  const status = run("peers");
  await reached.promise;
  ending.abort(new Failure("interrupted"));
  assert.equal(await status, 130);
});

test("index prints the invite and what to type elsewhere, and ends with 0 when told to", {
  timeout: 10_000,
}, async (t) => {
  const { home, out, err, began, ending, run } = await sample(t);
  const status = run("index", "--port", "0", "--open", "--name", "lab");
  await linesOn(err, 1);
  ending.abort(new Failure("interrupted"));
  assert.equal(await status, 0);
  assert.equal(out.lines()[1], `To join from another machine: tukar peer "${INVITE}"`);
  assert.deepEqual(err.lines(), ["Where 192.0.2.9:9450 cannot be reached, put in its place: 198.51.100.1:9450"]);
  assert.deepEqual(
    [began.indexes[0]?.port, began.indexes[0]?.open, began.indexes[0]?.home],
    [0, true, path.join(home, "data")],
  );
  assert.deepEqual(began.closed, ["index"]);
});

test("what to type elsewhere begins with npx where npm started the program", { timeout: 10_000 }, async (t) => {
  const { out, ending, run } = await sample(t, { env: { npm_command: "exec" } });
  const status = run("index");
  await linesOn(out, 2);
  ending.abort(new Failure("interrupted"));
  await status;
  assert.ok(out.lines()[1]?.endsWith(`: npx tukar peer "${INVITE}"`));
});

test("peer tells which network it is in, and where shared files and downloads lie", { timeout: 10_000 }, async (t) => {
  const { home, out, err, ending, run } = await sample(t);
  const status = run("peer", "--dir", "d");
  await linesOn(err, 3);
  ending.abort(new Failure("interrupted"));
  assert.equal(await status, 0);
  assert.deepEqual(out.lines(), ["Peer alice (aaaaaaaa) on port 9500, in the network of lab"]);
  assert.deepEqual(err.lines(), [
    `Shares what lies in ${path.join(home, "d", "shared")}`,
    `Page: ${UI}`,
    `Downloads land in ${path.join(home, "d", "received")}`,
  ]);
});

test("peer says how much is shared when that is something else, not each time that it was taken", {
  timeout: 10_000,
}, async (t) => {
  const shared = (files: number): PeerEvent => ({ event: "shared", files, bytes: 4 });
  const events = [shared(3), shared(3), { event: "problem", message: "odd" } as const, shared(3), shared(4), shared(3)];
  const operations = fakeOperations({ events: (signal) => thenSilence(events, signal) });
  const { err, ending, run } = await sample(t, { operations });
  const status = run("peer", "--dir", "d");
  await linesOn(err, 7);
  ending.abort(new Failure("interrupted"));
  assert.equal(await status, 0);
  assert.deepEqual(
    err
      .lines()
      .slice(3)
      .map((line) => line.replace(/,.*/, "")),
    ["Sharing 3 files", "odd", "Sharing 4 files", "Sharing 3 files"],
  );
});

test("index --json prints the ready line of the contract", { timeout: 10_000 }, async (t) => {
  const { out, ending, run } = await sample(t);
  const status = run("index", "--json");
  await linesOn(out, 1);
  ending.abort();
  assert.equal(await status, 0);
  assert.deepEqual(JSON.parse(out.text()), {
    event: "ready",
    role: "index",
    id: BOB,
    host: "::",
    port: 9450,
    invite: INVITE,
  });
});

test("peer --json prints the ready line first, then what happens", { timeout: 10_000 }, async (t) => {
  const shared: PeerEvent = { event: "shared", files: 3, bytes: 4 };
  const operations = fakeOperations({ events: (signal) => thenSilence([shared], signal) });
  const { home, out, began, ending, run } = await sample(t, { operations });
  const status = run("peer", INVITE, "--json", "--dir", "d", "--share", ".");
  await linesOn(out, 2);
  ending.abort(new Failure("interrupted"));
  assert.equal(await status, 0);
  assert.deepEqual(
    out.lines().map((line) => JSON.parse(line)),
    [{ event: "ready", role: "peer", id: ALICE, name: "alice", host: "::", port: 9500, ui: UI }, shared],
  );
  assert.deepEqual(began.peers[0]?.network, parseInvite(INVITE));
  assert.deepEqual(began.peers[0]?.folders, [
    { path: path.join(home, "d", "shared"), name: "" },
    { path: home, name: path.basename(home) },
  ]);
  assert.ok(existsSync(path.join(home, "d", "shared")), "the folder to share from is made");
  assert.deepEqual(began.closed, ["peer"]);
});

test("no command means up: an index server and a peer that joins it by its key", { timeout: 10_000 }, async (t) => {
  const { out, began, ending, run } = await sample(t);
  const status = run("--json");
  await linesOn(out, 2);
  ending.abort();
  assert.equal(await status, 0);
  assert.deepEqual(
    out.lines().map((line) => JSON.parse(line).role),
    ["index", "peer"],
  );
  assert.deepEqual(began.peers[0]?.network, { address: { host: "127.0.0.1", port: 9450 }, indexId: BOB, key: KEY });
  assert.deepEqual(began.closed, ["peer", "index"]);
});

test("up joins the index server that runs here already", { timeout: 10_000 }, async (t) => {
  const startIndexServer = () => Promise.reject(new Failure("port-in-use"));
  const { out, began, ending, run } = await sample(t, { engines: { startIndexServer } });
  const status = run("up", "--json");
  await linesOn(out, 1);
  ending.abort();
  assert.equal(await status, 0);
  assert.deepEqual(began.peers[0]?.network, known(parseInvite(INVITE)));
});

test("up joins the network it is given, and starts none", { timeout: 10_000 }, async (t) => {
  const { out, began, ending, run } = await sample(t, { env: { TUKAR_INDEX: "192.0.2.77:9450" } });
  const status = run("up", "--json");
  await linesOn(out, 1);
  ending.abort();
  assert.equal(await status, 0);
  assert.deepEqual([began.indexes.length, began.peers[0]?.network?.address.host], [0, "192.0.2.77"]);
});

const NEARBY = { v: PROTOCOL_VERSION, role: "index", access: "open", port: 9450 } as const;
const LAN: { called: string; found: Found[]; args: string[]; indexes: number; host: string }[] = [
  {
    called: "the only open network on the LAN",
    found: [{ ...NEARBY, id: BOB, address: { host: "192.0.2.50", port: 9450 } }],
    args: [],
    indexes: 0,
    host: "192.0.2.50",
  },
  {
    called: "its own network if there are several",
    found: [BOB, ALICE].map((id) => ({ ...NEARBY, id, address: { host: "192.0.2.50", port: 9450 } })),
    args: [],
    indexes: 1,
    host: "127.0.0.1",
  },
  {
    called: "its own network with --no-discovery",
    found: [{ ...NEARBY, id: BOB, address: { host: "192.0.2.50", port: 9450 } }],
    args: ["--no-discovery"],
    indexes: 1,
    host: "127.0.0.1",
  },
];
for (const { called, found, args, indexes, host } of LAN) {
  test(`up in a new home joins ${called}`, { timeout: 10_000 }, async (t) => {
    const lan = { lookAround: async () => ({ found, trouble: undefined }), answers: async () => true };
    const { out, began, ending, run } = await sample(t, { engines: { ...lan, lastNetwork: async () => undefined } });
    const status = run("up", "--json", ...args);
    await linesOn(out, indexes + 1);
    ending.abort();
    assert.equal(await status, 0);
    assert.deepEqual([began.indexes.length, began.peers[0]?.network?.address.host], [indexes, host]);
  });
}

test("when the peer of up cannot start, its index server is closed again", async (t) => {
  const startPeer = () => Promise.reject(new Failure("home-in-use", "A peer is already running"));
  const { err, began, run } = await sample(t, { engines: { startPeer } });
  assert.equal(await run("up"), 1);
  assert.match(err.text(), /already running/);
  assert.deepEqual(began.closed, ["index"]);
});

test("the shell runs the lines of a pipe, and ends with the status of the last failure", {
  timeout: 10_000,
}, async (t) => {
  const operations = fakeOperations({ list: () => streamOf([], new Failure("no-such-peer", "nobody")) });
  const typed = '# a comment\n\n/ping "bob the second"\nls zoe\npers\nls zoe\ninfo\n';
  const { out, err, began, run } = await sample(t, { typed, operations });
  assert.equal(await run("shell"), 3);
  assert.match(out.lines()[0] ?? "", /answered in/);
  assert.deepEqual(err.lines(), [
    "tukar: nobody",
    'tukar: Unknown command "pers" (Did you mean peers?)',
    "tukar: nobody",
  ]);
  assert.ok(out.text().includes("Index server"), "the line after a failure is run");
  assert.equal(began.visitors.length, 1);
});

for (const leave of ["quit", "exit", "/quit"]) {
  test(`${leave} leaves the shell`, { timeout: 10_000 }, async (t) => {
    const { out, run } = await sample(t, { typed: `${leave}\nping bob\n` });
    assert.equal(await run("shell"), 0);
    assert.equal(out.text(), "");
  });
}

/** The gets that come of lines typed into a shell whose search finds a song that many have, and a note that only bob has. */
async function typedGets(t: TestContext, ...lines: string[]) {
  const gets: GetRequest[] = [];
  const operations = fakeOperations({
    search: () => streamOf<Hit>([hit("song.mp3", { sources: 3 }), hit("new/note.txt", { content: null }), END]),
    get(request) {
      gets.push(request);
      return streamOf([]);
    },
  });
  const shell = await sample(t, { typed: `${lines.join("\n")}\n`, operations });
  const status = await shell.run("shell");
  return { gets, status, out: shell.out.text(), err: shell.err.text() };
}

const SONG = { peer: null, names: [CONTENT], called: { [CONTENT]: "song.mp3" }, recursive: false, output: null };
const NOTE = { peer: BOB, names: ["new/note.txt"], recursive: false, output: null };
const ROWS: { lines: string[]; gets: unknown[] }[] = [
  { lines: ["search x", "get 1"], gets: [SONG] },
  { lines: ["search x", "get 2"], gets: [NOTE] },
  { lines: ["search x", "get 1-2 1"], gets: [SONG, NOTE] },
  { lines: ["ls bob", "get 1 2"], gets: [{ ...NOTE, peer: "bob", names: ["music", "song.mp3"] }] },
  { lines: ["ls bob", "get 1 -r"], gets: [{ ...NOTE, peer: "bob", names: ["music"], recursive: true }] },
  { lines: ["search x", "ls bob", "get 2"], gets: [{ ...NOTE, peer: "bob", names: ["song.mp3"] }] },
  { lines: ["search x", "get bob 3"], gets: [{ ...NOTE, peer: "bob", names: ["3"] }] },
  { lines: [`get ${CONTENT}`], gets: [{ ...NOTE, peer: null, names: [CONTENT] }] },
];
for (const { lines, gets } of ROWS) {
  test(`in the shell ${lines.join(", then ")} fetches ${JSON.stringify(gets)}`, { timeout: 10_000 }, async (t) => {
    const typed = await typedGets(t, ...lines);
    assert.deepEqual(JSON.parse(JSON.stringify(typed.gets)), gets);
    assert.deepEqual([typed.status, typed.err], [0, ""]);
  });
}

test("several rows go into a folder, whatever -o looks like", { timeout: 10_000 }, async (t) => {
  const { gets } = await typedGets(t, "search x", "get 1 2 -o here");
  for (const { output } of gets) assert.ok(output?.endsWith(`here${path.sep}`), String(output));
});

const NO_ROWS: { lines: string[]; says: RegExp }[] = [
  { lines: ["get 1"], says: /There is no row 1: search or ls something first\n/ },
  { lines: ["search x", "get 3"], says: /There is no row 3: the last listing has rows 1 to 2\n/ },
  { lines: ["search x", "get 1-999999999"], says: /There is no row 999999999/ },
  { lines: ["search x", "get 0"], says: /There is no row 0/ },
];
for (const { lines, says } of NO_ROWS) {
  test(`in the shell ${lines.join(", then ")} says that there is no such row`, { timeout: 10_000 }, async (t) => {
    const { gets, status, err } = await typedGets(t, ...lines);
    assert.deepEqual([gets, status], [[], 3]);
    assert.match(err, says);
  });
}

test("in the shell ls takes the row of a folder, and of a file tells what to do", { timeout: 10_000 }, async (t) => {
  const listed: string[] = [];
  const operations = fakeOperations({
    list(request) {
      listed.push(request.path);
      return fakeOperations().list(request, new AbortController().signal);
    },
  });
  const { err, run } = await sample(t, { typed: "ls bob\nls 1\nls 2\n", operations });
  assert.equal(await run("shell"), 2);
  assert.deepEqual(listed, ["", "music"]);
  assert.match(err.text(), /Row 2 is a file: get 2 fetches it/);
});

test("in the shell double quotes make a phrase, and keep blanks in the values of options", {
  timeout: 10_000,
}, async (t) => {
  const asked: SearchRequest[] = [];
  const operations = fakeOperations({
    search(request) {
      asked.push(request);
      return streamOf<Hit>([END]);
    },
  });
  const typed = `search --sources "blue in green" -"take two" path:"my music" 'a b' --peer "bob the second"\n`;
  const { run } = await sample(t, { typed, operations });
  assert.equal(await run("shell"), 0);
  assert.equal(asked[0]?.q, '"blue in green" -"take two" path:"my music" a b');
  assert.equal(asked[0]?.peer, "bob the second");
});

test("the shell helps", { timeout: 10_000 }, async (t) => {
  const { out, err, run } = await sample(t, { typed: "help\nhelp get\nget --help\nhelp nonsense\n" });
  assert.equal(await run("shell"), 2);
  for (const verb of ["peers", "ls", "get", "search", "ping", "info", "help", "quit"])
    assert.match(out.text(), new RegExp(`^ +${verb}\\b`, "m"));
  assert.equal(out.text().split("Usage: get [options] <peer> <name...>").length, 3);
  assert.match(err.text(), /There is no verb "nonsense"/);
});

/** Resolves when so many lines have been written. */
async function linesOn(stream: ReturnType<typeof memoryStream>, count: number): Promise<void> {
  const write = stream._write.bind(stream);
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = (): void => void (stream.lines().length >= count && resolve());
  stream._write = (chunk, encoding, done) => {
    write(chunk, encoding, done);
    check();
  };
  check();
  await promise;
}
