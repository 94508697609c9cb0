import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { request as secureRequest } from "node:https";
import path from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { createControlHandler } from "../../../src/peer/control/control-handler.ts";
import type { Operations } from "../../../src/peer/operations.ts";
import type { OwnOperations } from "../../../src/peer/own/own-operations.ts";
import { type PageOptions, startPageServer } from "../../../src/peer/web/page-server.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { log } from "../../support/silent-log.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { fakeOperations } from "../control/fake-operations.ts";
import { fakeOwn } from "./fake-own.ts";

type Answered = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };
type Asked = { readonly method?: string; readonly headers?: OutgoingHttpHeaders; readonly body?: string | Buffer };

export type Page = {
  readonly url: URL;
  readonly token: string;
  readonly home: string;
  readonly folder: string;
  /** Asks for a path as a client that adds nothing by itself. */
  ask(target: string, asked?: Asked): Promise<Answered>;
  /** The cookie that the first address is turned into. */
  cookie(): Promise<string>;
};

type PageFixture = {
  readonly page?: Partial<PageOptions>;
  readonly home?: string;
  readonly operations?: Partial<Operations>;
  readonly own?: Partial<OwnOperations>;
};

const IDENTITY = createIdentity();

/** A page on loopback whose peer is a fake, and whose built files are two. */
export async function startPage(t: TestContext, { page = {}, home, operations, own }: PageFixture = {}): Promise<Page> {
  const at = home ?? (await tempFolder(t));
  const folder = path.join(at, "built");
  await mkdir(path.join(folder, "assets"), { recursive: true });
  await writeFile(path.join(folder, "index.html"), "<!doctype html><title>tukar</title>");
  await writeFile(path.join(folder, "assets", "main-1234.js"), "export {};");
  const server = await startPageServer({
    page: { host: "127.0.0.1", port: 0, password: undefined, ...page },
    home: at,
    identity: await IDENTITY,
    api: createControlHandler({ operations: fakeOperations(operations), own: fakeOwn(own), log }),
    log,
    folder,
  });
  t.after(() => server.close());
  const url = new URL(server.url);
  const ask = (target: string, asked: Asked = {}) => exchange(url, target, asked);
  return {
    url,
    token: url.searchParams.get("token") ?? "",
    home: at,
    folder,
    ask,
    async cookie() {
      const { headers } = await ask(`${url.pathname}${url.search}`);
      return headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    },
  };
}

async function exchange(url: URL, target: string, { method = "GET", headers = {}, body }: Asked): Promise<Answered> {
  const begin = url.protocol === "https:" ? secureRequest : request;
  const outgoing = begin({
    host: "127.0.0.1",
    port: url.port,
    path: target,
    method,
    headers,
    agent: false,
    ...(url.protocol === "https:" && { rejectUnauthorized: false }),
  });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
