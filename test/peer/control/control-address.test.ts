import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { controlAddress } from "../../../src/peer/control/control-address.ts";

const LINUX = { platform: "linux", tempFolder: "/tmp" } as const;
const WINDOWS = { platform: "win32", tempFolder: "C:\\Temp" } as const;

test("the control socket lies in the home folder", () => {
  assert.equal(controlAddress("/home/alice/.local/share/tukar", LINUX), "/home/alice/.local/share/tukar/control.sock");
});

test("a home folder with a long path gets a socket under the temp folder, each its own", () => {
  const first = controlAddress(`/home/${"x".repeat(100)}/1`, LINUX);
  const second = controlAddress(`/home/${"x".repeat(100)}/2`, LINUX);
  assert.match(first, /^\/tmp\/tukar-[0-9a-f]{24}\/control\.sock$/);
  assert.notEqual(first, second);
});

test("on Windows the address is a named pipe, whatever the case of the home folder", () => {
  assert.match(controlAddress("C:\\Users\\Alice\\Tukar", WINDOWS), /^\\\\\.\\pipe\\tukar-[0-9a-f]{24}$/);
  assert.equal(controlAddress("C:\\Users\\Alice", WINDOWS), controlAddress("c:\\users\\ALICE", WINDOWS));
});

test("no home folder leads to an address that is too long for a socket", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 30 }), (segments) => {
      assert.ok(Buffer.byteLength(controlAddress(`/${segments.join("/")}`, LINUX)) <= 100);
    }),
  );
});
