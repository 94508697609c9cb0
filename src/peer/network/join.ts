import { type Address, formatAddress } from "../../protocol/address.ts";
import { Failure } from "../../protocol/failures.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../protocol/limits.ts";
import type { Message, MessageData, MessageType } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/peer-id.ts";
import type { PeerName } from "../../protocol/peer-name.ts";
import type { Clock } from "../../transport/clock.ts";
import { dial } from "../../transport/dial.ts";
import type { Identity } from "../../transport/identity.ts";
import type { KnownIds } from "../../transport/known-ids.ts";
import type { Link, Speaker } from "../../transport/link.ts";
import { openLink } from "../../transport/open-link.ts";
import type { NetworkTarget } from "../options.ts";

/** How a peer listens on the port that it is given; false if something else already does. */
export type Listen = (port: number) => Promise<boolean>;

export type JoinOptions = {
  readonly target: NetworkTarget;
  readonly identity: Identity;
  readonly self: Speaker;
  readonly knownIds: KnownIds;
  readonly joining: MessageData<"JOIN">;
  /** Only for a peer. A visitor listens nowhere. */
  readonly listen: Listen | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What comes once the network has taken one in. */
  readonly onMessage: (message: Message, link: Link) => void;
};

export type Joined = {
  readonly link: Link;
  readonly indexId: PeerId;
  readonly indexName: PeerName;
  /** Where a peer listens now. */
  readonly port: number | null;
};

/**
 * Links with the index server, proves the network key, says JOIN and, for a peer, settles on a port.
 * @throws Failure, among them "identity-mismatch", "wrong-key", "no-free-port", "unreachable", "timed-out"
 */
export async function join(options: JoinOptions): Promise<Joined> {
  const { target, identity, self, knownIds, joining, listen, clock, signal, onMessage } = options;
  const called = `index server ${formatAddress(target.address)}`;
  const connection = await dial(
    { hosts: [target.address.host], port: target.address.port, expectedId: target.indexId },
    { identity, signal },
  );
  // Without an invite to say who it is, whoever was met first at the address has to be met again.
  if (target.indexId === undefined) {
    await knownIds.check(target.address, connection.remoteId).catch((error: unknown) => {
      connection.socket.destroy();
      throw error;
    });
  }

  const inbox = createInbox(onMessage);
  const link = await openLink({ connection, self, key: target.key, called, clock, signal, onMessage: inbox.receive });
  // Only now is it known to be an index server, and to have let us in.
  await knownIds.remember(target.address, connection.remoteId).catch((error: unknown) => {
    link.close();
    throw error;
  });
  const settled = settle(link, inbox.next, joining, listen);
  const late = Promise.withResolvers<never>();
  const callOff = clock.after(HANDSHAKE_TIMEOUT_MS, () =>
    late.reject(new Failure("timed-out", `The ${called} does not let us in`)),
  );
  const abort = (): void => late.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const ended = link.closed.then((reason) => {
    throw explained(reason, called, target.address);
  });
  try {
    const welcome = await Promise.race([settled, ended, late.promise]);
    inbox.open();
    return { link, indexId: connection.remoteId, ...welcome };
  } catch (error) {
    link.close();
    throw error;
  } finally {
    callOff();
    signal.removeEventListener("abort", abort);
    ended.catch(() => undefined);
    settled.catch(() => undefined);
  }
}

type Inbox = {
  receive(message: Message, link: Link): void;
  /** The next message of one of these types. */
  next<T extends MessageType>(...types: readonly T[]): Promise<Message<T>>;
  /** From now on messages go to the owner. */
  open(): void;
};

/** Messages of the handshake go to whoever waits for them; all others, once it is through, to the owner of the link. */
function createInbox(onMessage: (message: Message, link: Link) => void): Inbox {
  let early: [Message, Link][] | undefined = [];
  let waiting: { readonly types: readonly MessageType[]; readonly resolve: (message: Message) => void } | undefined;
  return {
    receive(message, link) {
      if (waiting?.types.includes(message.type)) {
        const { resolve } = waiting;
        waiting = undefined;
        resolve(message);
      } else if (early) early.push([message, link]);
      else onMessage(message, link);
    },
    next<T extends MessageType>(...types: readonly T[]) {
      return new Promise<Message<T>>((resolve) => {
        waiting = { types, resolve: resolve as (message: Message) => void };
      });
    },
    open() {
      const kept = early ?? [];
      early = undefined;
      for (const [message, link] of kept) onMessage(message, link);
    },
  };
}

async function settle(link: Link, next: Inbox["next"], joining: MessageData<"JOIN">, listen: Listen | undefined) {
  const welcomed = next("WELCOME");
  link.send("JOIN", joining);
  const { data } = await welcomed;
  if (listen === undefined || data.port === null) return { indexName: data.index_name, port: null };

  let port = data.port;
  while (port !== joining.port && !(await listen(port))) {
    const assigned = next("ASSIGN");
    link.send("PORT_REFUSED", { port });
    ({ port } = (await assigned).data);
  }
  const listed = next("ACK");
  link.send("LISTENING", { port });
  await listed;
  return { indexName: data.index_name, port };
}

function explained(reason: Failure | undefined, called: string, address: Address): Failure {
  if (reason?.code === "no-free-port") {
    return new Failure(
      "no-free-port",
      `The ${called} has no free port left for this host: its operator can widen --peer-ports, or choose one here with --port`,
    );
  }
  return new Failure(
    reason?.code ?? "unreachable",
    `The ${called} at ${formatAddress(address)} ended the session: ${reason?.message ?? "goodbye"}`,
  );
}
