import type { Command } from "commander";
import type { RunVerb } from "./verb-context.ts";

/** The commands that ask a peer something. Each is loaded when it is used. */
export function addVerbs(program: Command, run: RunVerb): void {
  program
    .command("peers")
    .description("list who is online")
    .action(() => run(async (context) => (await import("./commands/peers.ts")).listPeers(context)));

  program
    .command("ls")
    .description("list what a peer shares")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT")
    .argument("[path]", "the folder to look into (default: the top)")
    .option("-r, --recursive", "list all files below it")
    .action((peer: string, path = "", { recursive = false }: { recursive?: boolean }) =>
      run(async (context) => (await import("./commands/ls.ts")).listFiles(context, { peer, path, recursive })),
    );

  program
    .command("get")
    .description("fetch files from a peer, verified")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT")
    .argument("<name...>", "share paths, or base names that only one shared file bears")
    .option("-o, --output <path>", "file to write, or folder to put the files in (default: the received folder)")
    .option("-r, --recursive", "fetch folders too")
    .action((peer: string, names: string[], { output, recursive = false }: { output?: string; recursive?: boolean }) =>
      run(async (context) => (await import("./commands/get.ts")).getFiles(context, { peer, names, output, recursive })),
    );

  program
    .command("ping")
    .description("ask whether a peer answers, and how fast")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT")
    .action((peer: string) => run(async (context) => (await import("./commands/ping.ts")).pingPeer(context, peer)));

  program
    .command("limit")
    .description("show or change what the running peer's transfers are kept within")
    .argument("[what...]", "up RATE, down RATE, slots N; 0 is no limit")
    .action((words: string[]) =>
      run(async (context) => (await import("./commands/limit.ts")).limitTransfers(context, words)),
    );

  program
    .command("info")
    .description("tell who you are, what you share and with whom")
    .action(() => run(async (context) => (await import("./commands/info.ts")).showInfo(context)));
}
