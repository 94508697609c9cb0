import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Starts the program as a shell would: in a folder, as somebody who has a home of their own. */

const PROGRAM = fileURLToPath(new URL("../../src/cli/tukar.js", import.meta.url));
/** A process that is asked to end gets this long, which is more than it is meant to need. */
const END_WITHIN_MS = 5000;

export type Place = {
  /** What `--home` would name. */
  readonly home: string;
  /** The current folder: with `shared/` and `received/` in it, if it is a peer's. */
  readonly folder: string;
};

export type JsonLine = Readonly<Record<string, unknown>>;

export type RunningTukar = {
  /** The next line that `fits`; the lines before it are passed over. */
  line(fits: (line: JsonLine) => boolean): Promise<JsonLine>;
  close(): Promise<void>;
};

/** Starts a command that goes on until it is told to end. Its lines are JSON. Aborting kills it. */
export function startTukar(args: readonly string[], { home, folder }: Place, signal: AbortSignal): RunningTukar {
  const child = spawn(process.execPath, [PROGRAM, ...args, "--json"], {
    cwd: folder,
    env: environment(home),
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  child.on("error", () => undefined); // "close" follows, and that is what counts.
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });

  return {
    async line(fits) {
      for (let next = await lines.next(); !next.done; next = await lines.next()) {
        const line: JsonLine = JSON.parse(next.value);
        if (fits(line)) return line;
      }
      const [status] = await closed;
      throw new Error(`tukar ${args[0]} ended with status ${status} before it was ready: ${complaints.trim()}`);
    },
    async close() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), END_WITHIN_MS);
      const [status, killedBy] = await closed;
      clearTimeout(late);
      if (killedBy === "SIGKILL") throw new Error(`tukar ${args[0]} had to be killed (${status})`);
    },
  };
}

/** Runs one command to its end; what it says appears as it is. Throws unless it succeeds. */
export async function runTukar(args: readonly string[], { home, folder }: Place, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: environment(home),
    stdio: ["ignore", "inherit", "inherit"],
    signal,
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`tukar ${args.join(" ")} ended with status ${status}`);
}

function environment(home: string): NodeJS.ProcessEnv {
  return { ...process.env, TUKAR_HOME: home, TUKAR_INDEX: "", TUKAR_NO_DISCOVERY: "1" };
}
