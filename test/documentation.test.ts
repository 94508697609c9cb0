import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { exitStatus } from "../src/cli/exit-status.ts";
import { createProgram } from "../src/cli/program.ts";
import { CONTROL_ROUTES, GetEvent, Info, PeerEvent } from "../src/protocol/control-api.ts";
import { FAILURES, type FailureCode } from "../src/protocol/failures.ts";
import { OWNER_ROUTES } from "../src/protocol/owner-api.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs/usage.md",
  "docs/api.md",
  "src/README.md",
  "src/protocol/README.md",
];

const ignore = async (): Promise<void> => undefined;
const program = createProgram(
  "0",
  {
    verb: ignore,
    runningVerb: ignore,
    queueVerb: ignore,
    reachableVerb: ignore,
    index: ignore,
    peer: ignore,
    up: ignore,
    shell: ignore,
    chat: ignore,
    hash: ignore,
  },
  { print: () => undefined, width: 80 },
);
const USAGE = read("docs/usage.md");

function read(page: string): string {
  return readFileSync(path.join(ROOT, page), "utf8");
}

/** The part of the usage page under a heading, up to the next heading of any level. */
function section(title: string): string {
  return new RegExp(`^#+ ${title}\\n([\\s\\S]*?)(?=^#+ |(?![\\s\\S]))`, "m").exec(USAGE)?.[1] ?? "";
}

for (const command of program.commands) {
  test(`README.md and docs/usage.md have the command ${command.name()}`, () => {
    assert.match(read("README.md"), new RegExp(`\`tukar ${command.name()}\\b`));
    assert.match(section(command.name()), new RegExp(`\\btukar ${command.name()}\\b`));
  });

  // "up" has options of "peer" and "index", and says so.
  const text = command.name() === "up" ? section("peer") + section("index") : section(command.name());
  for (const { long } of command.options) {
    test(`docs/usage.md has ${long} of ${command.name()}`, () => assert.ok(text.includes(`${long}`)));
  }
}

for (const { long } of program.options) {
  test(`docs/usage.md has ${long}, which every command takes`, () => {
    assert.ok(section("Options of every command").includes(`${long}`));
  });
}

for (const status of new Set(Object.keys(FAILURES).map((code) => exitStatus(code as FailureCode)))) {
  test(`README.md and docs/usage.md have the exit status ${status}`, () => {
    assert.match(section("Exit status"), new RegExp(`^\\| ${status} +\\|`, "m"));
    assert.match(read("README.md"), new RegExp(`[ ,\\n]${status} `));
  });
}

for (const { shape } of PeerEvent.options) {
  test(`docs/usage.md has the event ${shape.event.value} with its fields`, () => {
    const row = USAGE.split("\n").find((line) => line.startsWith(`| \`${shape.event.value}\``)) ?? "";
    for (const field of Object.keys(shape)) assert.ok(field === "event" || row.includes(`\`${field}\``), field);
  });
}

test("docs/usage.md has the fields of what get and info print", () => {
  const printed = GetEvent.options.filter(({ shape }) => ["progress", "done", "skipped"].includes(shape.event.value));
  for (const { shape } of [...printed, Info]) {
    for (const field of Object.keys(shape)) assert.ok(section("JSON").includes(`"${field}"`), field);
  }
});

for (const { method, path } of Object.values({ ...CONTROL_ROUTES, ...OWNER_ROUTES })) {
  test(`docs/api.md has ${method} ${path}`, () => {
    assert.match(read("docs/api.md"), new RegExp(`^\\| \`${method} ${path}\` `, "m"));
  });
}

for (const page of PAGES) {
  test(`the links of ${page} lead somewhere`, () => {
    const links = [...read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    assert.deepEqual(
      links.filter((target) => !existsSync(path.join(ROOT, path.dirname(page), target))),
      [],
    );
  });
}
