import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "../src/protocol/program.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

type Locked = { readonly version: string; readonly resolved?: string; readonly optionalDependencies?: object };

const MANIFEST = readJson("package.json") as {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly files: readonly string[];
};
const LOCK = readJson("package-lock.json") as { readonly packages: Readonly<Record<string, Locked>> };

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(path.join(ROOT, file), "utf8"));
}

test("the program says the version that the package has", () => assert.equal(VERSION, MANIFEST.version));

test("the program that the package installs exists, and begins with a line that names Node", () => {
  const program = path.join(ROOT, MANIFEST.bin["tukar"] ?? "nothing");
  assert.match(readFileSync(program, "utf8"), /^#!\/usr\/bin\/env -S (?:\w+=\w+ )?node /);
});

test("everything that the package brings exists, but for dist, which is built", () => {
  const missing = MANIFEST.files.filter((file) => file !== "dist" && !/\*/.test(file));
  assert.deepEqual(
    missing.filter((file) => !existsSync(path.join(ROOT, file))),
    [],
  );
});

test("the lock file lists the packages of every platform, or npm ci refuses it", () => {
  const wanted = Object.entries(LOCK.packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => [`${place}/node_modules/${name}`, `node_modules/${name}`]),
  );
  assert.ok(wanted.length > 0);
  assert.deepEqual(
    wanted.filter((places) => !places.some((place) => place in LOCK.packages)),
    [],
  );
});

test("the lock file names no place to load packages from", () => {
  const named = Object.entries(LOCK.packages).filter(([, { resolved }]) => resolved !== undefined);
  assert.deepEqual(named, []);
});
