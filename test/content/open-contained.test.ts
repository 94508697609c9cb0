import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { platform, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openContained, openContainedFolder } from "../../src/content/open-contained.ts";
import { isFailure } from "./failing.ts";

const onWindows = platform() === "win32";
let top: string;
let root: string;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "tukar-open-")));
  root = join(top, "share");
  mkdirSync(join(root, "sub"), { recursive: true });
  writeFileSync(join(root, "sub", "file"), "inside");
  mkdirSync(join(top, "elsewhere"));
  writeFileSync(join(top, "elsewhere", "file"), "outside");
});
afterEach(() => rmSync(top, { recursive: true }));

function read(path: string, local: string): string {
  const { fd, state } = openContained(path, local);
  try {
    const text = readFileSync(fd, "utf8");
    assert.equal(state.sizeBytes, text.length);
    return text;
  } finally {
    closeSync(fd);
  }
}

test("openContained opens a file of the share", () => {
  assert.equal(read(root, "sub/file"), "inside");
});

test("openContained works through a root that is itself a symbolic link", () => {
  symlinkSync(root, join(top, "link"));
  assert.equal(read(join(top, "link"), "sub/file"), "inside");
});

test("openContained follows a link to a file of the same share", () => {
  symlinkSync(join("sub", "file"), join(root, "link"));
  assert.equal(read(root, "link"), "inside");
});

test("openContained opens a single file under its real path, and not through links", () => {
  const file = join(root, "sub", "file");
  assert.equal(read(file, ""), "inside");
  symlinkSync(file, join(top, "link"));
  assert.throws(() => openContained(join(top, "link"), ""), isFailure("no-such-file"));
  symlinkSync(join(root, "sub"), join(top, "sublink"));
  assert.throws(() => openContained(join(top, "sublink", "file"), ""), isFailure("no-such-file"));
});

const ESCAPES = [
  { what: "a link to a file outside", make: () => symlinkSync(join(top, "elsewhere", "file"), join(root, "x")) },
  { what: "a relative link to a file outside", make: () => symlinkSync("../elsewhere/file", join(root, "x")) },
  {
    what: "a link to a link outside",
    make() {
      symlinkSync(join(top, "elsewhere", "file"), join(root, "y"));
      symlinkSync("y", join(root, "x"));
    },
  },
  { what: "a link to itself", make: () => symlinkSync("x", join(root, "x")) },
  { what: "a link to nowhere", make: () => symlinkSync("nowhere", join(root, "x")) },
  { what: "a link to a folder", make: () => symlinkSync("sub", join(root, "x")) },
  { what: "a folder", make: () => mkdirSync(join(root, "x")) },
  { what: "nothing", make: () => undefined },
];

for (const { what, make } of ESCAPES) {
  test(`openContained does not open ${what}`, () => {
    make();
    assert.throws(() => openContained(root, "x"), isFailure("no-such-file"));
  });
}

test("openContained does not open a file whose folder was swapped for a link to outside", () => {
  rmSync(join(root, "sub"), { recursive: true });
  symlinkSync(join(top, "elsewhere"), join(root, "sub"));
  assert.throws(() => openContained(root, "sub/file"), isFailure("no-such-file"));
});

test("openContained does not take a folder with a longer name for the share", () => {
  renameSync(join(top, "elsewhere"), join(top, "share-2"));
  symlinkSync(join(top, "share-2", "file"), join(root, "x"));
  assert.throws(() => openContained(root, "x"), isFailure("no-such-file"));
});

test("openContained neither opens a fifo nor waits for its writer", { skip: onWindows, timeout: 10_000 }, () => {
  execFileSync("mkfifo", [join(root, "x")]);
  assert.throws(() => openContained(root, "x"), isFailure("no-such-file"));
});

test("openContained does not open a socket", { skip: onWindows }, async () => {
  const server = createServer().listen(join(root, "x"));
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    assert.throws(() => openContained(root, "x"), isFailure("no-such-file"));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

const readsAnything = onWindows || userInfo().uid === 0;
test("openContained calls a file unreadable that the system refuses to open", { skip: readsAnything }, () => {
  chmodSync(join(root, "sub", "file"), 0);
  assert.throws(() => openContained(root, "sub/file"), isFailure("file-unreadable"));
});

test("a folder that is kept open gives its files, and none through links to outside", { skip: onWindows }, () => {
  symlinkSync(join(top, "elsewhere", "file"), join(root, "sub", "out"));
  symlinkSync("file", join(root, "sub", "in"));
  execFileSync("mkfifo", [join(root, "sub", "fifo")]);
  const folder = openContainedFolder(root, "sub");
  const text = (name: string): string => {
    const { fd } = folder.open(name);
    try {
      return readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  };
  try {
    assert.deepEqual([text("file"), text("in")], ["inside", "inside"]);
    for (const name of ["out", "fifo", "nowhere", "..", ".", "", "../../elsewhere/file"]) {
      assert.throws(() => folder.open(name), isFailure("no-such-file"), name);
    }
  } finally {
    folder.close();
  }
});

test("a folder that is kept open stays the same when its name is given to a link", { skip: onWindows }, () => {
  const folder = openContainedFolder(root, "sub");
  try {
    renameSync(join(root, "sub"), join(root, "moved"));
    symlinkSync(join(top, "elsewhere"), join(root, "sub"));
    const read = (): string => {
      const { fd } = folder.open("file");
      try {
        return readFileSync(fd, "utf8");
      } finally {
        closeSync(fd);
      }
    };
    if (platform() === "linux") assert.equal(read(), "inside");
    else assert.throws(read, isFailure("no-such-file"));
  } finally {
    folder.close();
  }
});

test("a folder outside of the share is not opened", { skip: onWindows }, () => {
  symlinkSync(join(top, "elsewhere"), join(root, "way-out"));
  mkdirSync(join(top, "share-2"));
  for (const local of ["way-out", "../elsewhere", "../share-2", "sub/file", "nowhere"]) {
    assert.throws(() => openContainedFolder(root, local).open("file"), isFailure("no-such-file"), local);
  }
});
