import type { IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../../protocol/failures.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import { type About, PEER_ROUTES } from "../../protocol/routes.ts";
import { baseName, decodeSharePath, parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { answerJson, answerLines } from "../../transport/answer.ts";
import type { Remote, SecureServerOptions } from "../../transport/secure-server.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { OfferedContents } from "../inbox/offered-contents.ts";
import type { Library } from "../library/library.ts";
import { answerBundle } from "./answer-bundle.ts";
import { createContentAnswers } from "./answer-content.ts";
import { answerFile } from "./answer-file.ts";
import { createOfferAnswers } from "./answer-offers.ts";
import type { Exchange } from "./exchange.ts";
import { resolveLines } from "./resolve-lines.ts";
import { createByteSender } from "./send-bytes.ts";
import { servableFrom } from "./servable.ts";
import type { Uploads } from "./uploads.ts";

export type ServingOptions = {
  readonly library: Library;
  readonly exchange: Exchange;
  /** What is offered to single peers. */
  readonly offered: Pick<OfferedContents, "blockList" | "open">;
  /** Where offers of others go; nothing as long as it cannot take any. */
  readonly inbox: () => Pick<Inbox, "take" | "follow" | "withdraw"> | undefined;
  readonly about: () => About;
  /** Throws the `Failure` with which this one is turned away. */
  readonly admit: (remote: Remote) => Promise<void>;
  /** The same for one who does more than read: gives who it is. */
  readonly admitMember: (remote: Remote) => Promise<PeerId>;
  readonly uploads: Uploads;
};

type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  remote: Remote,
) => void | Promise<void>;

/** The HTTP routes of a peer. All of them only read, but for those of offers. */
export function createRequestHandler(options: ServingOptions): SecureServerOptions["onRequest"] {
  const { library, exchange, offered, inbox, about, admit, admitMember, uploads } = options;
  const sender = createByteSender(uploads);
  const answerOffers = createOfferAnswers(inbox);
  const answerContent = createContentAnswers({ servable: servableFrom(library, offered), exchange, sender });

  const exact: Readonly<Record<string, Answer>> = {
    [PEER_ROUTES.about]: (_request, response) => answerJson(response, about()),

    [PEER_ROUTES.files](_request, response, query) {
      const path = folderOf(query.get("path") ?? "");
      const [recursive, folders] = [query.get("recursive") === "true", query.get("folders") === "true"];
      const entries = library.list(path, { recursive, folders });
      if (!entries) throw new Failure("no-such-file");
      return answerLines(response, entries);
    },

    [PEER_ROUTES.resolve]: (_request, response, query) =>
      answerLines(response, resolveLines(library, query.get("name") ?? "", closedSignal(response))),

    [PEER_ROUTES.bundle]: (request, response, _query, remote) => answerBundle(request, response, remote, options),

    async [PEER_ROUTES.offers](request, response, _query, remote) {
      await answerOffers.take(request, response, await admitMember(remote));
    },
  };

  const below: readonly (readonly [
    prefix: string,
    answer: (rest: string, ...args: Parameters<Answer>) => void | Promise<void>,
  ])[] = [
    [
      PEER_ROUTES.download,
      (rest, request, response, _query, remote) => {
        const path = decodeSharePath(rest);
        if (path === undefined) throw new Failure("no-such-file");
        const { fd, state, content, entry } = library.open(path);
        const file = { fd, state, content, mediaType: entry.type, name: baseName(entry.path) };
        return answerFile(request, response, file, sender, remote);
      },
    ],
    [
      PEER_ROUTES.content,
      (rest, request, response, query, remote) =>
        answerContent(rest, { request, response, query, remote, gone: closedSignal(response) }),
    ],
    [
      `${PEER_ROUTES.offers}/`,
      async (rest, _request, response, _query, remote) =>
        answerOffers.below(rest, response, await admitMember(remote), closedSignal(response)),
    ],
  ];

  return async (request, response, remote): Promise<void> => {
    await admit(remote);
    const { path, query } = parseTarget(request.url ?? "");
    const methods = methodsOf(path);
    if (!methods.includes(request.method ?? "")) {
      response.setHeader("allow", methods.join(", "));
      throw new Failure("method-not-allowed");
    }
    const answer = Object.hasOwn(exact, path) ? exact[path] : undefined;
    if (answer) return answer(request, response, query, remote);
    for (const [prefix, answerBelow] of below) {
      if (path.startsWith(prefix)) return answerBelow(path.slice(prefix.length), request, response, query, remote);
    }
    throw new Failure("no-such-route");
  };
}

function methodsOf(path: string): readonly string[] {
  if (path === PEER_ROUTES.bundle || path === PEER_ROUTES.offers) return ["POST"];
  if (!path.startsWith(`${PEER_ROUTES.offers}/`)) return ["GET", "HEAD"];
  return path.endsWith("/withdraw") ? ["POST"] : ["GET"]; // how an offer stands is told until it ends
}

/** Not with `URL`, which would resolve dot segments and take `//name/` for a host: such paths are to be refused. */
function parseTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  if (!target.startsWith("/")) throw new Failure("bad-request");
  const [path = "", ...query] = target.split("?");
  return { path, query: new URLSearchParams(query.join("?")) };
}

function folderOf(raw: string): SharePath | "" {
  if (raw === "") return "";
  const path = parseSharePath(raw);
  if (path === undefined) throw new Failure("no-such-file");
  return path;
}

/** Aborts when the one who asked has gone. */
function closedSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Failure("interrupted")));
  return gone.signal;
}
