import assert from "node:assert/strict";
import { test } from "node:test";
import { HostSchema, RosterEntry } from "../../src/protocol/roster.ts";

for (const host of ["10.0.0.5", "::1", "2001:db8::1", "::ffff:10.0.0.5", "fd00::1:2"]) {
  test(`"${host}" is a host`, () => assert.equal(HostSchema.parse(host), host));
}

for (const host of [
  "",
  "nas",
  "nas.local",
  "10.0.0",
  "10.0.0.256",
  "010.0.0.5",
  "10.0.0.5:80",
  "[::1]",
  "::1/64",
  " ::1",
  "1::2::3",
]) {
  test(`"${host}" is no host`, () => assert.equal(HostSchema.safeParse(host).success, false));
}

const ENTRY = {
  id: "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq",
  name: "ada",
  hosts: ["10.0.0.5"],
  on_index_host: false,
  port: 9500,
  files: 1,
  bytes: 2,
  reachable: true,
};

for (const change of [
  {},
  { hosts: [] },
  { reachable: null },
  { reachable: false },
  { on_index_host: true },
  { port: 65_535 },
]) {
  test(`a roster entry with ${JSON.stringify(change)} is taken`, () => {
    assert.deepEqual(RosterEntry.parse({ ...ENTRY, ...change }), { ...ENTRY, ...change });
  });
}

for (const change of [
  { hosts: Array(17).fill("10.0.0.5") },
  { hosts: ["nas"] },
  { hosts: "10.0.0.5" },
  { port: 0 },
  { port: null },
  { reachable: "yes" },
  { reachable: undefined },
  { files: -1 },
  { id: "ada" },
  { name: "" },
]) {
  test(`a roster entry with ${JSON.stringify(change).slice(0, 60)} is refused`, () => {
    assert.equal(RosterEntry.safeParse({ ...ENTRY, ...change }).success, false);
  });
}
