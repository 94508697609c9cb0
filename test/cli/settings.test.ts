import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { type IndexFlags, resolveIndex } from "../../src/cli/index-settings.ts";
import { type PeerFlags, resolvePeer, resolveVisitor } from "../../src/cli/peer-settings.ts";
import { type GlobalFlags, resolveSettings, type Settings, type Surroundings } from "../../src/cli/settings.ts";
import { Failure } from "../../src/protocol/failures.ts";
import { KeptSettings } from "../../src/protocol/owner-api.ts";
import { BOB } from "../peer/control/fake-operations.ts";

type Given = {
  readonly env?: Record<string, string>;
  readonly files?: readonly string[];
  readonly folders?: readonly string[];
  readonly texts?: Readonly<Record<string, string>>;
};

const at = (...parts: string[]): string => path.resolve("/", ...parts);

function surroundings({ env = {}, files = [], folders = [], texts = {} }: Given = {}): Surroundings {
  const known = (list: readonly string[]) => (file: string) => list.some((one) => at(one) === file);
  return {
    env,
    cwd: at("desk"),
    userFolder: at("home", "alice"),
    dataFolder: at("data", "tukar"),
    hostName: "alices-laptop",
    exists: known([...files, ...folders]),
    isFolder: known(folders),
    readText: (file) => Object.entries(texts).find(([name]) => at(name) === file)?.[1],
  };
}

const SETTINGS: { what: string; flags?: GlobalFlags; given?: Given; gives: Partial<Settings> }[] = [
  {
    what: "nothing",
    gives: { home: at("data/tukar"), dir: at("home/alice/Tukar"), network: undefined, logLevel: "warn" },
  },
  { what: "TUKAR_HOME", given: { env: { TUKAR_HOME: "h" } }, gives: { home: at("desk/h") } },
  { what: "an empty TUKAR_HOME", given: { env: { TUKAR_HOME: "" } }, gives: { home: at("data/tukar") } },
  {
    what: "--home beside TUKAR_HOME",
    flags: { home: "/x" },
    given: { env: { TUKAR_HOME: "/y" } },
    gives: { home: at("x") },
  },
  { what: "shared/ in the current folder", given: { folders: ["/desk/shared"] }, gives: { dir: at("desk") } },
  { what: "received/ in the current folder", given: { folders: ["/desk/received"] }, gives: { dir: at("desk") } },
  { what: "shares.txt in the current folder", given: { files: ["/desk/shares.txt"] }, gives: { dir: at("desk") } },
  {
    what: "--dir beside shares.txt",
    flags: { dir: "d" },
    given: { files: ["/desk/shares.txt"] },
    gives: { dir: at("desk/d") },
  },
  {
    what: "--index with an address",
    flags: { index: "lab.example:9451" },
    gives: { network: { address: { host: "lab.example", port: 9451 }, indexId: undefined, key: undefined } },
  },
  {
    what: "--index with a bare host",
    flags: { index: "lab" },
    gives: { network: { address: { host: "lab", port: 9450 }, indexId: undefined, key: undefined } },
  },
  {
    what: "TUKAR_INDEX with an invite",
    given: { env: { TUKAR_INDEX: `tukar://[2001:db8::1]:9450/${BOB}` } },
    gives: { network: { address: { host: "2001:db8::1", port: 9450 }, indexId: BOB, key: undefined } },
  },
  {
    what: "--index beside TUKAR_INDEX",
    flags: { index: "a:1" },
    given: { env: { TUKAR_INDEX: "b:2" } },
    gives: { network: { address: { host: "a", port: 1 }, indexId: undefined, key: undefined } },
  },
  { what: "--log-level", flags: { logLevel: "debug" }, gives: { logLevel: "debug" } },
];

for (const { what, flags = {}, given, gives } of SETTINGS) {
  test(`settings with ${what}`, () => {
    const found: Record<string, unknown> = { ...resolveSettings(flags, surroundings(given)) };
    for (const [key, value] of Object.entries(gives)) assert.deepEqual(found[key], value, key);
  });
}

const peerOf = (flags: PeerFlags, given?: Given) => {
  const around = surroundings(given);
  return resolvePeer(flags, resolveSettings({}, around), around);
};
const indexOf = (flags: IndexFlags) => resolveIndex(flags, resolveSettings({}, surroundings()), at("desk"));

