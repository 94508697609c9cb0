import type { Command } from "commander";
import type { RunVerbs } from "./verb-context.ts";

type GetFlags = { readonly output?: string; readonly recursive?: boolean; readonly detach?: boolean };
type DownloadsFlags = { readonly all?: boolean; readonly watch?: boolean };

/** The commands that ask a peer something. Each is loaded when it is used. */
export function addVerbs(program: Command, { verb: run, queueVerb: runQueue }: RunVerbs): void {
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
    .option("-d, --detach", "only put it into the queue of downloads, and print its number")
    .action((peer: string, names: string[], { output, recursive = false, detach = false }: GetFlags) =>
      run(async (context) => {
        const { addDownload, getFiles } = await import("./commands/get.ts");
        return (detach ? addDownload : getFiles)(context, { peer, names, output, recursive });
      }),
    );

  program
    .command("downloads")
    .description("list the queue of downloads, or change what is in it")
    .argument("[action]", "pause, resume, cancel, retry, priority or clear")
    .argument("[what...]", "numbers of downloads, or all; after those of priority: high, normal or low")
    .option("-a, --all", "list those that ended too")
    .option("-w, --watch", "show them until all have ended")
    .action((action: string | undefined, what: string[], { all = false, watch = false }: DownloadsFlags) =>
      runQueue(async (context) =>
        (await import("./commands/downloads.ts")).showDownloads(context, { action, what, all, watch }),
      ),
    );

  program
    .command("history")
    .description("list the files that were received, and from whom")
    .option("--limit <n>", "at most so many of the last ones (default: 100)")
    .action(({ limit }: { limit?: string }) =>
      runQueue(async (context) => (await import("./commands/history.ts")).showHistory(context, { limit })),
    );

  program
    .command("ping")
    .description("ask whether a peer answers, and how fast")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT")
    .action((peer: string) => run(async (context) => (await import("./commands/ping.ts")).pingPeer(context, peer)));

  program
    .command("info")
    .description("tell who you are, what you share and with whom")
    .action(() => run(async (context) => (await import("./commands/info.ts")).showInfo(context)));
}
