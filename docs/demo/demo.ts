import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { adasFiles, bobsFiles, writeFiles } from "./sample-files.ts";
import { type JsonLine, type Place, runTukar, startTukar } from "./tukar-process.ts";

/**
 * `npm run demo`: an index server and two peers as separate processes on this machine, and what ada sees when she
 * fetches from bob. Ends with status 0 only if every byte arrived as it was.
 */

const GIVE_UP_AFTER_MS = 60_000;
/** Keeps the demonstration off the network. */
const HERE = ["--host", "127.0.0.1"];

async function demonstrate(root: string, signal: AbortSignal): Promise<void> {
  await using running = new AsyncDisposableStack();
  const [index, ada, bob] = [
    await makePlace(root, "index"),
    await makePlace(root, "ada"),
    await makePlace(root, "bob"),
  ];
  await writeFiles(path.join(ada.folder, "shared"), adasFiles());
  await writeFiles(path.join(bob.folder, "shared"), bobsFiles());

  async function start(args: readonly string[], place: Place, last: "ready" | "shared"): Promise<JsonLine> {
    say(`\n$ tukar ${args.map(quoted).join(" ")}   (goes on)`);
    const tukar = startTukar([...args, ...HERE], place, signal);
    running.defer(() => tukar.close());
    const ready = await tukar.line(({ event }) => event === "ready");
    say(`ready at ${ready["host"]}:${ready["port"]}`);
    if (last === "shared") {
      const shared = await tukar.line(({ event, files }) => event === "shared" && files !== 0);
      say(`shares ${shared["files"]} file(s), ${shared["bytes"]} bytes`);
    }
    return ready;
  }

  say("One machine runs the index server. Two people join with the invite that it prints.");
  const { invite } = await start(["index", "--port", "0"], index, "ready");
  if (typeof invite !== "string") throw new Error("the index server printed no invite");
  await start(["peer", invite, "--name", "bob"], bob, "shared");
  await start(["peer", invite, "--name", "ada"], ada, "shared");

  say("\nFrom here on ada types, in a second terminal.");
  for (const args of [
    ["peers"],
    ["ping", "bob"],
    ["ls", "bob"],
    ["ls", "bob", "talks"],
    ["get", "bob", "read me first.txt", "summer at the lake.mkv"],
    ["get", "bob", "talks", "-r"],
    ["get", "bob", "🎈 party plan.txt"],
  ]) {
    say(`\n$ tukar ${args.map(quoted).join(" ")}`);
    await runTukar(args, ada, signal);
  }

  say("\nWhat arrived, compared with what bob has:");
  for (const name of bobsFiles().keys()) {
    await compare(path.join(bob.folder, "shared", name), path.join(ada.folder, "received", name));
    say(`  the same: ${name}`);
  }
}

async function makePlace(root: string, name: string): Promise<Place> {
  const [home, folder] = [path.join(root, name, "home"), path.join(root, name, "files")];
  await mkdir(folder, { recursive: true });
  return { home, folder };
}

async function compare(original: string, copy: string): Promise<void> {
  if (!(await readFile(original)).equals(await readFile(copy))) throw new Error(`"${copy}" differs from "${original}"`);
}

function quoted(word: string): string {
  return /\s/.test(word) ? `"${word}"` : word;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const stopped = new AbortController();
process.once("SIGINT", () => stopped.abort()).once("SIGTERM", () => stopped.abort());
const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(GIVE_UP_AFTER_MS)]);
const root = await mkdtemp(path.join(tmpdir(), "tukar-demo-"));
try {
  await demonstrate(root, signal);
  say("\nDone: every file arrived, verified, and the processes ended when they were told to.");
} catch (error) {
  const why = signal.aborted ? `it took longer than ${GIVE_UP_AFTER_MS / 1000} s, or was stopped` : "";
  process.stderr.write(`\nThe demonstration failed: ${[why, String(error)].filter(Boolean).join(": ")}\n`);
  process.exitCode = 1;
} finally {
  await rm(root, { recursive: true, force: true });
}
