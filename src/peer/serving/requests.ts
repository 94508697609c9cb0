import type { IncomingMessage, ServerResponse } from "node:http";
import { parseContentId } from "../../protocol/content-id.ts";
import { Failure } from "../../protocol/failures.ts";
import { type About, PEER_ROUTES } from "../../protocol/routes.ts";
import { baseName, decodeSharePath, parseSharePath, type SharePath } from "../../protocol/share-path.ts";
import { answerJson, answerLines } from "../../transport/answer.ts";
import type { Remote, SecureServerOptions } from "../../transport/secure-server.ts";
import type { Library } from "../library/library.ts";
import { answerFile } from "./answer-file.ts";
import { resolveLines } from "./resolve-lines.ts";
import { createByteSender } from "./send-bytes.ts";

export type ServingOptions = {
  readonly library: Library;
  readonly about: () => About;
  /** Throws the `Failure` with which this one is turned away. */
  readonly admit: (remote: Remote) => Promise<void>;
};

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;

/** The HTTP routes of a peer. All of them only read. */
export function createRequestHandler({ library, about, admit }: ServingOptions): SecureServerOptions["onRequest"] {
  const sender = createByteSender();

  const exact: Readonly<Record<string, Answer>> = {
    [PEER_ROUTES.about]: (_request, response) => answerJson(response, about()),

    [PEER_ROUTES.files](_request, response, url) {
      const path = folderOf(url.searchParams.get("path") ?? "");
      const entries = library.list(path, { recursive: url.searchParams.get("recursive") === "true" });
      if (!entries) throw new Failure("no-such-file");
      return answerLines(response, entries);
    },

    [PEER_ROUTES.resolve]: (_request, response, url) =>
      answerLines(response, resolveLines(library, url.searchParams.get("name") ?? "", closedSignal(response))),
  };

  const below: readonly (readonly [
    prefix: string,
    answer: (rest: string, ...args: Parameters<Answer>) => void | Promise<void>,
  ])[] = [
    [
      PEER_ROUTES.download,
      (rest, request, response) => {
        const path = decodeSharePath(rest);
        if (path === undefined) throw new Failure("no-such-file");
        return sendFile(request, response, library.open(path));
      },
    ],
    [
      PEER_ROUTES.content,
      (rest, request, response) => {
        const [text = "", part, ...more] = rest.split("/");
        const id = parseContentId(text);
        if (id === undefined || more.length > 0) throw new Failure("no-such-file");
        if (part === undefined) return sendFile(request, response, library.openContent(id));
        return answerBlockList(response, part === "blocks" ? library.blockList(id) : undefined);
      },
    ],
  ];

  function sendFile(
    request: IncomingMessage,
    response: ServerResponse,
    file: ReturnType<Library["open"]>,
  ): Promise<void> {
    const { fd, state, content, entry } = file;
    return answerFile(
      request,
      response,
      { fd, state, content, mediaType: entry.type, name: baseName(entry.path) },
      sender,
    );
  }

  return async (request, response, remote): Promise<void> => {
    await admit(remote);
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      throw new Failure("method-not-allowed");
    }
    const url = parseTarget(request.url ?? "");
    const answer = Object.hasOwn(exact, url.pathname) ? exact[url.pathname] : undefined;
    if (answer) return answer(request, response, url);
    for (const [prefix, answerBelow] of below) {
      // Not `url.pathname`: the URL parser would resolve dot segments, and a path that has some is to be refused.
      const [pathname = ""] = (request.url ?? "").split("?");
      if (pathname.startsWith(prefix)) return answerBelow(pathname.slice(prefix.length), request, response, url);
    }
    throw new Failure("no-such-route");
  };
}

function parseTarget(target: string): URL {
  const url = target.startsWith("/") ? URL.parse(target, "https://tukar") : null;
  if (!url) throw new Failure("bad-request");
  return url;
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

function answerBlockList(response: ServerResponse, list: Buffer | undefined): void {
  if (!list) throw new Failure("no-such-file");
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": list.length }).end(list);
}