test("a peer without options shares ~/Tukar/shared on all addresses, at the port it is given, to members alone", () => {
  assert.deepEqual(peerOf({}), {
    home: at("data/tukar"),
    name: "alices-laptop",
    received: at("home/alice/Tukar/received"),
    folders: [{ path: at("home/alice/Tukar/shared"), name: "" }],
    manifest: at("home/alice/Tukar/shares.txt"),
    host: "::",
    port: undefined,
    guests: false,
    meeting: [],
    shares: true,
    accept: "ask",
    downloads: { running: 16, perPeer: 8 },
    limits: { up: null, down: null, slots: null },
    page: { host: "127.0.0.1", port: undefined, password: undefined },
  });
});

test("the options of a peer say otherwise", () => {
  const flags = {
    name: " Bob ",
    received: "in",
    manifest: "m.txt",
    host: "[::1]",
    port: "0",
    guests: true,
    connect: ["192.0.2.7:9500"],
    accept: "known",
    maxPerPeer: "2",
  };
  const peer = peerOf(flags, { files: ["/desk/m.txt"] });
  assert.deepEqual(
    { ...peer, home: "", folders: [] },
    {
      home: "",
      folders: [],
      name: "Bob",
      received: at("desk/in"),
      manifest: at("desk/m.txt"),
      host: "::1",
      port: 0,
      guests: true,
      meeting: [{ address: { host: "192.0.2.7", port: 9500 }, id: undefined }],
      shares: true,
      accept: "known",
      downloads: { running: 16, perPeer: 2 },
      limits: { up: null, down: null, slots: null },
      page: { host: "127.0.0.1", port: undefined, password: undefined },
    },
  );
});

test("what was changed in the settings counts where the command line says nothing", () => {
  const around = surroundings();
  const kept = KeptSettings.parse({
    name: "ada",
    accept: "known",
    guests: true,
    limits: { up: 5000, down: null, slots: 2 },
  });
  const settings = resolveSettings({}, around);
  const peer = resolvePeer({}, settings, around, kept);
  assert.deepEqual(
    [peer.name, peer.accept, peer.guests, peer.limits],
    ["ada", "known", true, { up: 5000, down: null, slots: 2 }],
  );
  const said = resolvePeer({ name: "bob", accept: "none", upLimit: "0" }, settings, around, kept);
  assert.deepEqual([said.name, said.accept, said.limits.up], ["bob", "none", 0]);
});

test("the page listens elsewhere only with a password, which no option shows", () => {
  const flags = { uiHost: "::", uiPort: "8080", uiPasswordFile: "secret" };
  const page = { host: "::", port: 8080, password: "open sesame" };
  assert.deepEqual(peerOf(flags, { texts: { "/desk/secret": "open sesame\n" } }).page, page);
  assert.deepEqual(peerOf({ uiHost: "::", uiPort: "8080" }, { env: { TUKAR_UI_PASSWORD: "open sesame" } }).page, page);
  assert.equal(peerOf({ ui: false }).page, undefined);
});

test("shared folders bear their own names, the second of a name a number", () => {
  const folders = ["/a/music", "/b/music", "/c/music"];
  const { folders: shared } = peerOf({ share: folders }, { folders });
  assert.deepEqual(shared.slice(1), [
    { path: at("a/music"), name: "music" },
    { path: at("b/music"), name: "music (2)" },
    { path: at("c/music"), name: "music (3)" },
  ]);
});

test("with --reshare what is received is shared under the name of its folder", () => {
  const { folders } = peerOf({ reshare: true });
  assert.deepEqual(folders.slice(1), [{ path: at("home/alice/Tukar/received"), name: "received" }]);
});

test("limits are read as they are typed; what is not said is left alone", () => {
  assert.deepEqual(peerOf({}).limits, { up: null, down: null, slots: null });
  const { limits } = peerOf({ upLimit: "1.5MiB/s", downLimit: "0", uploadSlots: "3" });
  assert.deepEqual(limits, { up: 1_572_864, down: 0, slots: 3 });
});

test("a visitor downloads to the usual folder", () => {
  const settings = resolveSettings({ dir: "/d" }, surroundings());
  assert.deepEqual(resolveVisitor(settings), {
    home: at("data/tukar"),
    name: "alices-laptop",
    received: at("d/received"),
  });
});

test("an index server without options is private, on port 9450 of all addresses", () => {
  assert.deepEqual(indexOf({}), {
    home: at("data/tukar"),
    host: "::",
    port: 9450,
    peerPorts: { first: 9500, last: 9999 },
    store: { kind: "sqlite", file: at("data/tukar/index.sqlite") },
    open: false,
    discovery: {},
    name: "alices-laptop",
  });
});

