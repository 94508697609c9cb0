import assert from "node:assert/strict";
import { test } from "node:test";
import { findPeer, type KnownPeer } from "../../../src/peer/network/directory.ts";
import { plainPeerId } from "../../../src/peer/plain/plain-id.ts";
import { parsePeerId } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { ADA, BOB, tukarPeer } from "./open-room.ts";

function plain(id: string, name: string): KnownPeer {
  const known = { ...tukarPeer(name), id: plainPeerId(id), name: peerNameFrom(name), hosts: ["192.0.2.9"] };
  return { ...known, plain: id };
}

const oldie = plain("p1", "oldie");
const posing = plain("p2", "bob");
const asId = plain("bob", "another");

const FOUND = [
  { text: "oldie", is: oldie, why: "its name" },
  { text: "OLDIE", is: oldie, why: "its name in another case" },
  { text: "p1", is: oldie, why: "what it calls its id" },
  { text: oldie.id, is: oldie, why: "the id that it has here" },
  { text: oldie.id.slice(0, 8), is: oldie, why: "the beginning of that" },
  { text: "bob", is: BOB, why: "the name of a tukar peer, whatever plain peers call themselves" },
  { text: "Bob", is: BOB, why: "the same in another case" },
  { text: "p2", is: posing, why: "what it calls its id, though its name is that of another" },
];

for (const { text, is, why } of FOUND) {
  test(`"${text}" means ${is.name} by ${why}`, () => {
    assert.equal(findPeer(text, [ADA, posing, asId, oldie, BOB]), is);
  });
}

test("the id of a plain peer has the form of all ids, and follows from what it calls itself", () => {
  assert.equal(parsePeerId(plainPeerId("p1")), plainPeerId("p1"));
  assert.notEqual(plainPeerId("p1"), plainPeerId("p2"));
});
