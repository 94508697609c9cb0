import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findPeer, type KnownPeer } from "../../../src/peer/network/directory.ts";
import { Failure } from "../../../src/protocol/failures.ts";
import { parsePeerId } from "../../../src/protocol/peer-id.ts";
import { parsePeerName } from "../../../src/protocol/peer-name.ts";
import { anyText } from "../../protocol/arbitraries.ts";
import { failureWith } from "../../support/failure-with.ts";
import { present } from "../../support/present.ts";

function peer(name: string, idStart: string, hosts: readonly string[], port = 9500): KnownPeer {
  const id = present(parsePeerId(`${idStart}${"a".repeat(52 - idStart.length)}`));
  return { id, name: present(parsePeerName(name)), hosts, port, files: 0, bytes: 0, reachable: true };
}

const ada = peer("Ada", "abcd2222", ["192.0.2.1"]);
const ada2 = peer("ada", "abcd3333", ["192.0.2.2"], 9501);
const bob = peer("Bob Ünal", "bbbb2222", ["192.0.2.2", "2001:db8::2"]);
const cem = peer("cem:1", "cccc2222", ["192.0.2.3"]);
const named = peer("dddd", "eeee2222", ["192.0.2.4"]);
const prefixed = peer("Fay", "dddd2222", ["192.0.2.5"]);
const posing = peer("192.0.2.3", "gggg2222", ["192.0.2.6"]);
const digits = peer("2222", "hhhh2222", ["192.0.2.7"]);
const ALL = [ada, ada2, bob, cem, named, prefixed, posing, digits];

const FOUND = [
  { text: "Ada", is: ada, why: "its name" },
  { text: "ada", is: ada2, why: "its name" },
  { text: "bob ünal", is: bob, why: "its name in another case" },
  { text: " Bob U\u0308nal ", is: bob, why: "its name in another normal form, with blanks" },
  { text: ada.id, is: ada, why: "its id" },
  { text: "abcd2", is: ada, why: "the beginning of its id" },
  { text: "abcd3333", is: ada2, why: "its short id" },
  { text: "cem:1", is: cem, why: "its name, though it looks like an address" },
  { text: "192.0.2.1", is: ada, why: "its address" },
  { text: "2001:db8::2", is: bob, why: "its IPv6 address" },
  { text: "192.0.2.2:9501", is: ada2, why: "its address and port" },
  { text: "192.0.2.2:9500", is: bob, why: "its address and port" },
  { text: "[2001:db8::2]:9500", is: bob, why: "its IPv6 address and port" },
  { text: "[2001:db8::2]", is: bob, why: "its IPv6 address in brackets" },
  { text: "2001:DB8:0::2", is: bob, why: "its IPv6 address, written otherwise" },
  { text: "::ffff:192.0.2.1", is: ada, why: "its IPv4 address inside IPv6" },
  { text: "2222", is: digits, why: "its name, of digits alone" },
] as const;

for (const { text, is, why } of FOUND) {
  test(`"${text}" means ${is.name}: it is ${why}`, () => assert.equal(findPeer(text, ALL), is));
}

const AMBIGUOUS = [
  { text: "ADA", candidates: [ada, ada2], why: "two names in another case" },
  { text: "abcd", candidates: [ada, ada2], why: "the beginning of two ids" },
  { text: "192.0.2.2", candidates: [ada2, bob], why: "the address of two" },
  { text: "dddd", candidates: [named, prefixed], why: "the name of one and the beginning of another's id" },
  { text: "192.0.2.3", candidates: [cem, posing], why: "the address of one, which another took for a name" },
] as const;

for (const { text, candidates, why } of AMBIGUOUS) {
  test(`"${text}" is ambiguous: it is ${why}`, () => {
    assert.throws(
      () => findPeer(text, ALL),
      (error) =>
        failureWith("ambiguous", /means several peers, use an id/)(error) &&
        candidates.every(({ id, hosts }) => (error as Failure).message.includes(`${id.slice(0, 8)} at ${hosts[0]}`)),
    );
  });
}

const UNKNOWN = [
  "",
  " ",
  "a",
  "abc",
  "abcd4",
  "bob",
  "Bob",
  "192.0.2.99",
  "192.0.2.1:1",
  "ABCD2222",
  `${"z".repeat(51)}a`,
  "é".repeat(500),
  "\u202eada",
];

for (const text of UNKNOWN) {
  test(`${JSON.stringify(text.slice(0, 60))} means nobody`, () => {
    assert.throws(
      () => findPeer(text, ALL),
      failureWith("no-such-peer", /is online: "tukar peers" lists those who are/),
    );
  });
}

test("another's id as a name catches nothing that is meant for the other", () => {
  const thief = peer(ada.id, "iiii2222", ["192.0.2.9"]);
  assert.equal(findPeer(ada.id, [thief, ada]), ada);
  assert.throws(() => findPeer(ada.id, [thief]), failureWith("no-such-peer"));
});

test("of very many candidates only some are shown, and none that could upset a terminal", () => {
  const crowd = Array.from({ length: 50 }, (_, index) =>
    peer(
      "same",
      `bbbb${"abcdefghijklmnopqrstuvwxyz"[index % 26]}${"abcdefghijklmnopqrstuvwxyz"[Math.floor(index / 26)]}`,
      [],
    ),
  );
  assert.throws(
    () => findPeer("same", crowd),
    (error) => failureWith("ambiguous", /, and 40 more$/)(error) && (error as Failure).message.length < 1_000,
  );
});

test("whatever the text, one peer is found or a failure says why", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        assert.ok(ALL.includes(findPeer(text, ALL)));
      } catch (error) {
        assert.ok(error instanceof Failure && /^(?:no-such-peer|ambiguous)$/.test(error.code));
        assert.doesNotMatch(error.message, /[\u0000-\u001f\u202e]/);
      }
    }),
  );
});
