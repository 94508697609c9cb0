import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatInvite, parseInvite } from "../../src/protocol/invite.ts";
import { anyText, networkKey, peerId } from "./arbitraries.ts";

const ID = "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq";
const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant("fe80::1%eth0"), fc.constant("nas_2"));
const address = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }, { noNullPrototype: true });

test("parseInvite reads what formatInvite wrote", () => {
  const invites = fc.record(
    { address, indexId: peerId, key: fc.option(networkKey, { nil: undefined }) },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(invites, (invite) => assert.deepEqual(parseInvite(formatInvite(invite)), invite)));
});

const INVITES = [
  ["a private network", `tukar://nas.local:9450/${ID}?key=${KEY}`, { host: "nas.local", port: 9450 }, KEY],
  ["an open network", `tukar://10.0.0.5:9450/${ID}`, { host: "10.0.0.5", port: 9450 }, undefined],
  ["an IPv6 address", `tukar://[2001:db8::1]:9450/${ID}`, { host: "2001:db8::1", port: 9450 }, undefined],
  ["a slash at the end", `tukar://nas:9450/${ID}/`, { host: "nas", port: 9450 }, undefined],
  ["blanks around it, as pasted", `  tukar://nas:9450/${ID}?key=${KEY}\n`, { host: "nas", port: 9450 }, KEY],
] as const;

for (const [what, text, address, key] of INVITES) {
  test(`parseInvite reads ${what}`, () => assert.deepEqual(parseInvite(text), { address, indexId: ID, key }));
}

const NO_INVITES = [
  ["an address alone", "nas:9450"],
  ["another scheme", `https://nas:9450/${ID}`],
  ["no port", `tukar://nas/${ID}`],
  ["port 0", `tukar://nas:0/${ID}`],
  ["no id", "tukar://nas:9450/"],
  ["a shortened id", `tukar://nas:9450/${ID.slice(0, 8)}`],
  ["an empty key", `tukar://nas:9450/${ID}?key=`],
  ["a shortened key", `tukar://nas:9450/${ID}?key=${KEY.slice(1)}`],
  ["another parameter", `tukar://nas:9450/${ID}?token=${KEY}`],
  ["something after the key", `tukar://nas:9450/${ID}?key=${KEY}&x=1`],
  ["a user", `tukar://me@nas:9450/${ID}`],
  ["a fragment", `tukar://nas:9450/${ID}#x`],
] as const;

for (const [what, text] of NO_INVITES) {
  test(`parseInvite refuses ${what}`, () => assert.equal(parseInvite(text), undefined));
}

test("parseInvite answers to any text, and never throws", () => {
  fc.assert(fc.property(anyText, (text) => void parseInvite(`tukar://${text}`)));
});
