import { Command } from "commander";
import type { IndexFlags } from "./index-settings.ts";
import type { PeerFlags } from "./peer-settings.ts";
import type { RunVerbs } from "./verb-context.ts";
import { addVerbs } from "./verbs.ts";

type UpFlags = IndexFlags & PeerFlags & { readonly headless?: boolean };

/** What the program does for each command that is not a verb of the shell. */
export type ProgramActions = RunVerbs & {
  index(flags: IndexFlags): Promise<void>;
  peer(
    network: string | undefined,
    flags: PeerFlags & { readonly headless?: boolean; readonly private?: boolean },
  ): Promise<void>;
  up(flags: UpFlags): Promise<void>;
  shell(): Promise<void>;
  chat(): Promise<void>;
  hash(files: readonly string[]): Promise<void>;
};

/** Where help goes, and how many columns it may take. Complaints go nowhere: they come as `CommanderError`. */
export type HelpOutput = { print(text: string): void; readonly width: number };

const EXAMPLES = `
Examples:
  $ tukar up                      start sharing here; prints what to type on the next machine
  $ tukar peer "tukar://..."      join with the invite that the first machine printed
  $ tukar search holiday film     find files that anybody shares
  $ tukar ls bob                  look at what bob shares
  $ tukar get bob song.mp3        fetch it

No command means up. More about a command: tukar help COMMAND`;

/** All that can be typed after `tukar`, with names and help; what it does is in `actions`. */
export function createProgram(version: string, actions: ProgramActions, { print, width }: HelpOutput): Command {
  const program = new Command("tukar")
    .configureOutput({ writeOut: print, outputError: () => undefined, getOutHelpWidth: () => width })
    .description("Share folders inside a group: find, fetch and verify files straight from peer to peer")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "tell more about a command")
    .option("--home <dir>", "identity, databases and control socket (TUKAR_HOME)")
    .option("--index <invite|host:port>", "network to ask (TUKAR_INDEX; default: the one last joined)")
    .option("--dir <dir>", "folder with shared/, received/ and shares.txt (default: this one, else ~/Tukar)")
    .option("--json", "results as JSON, one object a line")
    .option("--quiet", "no talk on stderr but failures")
    .option("--no-color", "no colours (NO_COLOR)")
    .option("--log-level <level>", "silent, fatal, error, warn, info, debug or trace (default: warn)")
    .addHelpText("after", EXAMPLES)
    .exitOverride();

  addPeerOptions(program.command("up").description("start an index server and a peer in one go, and open the shell"))
    .option("--open", "let anybody join a network that is started")
    .action(actions.up);

  program
    .command("index")
    .description("run an index server: it knows who is online, and prints the invite to join")
    .option("--host <host>", "address to listen on (default: all)")
    .option("--port <port>", "port to listen on (default: 9450)")
    .option("--peer-ports <a-b>", "ports to assign to peers (default: 9500-9999)")
    .option("--store <store>", "sqlite:FILE or memory (default: a file in the home folder)")
    .option("--open", "let anybody join, without a key")
    .option("--name <name>", "what to be called (default: this machine's name)")
    .option("--no-discovery", "do not announce it on the LAN (TUKAR_NO_DISCOVERY)")
    .action(actions.index);

  addPeerOptions(
    program
      .command("peer")
      .description("share and fetch; opens the shell at a terminal")
      .argument("[invite|host:port]", "the network to join (default: the one last joined, or started here)"),
  )
    .option("--host <host>", "address to listen on (default: all)")
    .option("--port <port>", "port to listen on, 0 for any free one (default: the index server assigns one)")
    .option("--connect <host:port>", "link with a peer, with no index server between (may be repeated)", collect)
    .option("--private", "without an index server: let only those link who have the network key of this home")
    .action(actions.peer);

  program
    .command("shell")
    .description("the shell on its own, of the running peer if there is one")
    .action(actions.shell);

  program
    .command("chat")
    .description("talk with everybody: a plain line is said to all, / begins a command")
    .action(actions.chat);

  addVerbs(program, actions);

  program
    .command("hash")
    .description("print the content ids of local files")
    .argument("<file...>")
    .action(actions.hash);

  return program;
}

function addPeerOptions(command: Command): Command {
  return command
    .option("--name <name>", "what to be called (default: this machine's name)")
    .option("--share <dir>", "share this folder too, under its own name (may be repeated)", collect)
    .option("--manifest <file>", "shared files by name (default: shares.txt)")
    .option("--received <dir>", "where downloads land (default: received)")
    .option("--reshare", "share what was received, too")
    .option("--accept <rule>", "take files that others send: ask, all, known or none (default: ask)")
    .option("--guests", "let anybody read, without a certificate")
    .option(
      "--plain-port <port>",
      "let plain JSON peers talk, without encryption; not on a private network (default: off)",
    )
    .option("--max-downloads <n>", "downloads that run at a time (default: 16)")
    .option("--max-per-peer <n>", "downloads that are fetched from one peer at a time (default: 8)")
    .option("--up-limit <rate>", "send no more than that a second, such as 500k or 1.5MiB (default: no limit)")
    .option("--down-limit <rate>", "fetch no more than that a second (default: no limit)")
    .option("--upload-slots <n>", "peers that are sent files at once, the others wait (default: no limit)")
    .option("--no-discovery", "look for nobody on the LAN, and announce nothing there (TUKAR_NO_DISCOVERY)")
    .option("--headless", "no shell, even at a terminal")
    .option("--no-ui", "no web page")
    .option("--ui-port <port>", "port of the web page, 0 for any free one (default: the one of the last time, if free)")
    .option(
      "--ui-host <host>",
      "address of the web page; another than this machine's own takes a password (default: 127.0.0.1)",
    )
    .option("--ui-password-file <file>", "the first thing that the page asks for (TUKAR_UI_PASSWORD)");
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
