import type { Command } from "commander";
import { parseContentId } from "../protocol/content-id.ts";
import type { SearchFlags } from "./search-request.ts";
import type { RunVerbs } from "./verb-context.ts";

type GetFlags = { readonly output?: string; readonly recursive?: boolean; readonly detach?: boolean };
type SendFlags = { readonly all?: boolean; readonly wait?: boolean };
type DownloadsFlags = { readonly all?: boolean; readonly watch?: boolean };

type HistoryFlags = { readonly limit?: string; readonly room?: boolean };
type MessageFlags = { readonly waiting?: boolean; readonly cancel?: boolean };

const USAGE = { code: "commander.invalidArgument" };

/** Rows of a listing in the shell: `3`, `4-6`. */
const ROWS = /^\d+(?:-\d+)?$/;

/** The commands that ask a peer something. Each is loaded when it is used. */
export function addVerbs(
  program: Command,
  { verb: run, runningVerb: runRunning, queueVerb: runQueue, reachableVerb: runReachable }: RunVerbs,
): void {
  program
    .command("peers")
    .description("list who is online")
    .option("-w, --watch", "then tell who comes and who goes, until Ctrl-C")
    .action(({ watch = false }: { watch?: boolean }) =>
      run(async (context) => {
        if (watch) return (await import("./commands/watch-peers.ts")).watchPeers(context);
        return (await import("./commands/peers.ts")).listPeers(context);
      }),
    );

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
    .description("fetch files from a peer, or contents from whoever has them, verified")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT; or a content id (b3-...), from anybody")
    .argument("[name...]", "share paths, base names that only one shared file bears, or content ids")
    .usage("[options] <peer> <name...> | <content-id...>")
    .option("-o, --output <path>", "file to write, or folder to put the files in (default: the received folder)")
    .option("-r, --recursive", "fetch folders too")
    .option("-d, --detach", "only put it into the queue of downloads, and print its number")
    .action(async (peer: string, names: string[], flags: GetFlags, command: Command) => {
      if (names.length === 0 && parseContentId(peer) === undefined && !ROWS.test(peer)) {
        command.error("error: missing required argument 'name'", { code: "commander.missingArgument" });
      }
      const { output, recursive = false, detach = false } = flags;
      await run(async (context) => {
        const { addDownload, getFiles } = await import("./commands/get.ts");
        return (detach ? addDownload : getFiles)(context, { peer, names, output, recursive });
      });
    });

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
    .description("list the files that were received, or what was said with a peer")
    .argument("[peer]", "the messages with this peer: name, id or start of an id")
    .option("--room", "the messages to everybody")
    .option("--limit <n>", "at most so many of the last ones (default: 100)")
    .action(async (peer: string | undefined, { room = false, limit }: HistoryFlags, command: Command) => {
      if (peer !== undefined && room) {
        command.error("error: --room takes no peer: what is said there is to everybody", USAGE);
      }
      await runQueue(async (context) => {
        if (peer === undefined && !room) return (await import("./commands/history.ts")).showHistory(context, { limit });
        const { showConversation } = await import("./commands/conversation.ts");
        return showConversation(context, { peer: peer ?? null, limit });
      });
    });

  program
    .command("msg")
    .description("say something to a peer; if it is not online, it is kept until they come")
    .argument("[peer]", "name, id or start of an id, IP, or IP:PORT")
    .argument("[text...]", "what to say")
    .usage("[options] <peer> <text...>")
    .option("--waiting", "list what could not be delivered yet")
    .option("--cancel", "take back messages that wait: their numbers, or all")
    .action(async (peer: string | undefined, words: string[], flags: MessageFlags, command: Command) => {
      const { waiting = false, cancel = false } = flags;
      const named = peer === undefined ? [] : [peer, ...words];
      if (waiting || cancel) {
        if (waiting && (cancel || peer !== undefined)) command.error("error: --waiting goes alone", USAGE);
        return runQueue(async (context) => {
          const { cancelMessages, showWaiting } = await import("./commands/conversation.ts");
          return cancel ? cancelMessages(context, named) : showWaiting(context);
        });
      }
      if (peer === undefined || words.length === 0) {
        const missing = peer === undefined ? "peer" : "text";
        command.error(`error: missing required argument '${missing}'`, { code: "commander.missingArgument" });
      }
      return run(async (context) => (await import("./commands/msg.ts")).say(context, { peer: peer ?? "", words }));
    });

  program
    .command("broadcast")
    .description("say something to everybody who is online")
    .argument("<text...>", "what to say")
    .action((words: string[]) =>
      run(async (context) => (await import("./commands/msg.ts")).say(context, { peer: null, words })),
    );

  program
    .command("search")
    .description("find files that anybody who is online shares")
    .argument("<words...>", 'in any order, beginnings will do; also "a phrase", -word, ext:mp3, path:music')
    .option("--type <type>", "audio, video, image, document, archive, text, program, font, or a media type")
    .option("--min <size>", "no smaller than this, for example 500k")
    .option("--max <size>", "no larger than this, for example 1.5GiB")
    .option("--peer <peer>", "only what this peer shares")
    .option("--limit <count>", "most results to show (default: 100)")
    .option("--sources", "list everyone who has each result")
    .allowUnknownOption() // a word such as -live is one that must not be there
    .action(async (words: string[], flags: SearchFlags, command: Command) => {
      const mistyped = words.find((word) => word.startsWith("--"));
      if (mistyped !== undefined) {
        command.error(`error: unknown option '${mistyped}'`, { code: "commander.unknownOption" });
      }
      const { readSearch } = await import("./search-request.ts");
      const request = readSearch(words, flags);
      await run(async (context) => {
        const { searchFiles } = await import("./commands/search.ts");
        return searchFiles(context, request, flags.sources ?? false);
      });
    });

  program
    .command("send")
    .description("send files and folders to a peer, who decides whether to take them")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT; with --all the first file")
    .argument("[file...]", "local files and folders")
    .usage("[options] <peer> <file...> | --all <file...>")
    .option("-a, --all", "send to everybody who is online")
    .option("-w, --wait", "if the peer is offline, wait for it (up to a week)")
    .action(async (peer: string, files: string[], { all = false, wait = false }: SendFlags, command: Command) => {
      if (files.length === 0 && !all) {
        command.error("error: missing required argument 'file'", { code: "commander.missingArgument" });
      }
      await runReachable(async (context) => {
        const { sendFiles } = await import("./commands/send.ts");
        return sendFiles(context, all ? { peer: null, files: [peer, ...files], wait } : { peer, files, wait });
      });
    });

  program
    .command("sendall")
    .description("the same as send --all")
    .argument("<file...>", "local files and folders")
    .option("-w, --wait", "if somebody goes offline, wait for them (up to a week)")
    .action((files: string[], { wait = false }: SendFlags) =>
      runReachable(async (context) =>
        (await import("./commands/send.ts")).sendFiles(context, { peer: null, files, wait }),
      ),
    );

  program
    .command("sends")
    .description("list what is being sent, or change that")
    .argument("[action]", "cancel or clear")
    .argument("[what...]", "numbers of sends, or all")
    .option("-a, --all", "list those that ended too")
    .action((action: string | undefined, what: string[], { all = false }: { all?: boolean }) =>
      runQueue(async (context) => (await import("./commands/sends.ts")).showSends(context, { action, what, all })),
    );

  program
    .command("offers")
    .description("list what others want to send here")
    .option("-a, --all", "list those that ended too")
    .action(({ all = false }: { all?: boolean }) =>
      runQueue(async (context) => (await import("./commands/offers.ts")).listOffers(context, all)),
    );

  for (const answer of ["accept", "decline"] as const) {
    program
      .command(answer)
      .description(answer === "accept" ? "take what others want to send" : "say no to it")
      .argument("[offer...]", "numbers of offers, or all")
      .action((words: string[]) =>
        runQueue(async (context) => (await import("./commands/offers.ts")).answerOffers(context, answer, words)),
      );
  }

  program
    .command("ping")
    .description("ask whether a peer answers, and how fast")
    .argument("<peer>", "name, id or start of an id, IP, or IP:PORT")
    .action((peer: string) => run(async (context) => (await import("./commands/ping.ts")).pingPeer(context, peer)));

  program
    .command("connect")
    .description("link with a peer, and so with all that it is linked with, with no index server between")
    .argument("<host:port>", "where the peer is, or its invite")
    .action((address: string) =>
      runRunning(async (context) => (await import("./commands/connect.ts")).connectPeer(context, address)),
    );

  program
    .command("limit")
    .description("show or change what the running peer's transfers are kept within")
    .argument("[what...]", "up RATE, down RATE, slots N; 0 is no limit")
    .action((words: string[]) =>
      runRunning(async (context) => (await import("./commands/limit.ts")).limitTransfers(context, words)),
    );

  program
    .command("info")
    .description("tell who you are, what you share and with whom")
    .action(() => run(async (context) => (await import("./commands/info.ts")).showInfo(context)));
}
