import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { ROSTER_MESSAGE_ENTRIES } from "../../src/protocol/limits.ts";
import { MESSAGE_DATA, type MessageData, type MessageType, parseMessage } from "../../src/protocol/messages.ts";
import type { RosterEntry } from "../../src/protocol/roster.ts";
import { anyText, contentId, peerId, peerName, sharePath } from "./arbitraries.ts";

const port = fc.integer({ min: 1, max: 65_535 });
const host = fc.oneof(fc.ipV4(), fc.ipV6());
const hosts = fc.array(host, { maxLength: 16 });
const size = fc.maxSafeNat();
const nothing = fc.constant({});
const spoken = fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 });
const base64url = (length: number) => fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${length}}$`));
const proof = record({ key: base64url(122), signature: base64url(86) });
const nodeRecord = record({
  id: peerId,
  name: peerName,
  hosts,
  port,
  files: size,
  bytes: size,
  online: fc.boolean(),
  version: fc.nat(),
  proof,
  age: fc.nat({ max: 60 * 60 * 1000 }),
});

const rosterEntry: fc.Arbitrary<RosterEntry> = record({
  id: peerId,
  name: peerName,
  hosts,
  on_index_host: fc.boolean(),
  port,
  files: size,
  bytes: size,
  reachable: fc.option(fc.boolean()),
});
const plainId = fc.stringMatching(/^[a-z0-9-]{1,40}$/);
const plainAuthor = record({ id: plainId, name: peerName, of: fc.string({ maxLength: 100 }) });
const rosterEntries = fc.array(rosterEntry, { maxLength: 3 });

/** What each type may carry. A new type does not compile until it is here. */
const DATA: { readonly [T in MessageType]: fc.Arbitrary<MessageData<T>> } = {
  JOIN: record({
    program: fc.string({ maxLength: 64 }),
    role: fc.constantFrom("peer", "visitor"),
    port: fc.option(port),
    hosts,
  }),
  WELCOME: record({ index_name: peerName, port: fc.option(port), seen_host: host }),
  LISTENING: record({ port }),
  PORT_REFUSED: record({ port }),
  ASSIGN: record({ port }),
  ROSTER: fc.record(
    {
      joined: rosterEntries,
      changed: rosterEntries,
      left: fc.array(record({ id: peerId, name: peerName }), { maxLength: 3 }),
      untold: record({ joined: size, left: size }),
    },
    { requiredKeys: ["joined", "changed", "left"], noNullPrototype: true },
  ),
  WHO: record({ id: peerId }),
  MEMBER: record({ id: peerId, member: fc.boolean() }),
  MESSAGE: fc.record(
    { text: spoken, plain: plainAuthor, plain_target: plainId },
    { requiredKeys: ["text"], noNullPrototype: true },
  ),
  BROADCAST: fc.record({ text: spoken, plain: plainAuthor }, { requiredKeys: ["text"], noNullPrototype: true }),
  PEERS: record({
    records: fc.array(nodeRecord, { maxLength: 3 }),
    suspects: fc.array(record({ id: peerId, version: fc.nat() }), { maxLength: 3 }),
  }),
  QUERY: fc.record(
    {
      q: fc.string({ maxLength: 200 }),
      content: fc.option(contentId),
      min: size,
      max: size,
      type: fc.constantFrom("audio", "image/png"),
    },
    { requiredKeys: ["q", "content"], noNullPrototype: true },
  ),
  HITS: record({
    of: fc.uuid(),
    hits: fc.array(
      record({
        path: sharePath,
        size: fc.nat(),
        modified: fc.nat(),
        type: fc.constant("audio/mpeg"),
        content: fc.option(contentId),
      }),
      { maxLength: 3 },
    ),
  }),
  PING: nothing,
  PONG: nothing,
  ACK: fc.record({ of: fc.uuid(), reached: size }, { requiredKeys: ["of"], noNullPrototype: true }),
  LEAVE: nothing,
  ERROR: record({
    code: fc.string({ maxLength: 64 }),
    message: fc.string({ maxLength: 1024 }),
    of: fc.option(fc.uuid()),
  }),
};

/** A record as JSON.parse makes it: with the prototype of every object. */
function record<T>(fields: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

const ID = "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq";

/** A message that is right but for what is changed. */
function envelope(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "WHO",
    message_id: randomUUID(),
    sender_id: ID,
    sender_name: "ada",
    timestamp: 1_767_225_600_000,
    data: { id: ID },
    target_id: null,
    hops: 0,
    proof: null,
    ...change,
  };
}

/** What is wrong with a message, "" if nothing is. */
function problemOf(message: unknown): string {
  const parsed = parseMessage(typeof message === "string" ? message : JSON.stringify(message));
  return "problem" in parsed ? parsed.problem : "";
}

/** Fields that say nothing when they are not there. */
const MAY_BE_MISSING: ReadonlySet<string> = new Set([
  "ROSTER.untold",
  "JOIN.shares",
  "ACK.reached",
  "MESSAGE.plain",
  "MESSAGE.plain_target",
  "BROADCAST.plain",
  "QUERY.type",
  "QUERY.min",
  "QUERY.max",
]);

for (const type of Object.keys(DATA) as MessageType[]) {
  test(`a ${type} message arrives as it was sent`, () => {
    fc.assert(
      fc.property(
        DATA[type] as fc.Arbitrary<unknown>,
        peerId,
        fc.option(peerId),
        fc.nat(255),
        fc.option(proof),
        (data, sender_id, target_id, hops, proof) => {
          const message = envelope({ type, sender_id, data, target_id, hops, proof });
          assert.deepEqual(parseMessage(JSON.stringify(message)), message);
        },
      ),
      { numRuns: 50 },
    );
  });

  test(`a ${type} message loses the fields that nobody knows, as a newer program may send them`, () => {
    fc.assert(
      fc.property(DATA[type] as fc.Arbitrary<object>, (data) => {
        const message = envelope({ type, data });
        const more = { ...message, newer: 1, data: { ...data, newer: { deep: true } } };
        assert.deepEqual(parseMessage(JSON.stringify(more)), message);
      }),
      { numRuns: 10 },
    );
  });

  for (const field of Object.keys(MESSAGE_DATA[type].shape)) {
    const mayBeMissing = MAY_BE_MISSING.has(`${type}.${field}`);
    test(`a ${type} message ${mayBeMissing ? "" : `without "${field}", or `}with an object for "${field}", is refused`, () => {
      fc.assert(
        fc.property(DATA[type] as fc.Arbitrary<object>, (data) => {
          const { [field]: _, ...rest } = data as Record<string, unknown>;
          const complaint = new RegExp(`^${type}: ${field}[.:]`);
          if (!mayBeMissing) assert.match(problemOf(envelope({ type, data: rest })), complaint);
          assert.match(problemOf(envelope({ type, data: { ...data, [field]: { a: 1 } } })), complaint);
        }),
        { numRuns: 5 },
      );
    });
  }
}

test("target_id, hops and proof may be left out", () => {
  const { target_id: _target, hops: _hops, proof: _proof, ...short } = envelope();
  assert.deepEqual(parseMessage(JSON.stringify(short)), { ...short, target_id: null, hops: 0, proof: null });
});

const WRONG_ENVELOPES = [
  ["an unknown type", { type: "SHUTDOWN" }, "type"],
  ["a type in small letters", { type: "who" }, "type"],
  ["a word that every object has as its type", { type: "constructor" }, "type"],
  ["__proto__ as its type", { type: "__proto__" }, "type"],
  ["no type", { type: undefined }, "type"],
  ["a list of types", { type: ["WHO"] }, "type"],
  ["no id", { message_id: undefined }, "message_id"],
  ["an id that is no UUID", { message_id: "1" }, "message_id"],
  ["a sender that is no id", { sender_id: "ada" }, "sender_id"],
  ["a sender's name of 65 characters", { sender_name: "a".repeat(65) }, "sender_name"],
  ["a sender's name with a terminal escape", { sender_name: "\u001b[2J" }, "sender_name"],
  ["a time in words", { timestamp: "2026-01-01T00:00:00Z" }, "timestamp"],
  ["a time that is no date", { timestamp: 8.64e15 + 1 }, "timestamp"],
  ["no data", { data: undefined }, "data"],
  ["data that is null", { data: null }, "WHO"],
  ["data that is a list", { data: [] }, "WHO"],
  ["data that is text", { data: "{}" }, "WHO"],
  ["a target that is no id", { target_id: "ada" }, "target_id"],
  ["fewer than 0 hops", { hops: -1 }, "hops"],
  ["more than 255 hops", { hops: 256 }, "hops"],
  ["half a hop", { hops: 0.5 }, "hops"],
  ["a million hops", { hops: 1_000_000 }, "hops"],
  ["a proof that is text", { proof: "trust me" }, "proof"],
  ["a proof without a key", { proof: { signature: "a".repeat(86) } }, "proof.key"],
  ["a signature that is too short", { proof: { key: "a".repeat(122), signature: "a" } }, "proof.signature"],
] as const;

for (const [what, change, field] of WRONG_ENVELOPES) {
  test(`a message with ${what} is refused, and the problem names "${field}"`, () => {
    assert.ok(problemOf(envelope(change)).startsWith(`${field}: `), problemOf(envelope(change)));
  });
}

const ENTRY = {
  id: ID,
  name: "ada",
  hosts: ["10.0.0.5", "2001:db8::1"],
  on_index_host: false,
  port: 9500,
  files: 0,
  bytes: 0,
  reachable: null,
};
const JOIN = { program: "tukar", role: "peer", port: null, hosts: ["10.0.0.5"] };
const NODE = {
  id: ID,
  name: "ada",
  hosts: ["10.0.0.5"],
  port: 9500,
  files: 0,
  bytes: 0,
  online: true,
  version: 1,
  proof: { key: "a".repeat(122), signature: "a".repeat(86) },
  age: 0,
};
const HIT = { path: "a.txt", size: 1, modified: 0, type: "text/plain", content: null };
const TOO_MANY = ROSTER_MESSAGE_ENTRIES + 1;

test("the data that the wrong ones below are made from is right", () => {
  assert.equal(problemOf(envelope({ type: "JOIN", data: JOIN })), "");
  assert.equal(problemOf(envelope({ type: "ROSTER", data: { joined: [ENTRY], changed: [], left: [] } })), "");
  assert.equal(problemOf(envelope({ type: "PEERS", data: { records: [NODE], suspects: [] } })), "");
  assert.equal(problemOf(envelope({ type: "HITS", data: { of: randomUUID(), hits: [HIT] } })), "");
});

const WRONG_DATA = [
  ["JOIN", "17 hosts", { ...JOIN, hosts: Array(17).fill("10.0.0.5") }],
  ["JOIN", "a host that is a name", { ...JOIN, hosts: ["internal.example.org"] }],
  ["JOIN", "a host with a port", { ...JOIN, hosts: ["10.0.0.5:22"] }],
  ["JOIN", "shares that are no yes or no", { ...JOIN, shares: 0 }],
  ["JOIN", "port 0", { ...JOIN, port: 0 }],
  ["ROSTER", "a negative number of files", { joined: [{ ...ENTRY, files: -1 }], changed: [], left: [] }],
  ["ROSTER", "more bytes than can be counted", { joined: [{ ...ENTRY, bytes: 2 ** 53 }], changed: [], left: [] }],
  ["JOIN", "an unknown role", { ...JOIN, role: "admin" }],
  ["JOIN", "a program's name of 65 characters", { ...JOIN, program: "a".repeat(65) }],
  ["ROSTER", "more newcomers than it may hold", { joined: Array(TOO_MANY).fill(ENTRY), changed: [], left: [] }],
  [
    "ROSTER",
    "more that left than it may hold",
    { joined: [], changed: [], left: Array(TOO_MANY).fill({ id: ID, name: "ada" }) },
  ],
  ["ROSTER", "an entry with a hostile name", { joined: [{ ...ENTRY, name: "a\u202eb" }], changed: [], left: [] }],
  ["ACK", "something that is no id", { of: "1" }],
  ["MESSAGE", "nothing to say", { text: "" }],
  ["MESSAGE", "10,001 characters", { text: "a".repeat(10_001) }],
  ["MESSAGE", "half a character", { text: "\ud800" }],
  ["BROADCAST", "a text that is a list", { text: ["hello"] }],
  [
    "BROADCAST",
    "the id of a tukar peer as that of a plain one",
    { text: "hi", plain: { id: ID, name: "ada", of: "1" } },
  ],
  ["MESSAGE", "a plain author without a name", { text: "hi", plain: { id: "p1", of: "1" } }],
  ["MESSAGE", "the id of a tukar peer as a plain target", { text: "hi", plain_target: ID }],
  ["QUERY", "201 characters", { q: "a".repeat(201), content: null }],
  ["QUERY", "a content that is none", { q: "", content: "b3-1" }],
  ["PEERS", "65 suspicions", { records: [], suspects: Array(65).fill({ id: ID, version: 1 }) }],
  ["PEERS", "a record without a proof", { records: [{ ...NODE, proof: null }], suspects: [] }],
  ["PEERS", "a record with a host that is a name", { records: [{ ...NODE, hosts: ["example.org"] }], suspects: [] }],
  ["PEERS", "a record that is older than an hour", { records: [{ ...NODE, age: 3_600_001 }], suspects: [] }],
  ["PEERS", "a million records", { records: Array(1_000_000).fill(0), suspects: [] }],
  ["HITS", "a path that leaves the share", { of: randomUUID(), hits: [{ ...HIT, path: "../a" }] }],
  ["HITS", "201 hits", { of: randomUUID(), hits: Array(201).fill(HIT) }],
  ["ERROR", "a message of 1,025 characters", { code: "internal", message: "a".repeat(1025), of: null }],
] as const;

for (const [type, what, data] of WRONG_DATA) {
  test(`a ${type} message with ${what} is refused`, () => {
    assert.match(problemOf(envelope({ type, data })), new RegExp(`^${type}: `));
  });
}

const GARBAGE = [
  ["nothing", ""],
  ["no JSON", "GET / HTTP/1.1\r\nHost: nas\r\n\r\n"],
  ["half a message", JSON.stringify(envelope()).slice(0, -1)],
  ["two messages", JSON.stringify(envelope()).repeat(2)],
  ["null", "null"],
  ["a number", "1"],
  ["text", '"JOIN"'],
  ["a list", "[]"],
  ["a message in a list", JSON.stringify([envelope()])],
  ["a message of another program", '{"jsonrpc":"2.0","method":"ping","id":1}'],
  ["brackets to exhaust the stack", `{"data":${"[".repeat(30_000)}${"]".repeat(30_000)}}`],
] as const;

for (const [what, frame] of GARBAGE) {
  test(`parseMessage says in one short line what is wrong with ${what}`, () => {
    assert.match(problemOf(frame), /^[^\n]{1,200}$/);
  });
}

test("a message with __proto__ and constructor changes no object and does not carry them on", () => {
  const text = JSON.stringify(envelope()).replace(
    "{",
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
  );
  const parsed = parseMessage(text);
  assert.ok(!("problem" in parsed));
  assert.ok(!("polluted" in parsed) && !("polluted" in {}));
  assert.deepEqual(Object.keys(parsed).toSorted(), Object.keys(envelope()).toSorted());
});

test("a field that is inherited through __proto__ counts as missing", () => {
  const { sender_id: _, ...rest } = envelope();
  const text = JSON.stringify(rest).replace("{", `{"__proto__":{"sender_id":"${ID}"},`);
  assert.match(problemOf(text), /^sender_id: /);
});

test("the problem never repeats what the stranger wrote", () => {
  const marked = {
    type: "\u001b[31mred",
    sender_id: "\u001b[31mred",
    sender_name: "\u001b[31mred",
    data: "\u001b[31mred",
  };
  for (const [field, value] of Object.entries(marked)) {
    const problem = problemOf(envelope({ [field]: value }));
    assert.ok(problem !== "" && !problem.includes("red"), problem);
  }
});

test("parseMessage answers to any text and any JSON, and never throws", () => {
  fc.assert(fc.property(anyText, (text) => void parseMessage(text)));
  fc.assert(fc.property(fc.jsonValue(), (value) => void parseMessage(JSON.stringify(value))));
  const fields = fc.dictionary(fc.constantFrom(...Object.keys(envelope())), fc.jsonValue());
  fc.assert(fc.property(fields, (change) => void parseMessage(JSON.stringify(envelope(change)))));
});
