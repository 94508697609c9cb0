import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

/** The program as a user runs it: a process of its own, seen through its output, its exit status and signals. */

const LAUNCHER = path.resolve(import.meta.dirname, "../../src/cli/tukar.js");

/** Whatever happens to a test, its processes end. */
const BOUND = { timeout: 120_000, killSignal: "SIGKILL" } as const;

export type StartOptions = {
  readonly cwd?: string;
  /** Another machine than this one. */
  readonly machine?: { command(args: readonly string[]): string[] };
  /** Whether it may look around on the LAN. No test is to depend on what else runs there. */
  readonly discovery?: boolean;
};

export type Line = Readonly<Record<string, unknown>>;

export type Finished = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a command to its end. */
export async function tukar(
  args: readonly string[],
  options: StartOptions & { readonly input?: string } = {},
): Promise<Finished> {
  const child = start(args, options);
  const output = collect(child);
  child.stdin?.end(options.input ?? "");
  await once(child, "close");
  return { status: child.exitCode, ...output() };
}

/** Runs a command with `--json` and gives its lines; `stderr` and `status` say how it went. */
export async function tukarJson(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Finished & { readonly lines: readonly Line[] }> {
  const finished = await tukar(["--json", ...args], options);
  return { ...finished, lines: linesOf(finished.stdout) };
}

export type RunningTukar = {
  readonly child: ChildProcess;
  /** The first line with these fields that nobody was given yet. */
  line(fields: Line): Promise<Line>;
  /** Asks it to end, and tells how it did. */
  end(
    signal?: NodeJS.Signals,
  ): Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string }>;
};

/** Starts a command that runs until it is told to end; its JSON lines can be waited for. */
export function startTukar(args: readonly string[], options: StartOptions = {}): RunningTukar {
  const child = start(["--json", ...args], options);
  const output = collect(child);
  const seen: Line[] = [];
  const waiting = new Set<{
    readonly fields: Line;
    readonly resolve: (line: Line) => void;
    readonly reject: (error: Error) => void;
  }>();
  const closed = once(child, "close");

  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (text) => {
      seen.push(JSON.parse(text));
      offer();
    });
  }
  void closed.then(() => {
    for (const { fields, reject } of waiting)
      reject(new Error(`tukar ended before ${JSON.stringify(fields)}: ${output().stderr}`));
  });

  function offer(): void {
    for (const wish of waiting) {
      const at = seen.findIndex((line) => matches(line, wish.fields));
      const [line] = at === -1 ? [] : seen.splice(at, 1);
      if (line === undefined) continue;
      waiting.delete(wish);
      wish.resolve(line);
    }
  }

  return {
    child,
    line(fields) {
      return new Promise((resolve, reject) => {
        if (child.exitCode !== null) return reject(new Error(`tukar ended: ${output().stderr}`));
        waiting.add({ fields, resolve, reject });
        offer();
      });
    },
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await closed;
      return { status: child.exitCode, signal: child.signalCode, stderr: output().stderr };
    },
  };
}

function start(args: readonly string[], { cwd, machine, discovery = false }: StartOptions): ChildProcess {
  const own = {
    TUKAR_HOME: undefined,
    TUKAR_INDEX: undefined,
    TUKAR_NO_DISCOVERY: discovery ? "" : "1",
    NO_COLOR: "1",
  };
  const env = { ...process.env, ...own };
  const command = [process.execPath, LAUNCHER, ...args];
  const [program = "", ...rest] = machine?.command(command) ?? command;
  return spawn(program, rest, {
    ...(cwd !== undefined && { cwd }),
    ...BOUND,
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

function collect(child: ChildProcess): () => { readonly stdout: string; readonly stderr: string } {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return () => ({ stdout, stderr });
}

function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

function matches(line: Line, fields: Line): boolean {
  return Object.entries(fields).every(([name, value]) => line[name] === value);
}