test("the options of an index server say otherwise", () => {
  const flags = {
    host: "127.0.0.1",
    port: "0",
    peerPorts: "9600-9600",
    store: "sqlite:i.db",
    open: true,
    name: "lab",
    discovery: false,
  };
  assert.deepEqual(indexOf(flags), {
    home: at("data/tukar"),
    host: "127.0.0.1",
    port: 0,
    peerPorts: { first: 9600, last: 9600 },
    store: { kind: "sqlite", file: at("desk/i.db") },
    open: true,
    discovery: undefined,
    name: "lab",
  });
  assert.deepEqual(indexOf({ store: "memory" }).store, { kind: "memory" });
});

test("TUKAR_NO_DISCOVERY counts like the option, unless it is empty", () => {
  for (const [value, finds] of [
    ["1", false],
    ["", true],
  ] as const) {
    const settings = resolveSettings({}, surroundings({ env: { TUKAR_NO_DISCOVERY: value } }));
    assert.deepEqual(
      [settings.discovery, resolveIndex({}, settings, at("desk")).discovery !== undefined],
      [finds, finds],
    );
  }
});

const settingsOf = (flags: GlobalFlags, given?: Given) => resolveSettings(flags, surroundings(given));

const WRONG: { flag: string; value: string; use: () => unknown }[] = [
  { flag: "--ui-host", value: "::", use: () => peerOf({ uiHost: "::" }) },
  { flag: "--ui-port", value: "http", use: () => peerOf({ uiPort: "http" }) },
  { flag: "--ui-password-file", value: "none", use: () => peerOf({ uiPasswordFile: "none" }) },
  { flag: "--index", value: "ftp://x", use: () => settingsOf({ index: "ftp://x" }) },
  { flag: "--index", value: "tukar://x:1/tooshort", use: () => settingsOf({ index: "tukar://x:1/tooshort" }) },
  { flag: "TUKAR_INDEX", value: "a b", use: () => settingsOf({}, { env: { TUKAR_INDEX: "a b" } }) },
  { flag: "--log-level", value: "loud", use: () => settingsOf({ logLevel: "loud" }) },
  { flag: "--port", value: "65536", use: () => peerOf({ port: "65536" }) },
  { flag: "--port", value: "-1", use: () => peerOf({ port: "-1" }) },
  { flag: "--port", value: "", use: () => peerOf({ port: "" }) },
  { flag: "--port", value: "80a", use: () => indexOf({ port: "80a" }) },
  { flag: "--host", value: "a b", use: () => peerOf({ host: "a b" }) },
  { flag: "--host", value: "", use: () => indexOf({ host: "" }) },
  { flag: "--name", value: " ", use: () => peerOf({ name: " " }) },
  { flag: "--name", value: "a\u202eb", use: () => indexOf({ name: "a\u202eb" }) },
  { flag: "--share", value: "nowhere", use: () => peerOf({ share: ["nowhere"] }) },
  { flag: "--share", value: "/", use: () => peerOf({ share: ["/"] }, { folders: ["/"] }) },
  { flag: "--manifest", value: "none.txt", use: () => peerOf({ manifest: "none.txt" }) },
  { flag: "--peer-ports", value: "9", use: () => indexOf({ peerPorts: "9" }) },
  { flag: "--peer-ports", value: "9-8", use: () => indexOf({ peerPorts: "9-8" }) },
  { flag: "--peer-ports", value: "0-8", use: () => indexOf({ peerPorts: "0-8" }) },
  { flag: "--store", value: "mysql:x", use: () => indexOf({ store: "mysql:x" }) },
  { flag: "--up-limit", value: "fast", use: () => peerOf({ upLimit: "fast" }) },
  { flag: "--up-limit", value: "10", use: () => peerOf({ upLimit: "10" }) },
  { flag: "--down-limit", value: "-1M", use: () => peerOf({ downLimit: "-1M" }) },
  { flag: "--upload-slots", value: "two", use: () => peerOf({ uploadSlots: "two" }) },
  { flag: "--upload-slots", value: "1000000", use: () => peerOf({ uploadSlots: "1000000" }) },
  { flag: "--store", value: "sqlite:", use: () => indexOf({ store: "sqlite:" }) },
];

for (const { flag, value, use } of WRONG) {
  test(`${JSON.stringify(value)} for ${flag} is wrong usage, and the message names both`, () => {
    assert.throws(use, (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, "usage");
      assert.ok(error.message.startsWith(`Cannot use "${value}" for ${flag}: `), error.message);
      return true;
    });
  });
}
