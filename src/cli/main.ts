import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir, hostname } from "node:os";
import envPaths from "env-paths";
import { Failure } from "../protocol/failures.ts";
import { VERSION } from "../protocol/program.ts";
import { runCommandLine } from "./command-line.ts";
import { ENGINES } from "./engines.ts";
import { INTERRUPTED_STATUS } from "./exit-status.ts";
import { interruption } from "./interruption.ts";

/** The process: signals, standard streams and the exit status are seen to here alone. */

/** A program that was told to end is gone within two seconds, whatever it still waits for. */
const END_WITHIN_MS = 1900;
/** What may keep the process alive when the command is through. */
const LINGER_MS = 500;

const ending = new AbortController();

function end(reason: Failure): void {
  ending.abort(reason);
  setTimeout(() => process.exit(INTERRUPTED_STATUS), END_WITHIN_MS).unref();
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (signal === "SIGINT" && ending.signal.aborted) process.exit(INTERRUPTED_STATUS);
    end(interruption(signal));
  });
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    end(new Failure("interrupted", "Nobody reads the output any more"));
  });
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  version: VERSION,
  engines: ENGINES,
  surroundings: {
    env: process.env,
    cwd: process.cwd(),
    userFolder: homedir(),
    dataFolder: envPaths("tukar", { suffix: "" }).data,
    hostName: hostname(),
    exists: existsSync,
    readText(file) {
      try {
        return readFileSync(file, "utf8");
      } catch {
        return undefined;
      }
    },
    isFolder: (file) => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false,
  },
  input: process.stdin,
  out: process.stdout,
  err: process.stderr,
  signal: ending.signal,
  now: () => performance.now(),
});
setTimeout(() => process.exit(), LINGER_MS).unref();
