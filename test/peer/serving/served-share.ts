import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import type { TestContext } from "node:test";
import { createOfferedContents } from "../../../src/peer/inbox/offered-contents.ts";
import type { Library, LibraryOptions } from "../../../src/peer/library/library.ts";
import type { KnownPeer } from "../../../src/peer/network/directory.ts";
import { createPeerServer, type PeerServerOptions } from "../../../src/peer/peer-server.ts";
import { createExchange } from "../../../src/peer/serving/exchange.ts";
import { createUploadSlots } from "../../../src/peer/serving/upload-slots.ts";
import { createUploads, type Uploads } from "../../../src/peer/serving/uploads.ts";
import type { PeerId } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { PROGRAM } from "../../../src/protocol/program.ts";
import { systemClock } from "../../../src/transport/clock.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import { UNLIMITED } from "../../../src/transport/rate-limit.ts";
import { present } from "../../support/present.ts";
import { log } from "../../support/silent-log.ts";
import { createPlace, type Place, untilHashed } from "../library/shared-folder.ts";

/** A peer's server over real TLS, with a real library over a temporary folder `share`. */
export type ServedShare = {
  readonly place: Place;
  readonly library: Library;
  readonly identity: Identity;
  readonly port: number;
  /** As others find it on the roster. */
  readonly known: KnownPeer;
  readonly member: Identity;
  get(target: string, headers?: OutgoingHttpHeaders, how?: AskOptions): Promise<Answer>;
};

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

export type AskOptions = {
  readonly method?: string;
  /** Whose certificate is shown; `null`: nobody's. Unless said otherwise the member's. */
  readonly as?: Identity | null;
};

export type ServedShareOptions = {
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly library?: Partial<LibraryOptions>;
  /** Changes what is served from. */
  readonly serve?: (library: Library) => Library;
} & Partial<Pick<PeerServerOptions, "guests" | "isMember" | "uploads">> & {
    readonly inbox?: ReturnType<PeerServerOptions["inbox"]>;
  };

export function unlimitedUploads(): Uploads {
  return createUploads({ slots: createUploadSlots(systemClock), upLimit: UNLIMITED, clock: systemClock });
}

/** Everything is hashed when this resolves, unless the library's timing says otherwise. */
export async function serveShare(t: TestContext, options: ServedShareOptions): Promise<ServedShare> {
  const { files, guests = false } = options;
  const place = createPlace(t);
  for (const [name, bytes] of Object.entries(files)) place.write(`share/${name}`, bytes);
  const library = await place.start(options.library);
  await library.ready;
  if (options.library?.timing?.settleMs === undefined) await untilHashed(library);

  const [identity, member] = await Promise.all([createIdentity(), createIdentity()]);
  const server = createPeerServer({
    identity,
    host: "127.0.0.1",
    library: options.serve?.(library) ?? library,
    exchange: createExchange(systemClock),
    offered: createOfferedContents(),
    inbox: () => options.inbox,
    about: () => ({ id: identity.id, name: peerNameFrom("server"), program: PROGRAM, files: 0, bytes: 0 }),
    isMember: options.isMember ?? (async (id: PeerId) => id === member.id),
    guests,
    uploads: options.uploads ?? unlimitedUploads(),
    log,
  });
  await server.listen(0);
  t.after(() => server.close());
  const port = present(server.address()).port;
  return {
    place,
    library,
    identity,
    port,
    known: {
      id: identity.id,
      name: peerNameFrom("server"),
      hosts: ["127.0.0.1"],
      port,
      files: 0,
      bytes: 0,
      reachable: true,
    },
    member,
    async get(target, headers = {}, { method = "GET", as = member } = {}) {
      return whole(await ask(port, target, { method, headers, as }));
    },
  };
}

/** Sends a request on a connection of its own, and gives the answer as soon as its head is there. */
export async function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, as }: AskOptions & { readonly headers?: OutgoingHttpHeaders },
): Promise<IncomingMessage> {
  const own = as ? { key: as.keyPem, cert: as.certificatePem } : {};
  const agent = new Agent({ keepAlive: false });
  const asked = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    headers,
    agent,
    rejectUnauthorized: false,
    ...own,
  });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  asked.on("error", () => undefined); // the answer itself tells of it
  return response;
}

async function whole(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

/** The lines of an NDJSON answer. */
export function linesOf({ body }: Answer): unknown[] {
  return body
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
