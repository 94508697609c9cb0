import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FAILURES } from "../src/protocol/failures.ts";
import { MESSAGE_DATA } from "../src/protocol/messages.ts";
import { INDEX_ROUTES, LINK_PATH, PEER_ROUTES } from "../src/protocol/routes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SRC = path.join(ROOT, "src");

/** Which folders of src a file may import from, besides its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  content: ["protocol"],
  transport: ["protocol"],
  "index-server": ["protocol", "content", "transport"],
  peer: ["protocol", "content", "transport"],
  web: ["protocol"],
  cli: ["protocol", "content", "transport", "index-server", "peer"],
};

/** Packages that one folder alone knows. */
const HOMES: Readonly<Record<string, string>> = {
  "@napi-rs/blake-hash": "content",
  "@peculiar/x509": "transport",
  chokidar: "peer",
  "cli-progress": "cli",
  "cli-table3": "cli",
  commander: "cli",
  "dns-packet": "transport",
  picocolors: "cli",
  "prom-client": "index-server",
  ws: "transport",
};

const LINES_MAX = 300;
const DRAWERS = /(?:^|\/)(?:utils?|helpers?|common|shared|misc|index)(?:\.tsx?|\/)/;

type Source = {
  readonly name: string;
  readonly area: string;
  readonly text: string;
  readonly imports: readonly string[];
};

const SOURCES: readonly Source[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((name) => name.split(path.sep).join("/"))
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => {
    const text = withoutComments(readFileSync(path.join(SRC, name), "utf8"));
    return { name, area: name.split("/")[0] ?? "", text, imports: importsOf(text) };
  });

/** The code without its comments; strings stay, so that what looks like a comment inside of them does. */
function withoutComments(text: string): string {
  const stringOrComment = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(stringOrComment, (_match, string: string | undefined) => string ?? "");
}

/** Every module that a file names: imports of values and types, dynamic ones, exports from, and files of workers. */
function importsOf(text: string): string[] {
  const patterns = [/\bfrom\s+"([^"]+)"/g, /\bimport\s*\(?\s*"([^"]+)"/g, /\bnew URL\(\s*"(\.[^"]+\.tsx?)"/g];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, module = ""]) => module));
}

/** The file of src that a relative import means. */
function targetOf({ name }: Source, module: string): string {
  return path.posix.join(path.posix.dirname(name), module);
}

/** One circle of imports that begins and ends with the same file, if there is any. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  function visit(name: string, trail: readonly string[]): readonly string[] | undefined {
    if (finished.has(name)) return undefined;
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    for (const next of graph.get(name) ?? []) {
      const cycle = visit(next, [...trail, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  }
  for (const name of graph.keys()) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

test("there are sources to look at", () => assert.ok(SOURCES.some(({ imports }) => imports.length > 0)));

for (const source of SOURCES) {
  test(`${source.name} imports only what "${source.area}" may import`, () => {
    for (const module of source.imports.filter((module) => module.startsWith("."))) {
      const target = targetOf(source, module);
      const targetArea = target.split("/")[0] ?? "";
      const allowed = targetArea === source.area || MAY_IMPORT[source.area]?.includes(targetArea);
      assert.ok(allowed, `it imports "${module}"`);
    }
    for (const module of source.imports)
      assert.equal(HOMES[module] ?? source.area, source.area, `it imports "${module}"`);
  });

  test(`${source.name} leaves process and console to the CLI`, {
    skip: source.area === "cli" && "it is the CLI",
  }, () => {
    assert.doesNotMatch(
      source.text,
      /\b(?:process|console)\s*(?:\?\.|[.[])|node:(?:process|console)|=\s*(?:process|console)\b/,
    );
  });

  test(`${source.name} has at most ${LINES_MAX} lines`, () => {
    const lines = readFileSync(path.join(SRC, source.name), "utf8").trimEnd().split("\n").length;
    assert.ok(lines <= LINES_MAX, `it has ${lines}`);
  });

  test(`${source.name} keeps no state of its own while it is loaded`, () => {
    assert.doesNotMatch(source.text, /^(?:export )?(?:let|var) /m);
  });
}

test("no file or folder of src is a drawer named for nothing", () => {
  assert.deepEqual(
    SOURCES.map(({ name }) => name).filter((name) => DRAWERS.test(name)),
    [],
  );
});

test("no file of src imports itself by way of others", () => {
  const relative = (source: Source): string[] =>
    source.imports.filter((module) => module.startsWith(".")).map((module) => targetOf(source, module));
  assert.equal(findCycle(new Map(SOURCES.map((source) => [source.name, relative(source)]))), undefined);
});

const GRAPHS = [
  { graph: { a: ["b", "c"], b: ["c"], c: [] }, cycle: undefined },
  { graph: { a: ["b"], b: ["c"], c: ["b"] }, cycle: ["b", "c", "b"] },
  { graph: { a: ["a"] }, cycle: ["a", "a"] },
];

for (const { graph, cycle } of GRAPHS) {
  test(`findCycle answers ${JSON.stringify(cycle) ?? "nothing"} to ${JSON.stringify(graph)}`, () => {
    assert.deepEqual(findCycle(new Map(Object.entries(graph))), cycle);
  });
}

const SPECIFICATION = readFileSync(path.join(SRC, "protocol", "README.md"), "utf8");

const SPECIFIED = [
  ...Object.keys(FAILURES).map((code) => ["failure", `| \`${code}\` `]),
  ...Object.keys(MESSAGE_DATA).map((type) => ["message", `| \`${type}\` `]),
  ...[...Object.values(PEER_ROUTES), ...Object.values(INDEX_ROUTES), LINK_PATH].map((route) => [
    "route",
    `| \`${route === PEER_ROUTES.bundle ? "POST" : "GET"} ${route}`,
  ]),
];

for (const [kind, mark = ""] of SPECIFIED) {
  test(`the specification has a row for the ${kind} ${mark}`, () => assert.ok(SPECIFICATION.includes(mark)));
}
