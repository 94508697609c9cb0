import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Line, type RunningTukar, startTukar, tukarJson } from "./tukar-process.ts";

/** A network of real processes on loopback in a temporary folder; disposing of it ends them and removes the folder. */
export type TestNetwork = AsyncDisposable & {
  readonly folder: string;
  readonly invite: string;
  readonly index: RunningTukar;
  /** Options of a command that runs without a peer. */
  visitor(name: string): string[];
  /** Starts a peer that shares these files and waits until the index server has its totals. */
  peer(
    name: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    options?: readonly string[],
  ): Promise<TestPeer>;
  /** Starts the index server anew on the same port, after it was ended. */
  restartIndex(): Promise<RunningTukar>;
};

export type TestPeer = RunningTukar & {
  readonly home: string;
  readonly dir: string;
  readonly ready: Line;
  readonly options: readonly string[];
};

export async function startNetwork(indexOptions: readonly string[] = []): Promise<TestNetwork> {
  const folder = await mkdtemp(path.join(tmpdir(), "tukar-test-"));
  const running: RunningTukar[] = [];
  const launch = (args: readonly string[]): RunningTukar => {
    const started = startTukar(args);
    running.push(started);
    return started;
  };
  const indexArgs = (port: number): string[] => [
    "index",
    "--home",
    path.join(folder, "index"),
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    ...indexOptions,
  ];

  const index = launch(indexArgs(0));
  const ready = await index.line({ event: "ready", role: "index" });
  const invite = String(ready["invite"]);

  return {
    folder,
    invite,
    index,
    visitor: (name) => ["--home", path.join(folder, name), "--dir", path.join(folder, name), "--index", invite],
    async peer(name, files, extra = []) {
      const dir = path.join(folder, `${name}-dir`);
      const home = path.join(folder, `${name}-home`);
      await writeFiles(path.join(dir, "shared"), files);
      const options = [
        "peer",
        invite,
        "--name",
        name,
        "--home",
        home,
        "--dir",
        dir,
        "--host",
        "127.0.0.1",
        "--headless",
        ...extra,
      ];
      const peer = launch(options);
      const readyLine = await peer.line({ event: "ready", role: "peer" });
      await peer.line({ event: "shared" });
      return { ...peer, home, dir, ready: readyLine, options };
    },
    async restartIndex() {
      const again = launch(indexArgs(Number(ready["port"])));
      await again.line({ event: "ready", role: "index" });
      return again;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((tukar) => tukar.end("SIGKILL")));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a peer again with the options that it had. */
export async function startAgain(peer: TestPeer): Promise<RunningTukar> {
  const again = startTukar(peer.options);
  await again.line({ event: "ready", role: "peer" });
  await again.line({ event: "shared" });
  return again;
}

/** Waits until the index server knows the content of the one file that a word finds; `where` is who asks. */
export async function contentKnown(word: string, where: readonly string[]): Promise<void> {
  for (;;) {
    const { lines } = await tukarJson(["search", word, ...where]);
    if (lines[0]?.["content"]) return;
  }
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}
