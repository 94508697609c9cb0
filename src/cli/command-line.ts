import { type Command, CommanderError } from "commander";
import type { NetworkTarget } from "../peer/options.ts";
import { Failure } from "../protocol/failures.ts";
import { calledAs } from "./called-as.ts";
import type { Engines } from "./engines.ts";
import { exitStatus, type Outcome } from "./exit-status.ts";
import type { OpenedOperations, Wanted } from "./open-operations.ts";
import { createOutput, type OutputFlags, type OutputStream } from "./output.ts";
import { createProgram, type ProgramActions } from "./program.ts";
import { type GlobalFlags, resolveSettings, type Surroundings } from "./settings.ts";
import type { ShellInput } from "./shell/shell-options.ts";
import { usageFailure } from "./usage-failure.ts";

/** All that a command line touches outside itself. */
export type World = {
  readonly version: string;
  readonly engines: Engines;
  readonly surroundings: Surroundings;
  readonly input: ShellInput;
  readonly out: OutputStream;
  readonly err: OutputStream;
  /** Aborts when the program is to end. */
  readonly signal: AbortSignal;
  /** Milliseconds since some moment. */
  now(): number;
};

/** Runs one command line and gives the exit status. Throws nothing: whatever fails is told on stderr. */
export async function runCommandLine(args: readonly string[], world: World): Promise<number> {
  const { engines, surroundings, signal, now } = world;
  const { cwd } = surroundings;
  const called = calledAs(surroundings.env);
  const output = createOutput({ out: world.out, err: world.err, ...readOutputFlags(args, surroundings.env) });
  let outcome: Outcome;

  const settings = () => resolveSettings(program.opts<GlobalFlags>(), surroundings);
  const logger = async () => (await import("./logger.ts")).createLogger(settings().logLevel, output);
  const verbContext = { output, signal, cwd, now };
  const shellContext = { ...verbContext, input: world.input, terminal: world.out };

  /** What a command needs to ask a peer, opened in one way or another. */
  async function openWith<T extends OpenedOperations>(
    open: (engines: Engines, wanted: Wanted) => Promise<T>,
  ): Promise<T> {
    const { resolveVisitor } = await import("./peer-settings.ts");
    const { startedUnless } = await import("./abortable.ts");
    const known = settings();
    const visitorOptions = async (network: NetworkTarget) => ({
      ...resolveVisitor(known),
      network,
      log: await logger(),
    });
    return startedUnless(signal, () => open(engines, { ...known, visitorOptions }));
  }

  /** Runs a command, and closes after it what was opened for it. */
  async function runWith<T extends { close(): Promise<void> }>(
    opened: T,
    verb: (context: Omit<T, "close"> & typeof verbContext) => Promise<Outcome>,
  ): Promise<void> {
    try {
      outcome = await verb({ ...opened, ...verbContext });
    } finally {
      await opened.close();
    }
    if (signal.aborted) outcome ??= "interrupted";
  }

  const withOperations: ProgramActions["verb"] = async (verb) => {
    const { openOperations } = await import("./open-operations.ts");
    await runWith(await openWith(openOperations), verb);
  };

  const actions: ProgramActions = {
    verb: withOperations,
    async reachableVerb(verb) {
      const { openReachable } = await import("./open-operations.ts");
      await runWith(await openWith(openReachable), verb);
    },
    async runningVerb(verb) {
      const { openRunning } = await import("./open-operations.ts");
      await runWith(await openRunning(engines, settings()), verb);
    },
    async queueVerb(verb) {
      const { openQueue } = await import("./open-operations.ts");
      await runWith(await openQueue(engines, settings().home), verb);
    },
    async index(flags) {
      const { resolveIndex } = await import("./index-settings.ts");
      const { runIndexServer } = await import("./commands/index-server.ts");
      const options = resolveIndex(flags, settings(), cwd);
      await runIndexServer({ engines, output, signal, called }, { ...options, log: await logger() });
    },
    async peer(named, { headless = false, private: isPrivate = false, ...flags }) {
      const { meshKeyOf } = await import("./mesh-key.ts");
      const { lastOrNearby } = await import("./nearby-network.ts");
      const { readNetwork } = await import("./flag-values.ts");
      const { resolvePeer } = await import("./peer-settings.ts");
      const { runPeer } = await import("./commands/peer.ts");
      const { loadKeptSettings } = await import("../peer/own/kept-settings.ts");
      const known = settings();
      const options = resolvePeer(flags, known, surroundings, await loadKeptSettings(known.home));
      const given = named === undefined ? known.network : readNetwork("the network to join", named);
      const { home } = known;
      const looks = known.discovery && flags.discovery !== false;
      const remembered = async () => {
        // Whoever names peers to link with wants no index server beside them, unless that is named, too.
        if (options.meeting.length > 0 || isPrivate) return undefined;
        const last = await engines.lastNetwork(home);
        return looks ? lastOrNearby({ engines, output, signal, called, home }, last) : last;
      };
      const network = given ?? (await remembered());
      const meshKey = network ? undefined : await meshKeyOf(engines, home, options.meeting, isPrivate);
      const context = { ...shellContext, engines, headless, called };
      await runPeer(context, { ...options, network, meshKey, log: await logger() });
    },
    async up({ headless = false, ...flags }) {
      const { resolveIndex } = await import("./index-settings.ts");
      const { resolvePeer } = await import("./peer-settings.ts");
      const { runUp } = await import("./commands/up.ts");
      const known = settings();
      const { loadKeptSettings } = await import("../peer/own/kept-settings.ts");
      const log = await logger();
      const index = { ...resolveIndex(flags, known, cwd), log };
      const options = resolvePeer(flags, known, surroundings, await loadKeptSettings(known.home));
      const peer = { ...options, meshKey: undefined, log };
      await runUp({ ...shellContext, engines, headless, called }, { index, peer, network: known.network });
    },
    async shell() {
      const { runShell } = await import("./shell/shell.ts");
      const { home } = settings();
      await withOperations((context) => runShell({ ...shellContext, ...context, home }));
    },
    async chat() {
      const { runShell } = await import("./shell/shell.ts");
      const { openReachable } = await import("./open-operations.ts");
      const { home } = settings();
      const room = { ...shellContext, home, inRoom: true };
      await runWith(await openWith(openReachable), (context) => runShell({ ...room, ...context }));
    },
    async hash(files) {
      const { hashFiles } = await import("./commands/hash.ts");
      outcome = await hashFiles({ engines, output, cwd, signal }, files);
    },
  };
  const print = (text: string): void => void output.result(text.trimEnd());
  const program: Command = createProgram(world.version, actions, { print, width: output.width() });

  try {
    const { operands, unknown } = program.parseOptions([...args]);
    refuseUnknownHelp(program, operands);
    const names = operands.length > 0 || unknown.includes("--help") || unknown.includes("-h");
    await program.parseAsync(names ? args : ["up", ...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    outcome = output.problem(
      error instanceof CommanderError
        ? usageFailure(error, { program, args, before: "tukar " })
        : explained(error, signal),
    );
  } finally {
    output.flush();
  }
  return exitStatus(outcome);
}

/** The failure behind an error. Of a program that is told to end, whatever breaks because of it is no news. */
function explained(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted && !(error instanceof Failure) ? new Failure("interrupted") : error;
}

/** Asked for help about something that does not exist, commander would print everything and then fail. */
function refuseUnknownHelp(program: Command, [first, about]: readonly string[]): void {
  if (first !== "help" || about === undefined || about === "help") return;
  if (program.commands.some((command) => command.name() === about)) return;
  program.error(`error: unknown command '${about}'`, { code: "commander.unknownCommand" });
}

/** How to write is decided before the command line is understood: saying that it is wrong depends on it. */
function readOutputFlags(args: readonly string[], env: Surroundings["env"]): OutputFlags {
  const end = args.indexOf("--");
  const flags = new Set(end === -1 ? args : args.slice(0, end));
  return {
    json: flags.has("--json"),
    quiet: flags.has("--quiet"),
    colour: !flags.has("--no-color") && !env["NO_COLOR"] && env["TERM"] !== "dumb",
  };
}
