import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, isLoopback, parseAddress, plainIp } from "../../src/protocol/address.ts";
import { anyText } from "./arbitraries.ts";

const ADDRESSES = [
  { text: "10.0.0.5:9450", gives: { host: "10.0.0.5", port: 9450 } },
  { text: "nas.local:1", gives: { host: "nas.local", port: 1 } },
  { text: "build_box-7:65535", gives: { host: "build_box-7", port: 65_535 } },
  { text: "bücher.example:80", gives: { host: "bücher.example", port: 80 } },
  { text: "[::1]:9450", gives: { host: "::1", port: 9450 } },
  { text: "[2001:db8::10.0.0.5]:9450", gives: { host: "2001:db8::10.0.0.5", port: 9450 } },
  { text: "[fe80::1%eth0.1]:9450", gives: { host: "fe80::1%eth0.1", port: 9450 } },
  { text: "[fe80::1%br_lan]:9450", gives: { host: "fe80::1%br_lan", port: 9450 } },
  { text: "nas", gives: { host: "nas", port: 7 } },
  { text: "[::1]", gives: { host: "::1", port: 7 } },
  { text: "", gives: undefined },
  { text: ":9450", gives: undefined },
  { text: "nas:", gives: undefined },
  { text: "nas:0", gives: undefined },
  { text: "nas:65536", gives: undefined },
  { text: "nas:-1", gives: undefined },
  { text: "nas:9450x", gives: undefined },
  { text: "nas:9450 ", gives: undefined },
  { text: "::1:9450", gives: undefined },
  { text: "fe80::1", gives: undefined },
  { text: "[::1]9450", gives: undefined },
  { text: "[nas]:9450", gives: undefined },
  { text: "[dead]:9450", gives: undefined },
  { text: "[10.0.0.5]:9450", gives: undefined },
  { text: "[]:9450", gives: undefined },
  { text: "[1:2]:9450", gives: undefined },
  { text: "http://nas:9450", gives: undefined },
  { text: "nas/x:9450", gives: undefined },
  { text: "me@nas:9450", gives: undefined },
  { text: "two words:9450", gives: undefined },
  { text: "nas\u202e:9450", gives: undefined },
  { text: "nas\u001b[2J:9450", gives: undefined },
  { text: "%2e:9450", gives: undefined },
  { text: `${"a".repeat(254)}:9450`, gives: undefined },
] as const;

for (const { text, gives } of ADDRESSES) {
  test(`parseAddress answers ${JSON.stringify(gives) ?? "nothing"} to ${JSON.stringify(text)} with default port 7`, () => {
    assert.deepEqual(parseAddress(text, 7), gives);
  });
}

test("parseAddress wants a port where there is no default", () => {
  assert.equal(parseAddress("nas"), undefined);
  assert.equal(parseAddress("[::1]"), undefined);
});

test("parseAddress reads what formatAddress wrote", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  const addresses = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }, { noNullPrototype: true });
  fc.assert(fc.property(addresses, (address) => assert.deepEqual(parseAddress(formatAddress(address)), address)));
});

test("formatAddress writes what parseAddress read, whatever the text was", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const address = parseAddress(text, 9450);
      if (address) assert.deepEqual(parseAddress(formatAddress(address)), address);
    }),
  );
});

const IPS = [
  { ip: "127.0.0.1", plain: "127.0.0.1", loopback: true },
  { ip: "127.8.9.10", plain: "127.8.9.10", loopback: true },
  { ip: "::ffff:127.0.0.1", plain: "127.0.0.1", loopback: true },
  { ip: "::FFFF:10.0.0.5", plain: "10.0.0.5", loopback: false },
  { ip: "::1", plain: "::1", loopback: true },
  { ip: "10.127.0.1", plain: "10.127.0.1", loopback: false },
  { ip: "1270.0.0.1", plain: "1270.0.0.1", loopback: false },
  { ip: "127.0.0.1.example.org", plain: "127.0.0.1.example.org", loopback: false },
  { ip: "127.example.org", plain: "127.example.org", loopback: false },
  { ip: "fe80::1%eth0", plain: "fe80::1", loopback: false },
  { ip: "", plain: "", loopback: false },
];

for (const { ip, plain, loopback } of IPS) {
  test(`"${ip}" is plainly "${plain}" and ${loopback ? "this machine" : "not this machine"}`, () => {
    assert.equal(plainIp(ip), plain);
    assert.equal(isLoopback(ip), loopback);
  });
}
