import type { IncomingMessage, ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import type { IndexSearch } from "../../../src/peer/network/index-search.ts";
import { createIndexSearch } from "../../../src/peer/network/index-search.ts";
import { asSeenFrom } from "../../../src/peer/network/known-roster.ts";
import type { RosterEntry } from "../../../src/protocol/roster.ts";
import { createIdentity } from "../../../src/transport/identity.ts";
import { openRemote } from "../../../src/transport/remote.ts";
import { startSecureServer } from "../../../src/transport/secure-server.ts";
import { log } from "../../support/silent-log.ts";

/** Searching at an index server that answers as a test tells it, over real TLS. */
export type ScriptedIndex = IndexSearch & {
  /** Paths with queries that were asked for. */
  readonly asked: readonly string[];
  leave(): void;
};

export async function scriptedIndex(
  t: TestContext,
  answer: (url: URL, response: ServerResponse) => void | Promise<void>,
): Promise<ScriptedIndex> {
  const [identity, member] = await Promise.all([createIdentity(), createIdentity()]);
  const asked: string[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url ?? "");
    return answer(new URL(request.url ?? "", "https://index"), response);
  };
  const server = await startSecureServer({ identity, host: "127.0.0.1", port: 0, onRequest, log });
  t.after(() => server.close());
  const target = { hosts: ["127.0.0.1"], port: server.port, expectedId: identity.id };
  const index = openRemote({ target, identity: member, called: "the index server" });
  t.after(() => index.close());
  let connected = true;
  const locate = (entry: RosterEntry) => asSeenFrom("198.51.100.1", entry);
  return {
    ...createIndexSearch({ index, connected: () => connected, locate }),
    asked,
    leave() {
      connected = false;
    },
  };
}
