import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Info, PeerEvent } from "../protocol/control-api.ts";
import { Failure } from "../protocol/failures.ts";
import { type FloodedMessage, isFlooded, type Message } from "../protocol/messages.ts";
import type { NetworkKey } from "../protocol/network-key.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { Clock } from "../transport/clock.ts";
import type { Identity } from "../transport/identity.ts";
import type { KnownIds } from "../transport/known-ids.ts";
import type { Link, Speaker } from "../transport/link.ts";
import { openChatStore } from "./chat/chat-store.ts";
import { createMessenger, type Messenger, type MessengerOptions } from "./chat/messenger.ts";
import type { Library } from "./library/library.ts";
import { createMesh, type Mesh, type MeshOptions } from "./mesh/mesh.ts";
import { createMeshSearch } from "./mesh/mesh-search.ts";
import { createQueries, type Queries } from "./mesh/queries.ts";
import type { KnownPeer } from "./network/directory.ts";
import { createFlood } from "./network/flood.ts";
import type { MeshNetwork } from "./network/network.ts";
import { createPeerLinks, type PeerLinks } from "./network/peer-links.ts";
import { createHeardCopies } from "./plain/heard-copies.ts";
import { openPlainRoom, type PlainRoom, type PlainRoomOptions } from "./plain/plain-room.ts";
import { refusePrivate } from "./plain/refuse-private.ts";

export type TalkingOptions = {
  /** Absolute path of the folder that holds what was said. */
  readonly home: string;
  readonly identity: Identity;
  readonly self: Speaker;
  readonly key: NetworkKey | undefined;
  /** Where plain JSON peers are let in (0: any free port), if they are. */
  readonly plainPort?: number | undefined;
  readonly knownIds: KnownIds;
  readonly clock: Clock;
  readonly log: Logger;
  readonly isMember: (id: PeerId) => Promise<boolean>;
  /** The link to the index server, while there is one. */
  readonly index: () => Link | undefined;
  readonly tell: (event: PeerEvent) => void;
};

type MeshBeginning = Pick<MeshOptions, "port" | "hosts" | "totals" | "meeting" | "listener"> & {
  readonly library: Pick<Library, "list" | "resolve">;
};

/** All by which a member talks with others: its links, the mesh, the flood, and the messages. */
export type Talking = {
  readonly links: PeerLinks;
  /** Somebody came or went, or the index server is back. */
  peerCame(peer: KnownPeer): void;
  peerLeft(peer: Pick<KnownPeer, "id" | "name">): void;
  networkCame(): void;
  /** What came over the link to the index server. */
  heard(message: Message, link: Link): void;
  /** From when on others can link with this peer. */
  beginMesh(options: MeshBeginning): MeshNetwork & Pick<Mesh, "connect" | "changed" | "counts">;
  begin(options: Pick<MessengerOptions, "network" | "find" | "peers" | "acquaintances">): Messenger;
  /**
   * Lets plain JSON peers in, if there is a port for them.
   * @throws Failure "port-in-use"
   */
  openPlain(options: Pick<PlainRoomOptions, "host" | "peers" | "listener">): Promise<void>;
  plainPeers(): Iterable<KnownPeer>;
  plainInfo(): Pick<Info, "plain">;
  close(): Promise<void>;
};

/** @throws Failure "database-newer" or "database-corrupt", "usage" if plain JSON peers are to be let into a private network */
export function openTalking(options: TalkingOptions): Talking {
  const { home, identity, self, key, plainPort, knownIds, clock, log, isMember, index, tell } = options;
  if (plainPort !== undefined) refusePrivate(key);
  const store = openChatStore(home);
  const closing = new AbortController();
  let messenger: Messenger | undefined;
  let mesh: Mesh | undefined;
  let queries: Queries | undefined;
  let room: PlainRoom | undefined;
  const copies = createHeardCopies();
  const links = createPeerLinks({
    identity,
    self,
    key,
    knownIds,
    clock,
    isMember,
    onMessage: receive,
    isKept: ({ remoteId }) => mesh?.isNeighbour(remoteId) ?? false,
  });
  const flood = createFlood({
    identity,
    self,
    clock,
    newestMs: store.lastSaidMs(self.id),
    index,
    neighbours: () => mesh?.neighbours() ?? [],
    links,
    onNew: overhear,
  });

  /** What a member says over a link of its own. */
  function receive(message: Message, link: Link): void {
    switch (message.type) {
      case "MESSAGE":
        if (messenger) return messenger.hear(message, link);
        throw new Failure("too-many", "This peer has only just begun");
      case "JOIN":
      case "PEERS":
        if (mesh) return mesh.take(message, link);
        throw new Failure("too-many", "This peer has only just begun");
      case "HITS":
        return queries?.answered(message, link);
      case "BROADCAST":
      case "QUERY":
        return flood.take(message, link);
      default:
        throw new Failure("bad-message", `${message.type} out of place`);
    }
  }

  function overhear(message: FloodedMessage): void {
    if (message.type === "QUERY") return queries?.asked(message);
    const { sender_id: id, sender_name: name, message_id, timestamp, data } = message;
    if (data.plain && !copies.isNews(data.plain, data.text)) return;
    messenger?.overhear(message);
    room?.tellAll({ ...data, from: { id, name }, atMs: timestamp, message: message_id });
  }

  /** Says something to everybody, plain JSON peers included. */
  async function broadcast(text: string): ReturnType<MessengerOptions["broadcast"]> {
    const own = { id: randomUUID(), saidMs: clock.now(), reached: 0 };
    const said = await flood.say("BROADCAST", { text }).catch((error: unknown) => {
      const isHeard = error instanceof Failure && error.code === "unreachable" && room?.peers().next().done === false;
      if (isHeard) return own;
      throw error;
    });
    const plain = room?.tellAll({ from: self, text, atMs: said.saidMs, message: said.id }) ?? 0;
    return { ...said, reached: said.reached === null ? null : said.reached + plain };
  }

  function locate(id: PeerId): KnownPeer | undefined {
    for (const peer of mesh?.peers() ?? []) if (peer.id === id) return peer;
    return undefined;
  }

  return {
    links,
    peerCame(peer) {
      messenger?.peerCame(peer);
      room?.came(peer);
    },
    peerLeft: (peer) => room?.left(peer),
    networkCame: () => messenger?.networkCame(),
    heard(message, link) {
      if (!isFlooded(message)) return links.receive(message, link);
      try {
        flood.take(message, link);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        log.warn({ reason: error.message }, "the index server passed on what is not its author's");
      }
    },
    beginMesh({ library, ...beginning }) {
      const begun = createMesh({ ...beginning, identity, self, links, clock, log });
      mesh = begun;
      queries = createQueries({
        library,
        links,
        clock,
        signal: closing.signal,
        flood: async (query) => (await flood.say("QUERY", query)).id,
        locate,
      });
      return {
        ...createMeshSearch({ queries, self: self.id, locate }),
        peers: begun.peers,
        isMember: begun.isMember,
        isEmpty: () => begun.counts().peers === 0,
        async connect(point) {
          if (point.key === undefined || point.key === key) return begun.connect(point);
          const message =
            "This peer does not have the key of that mesh: start it with tukar peer --connect and that invite";
          throw new Failure("wrong-key", message);
        },
        changed: begun.changed,
        counts: begun.counts,
      };
    },
    begin(options) {
      const tellPlain: MessengerOptions["tellPlain"] = (id, text, from) => {
        if (!room) throw new Failure("no-such-peer", "No plain JSON peers are let in here");
        room.tell(id, text, from);
      };
      messenger = createMessenger({ ...options, self, store, links, tellPlain, broadcast, clock, tell });
      return messenger;
    },
    async openPlain(options) {
      if (plainPort === undefined) return;
      room = await openPlainRoom({
        ...options,
        port: plainPort,
        self,
        clock,
        log,
        copies,
        heard: (said) => messenger?.hearPlain(said),
        toAll: (text, plain) => flood.say("BROADCAST", { text, plain }),
        toOne: async (peer, text, plain) =>
          links.deliver(await links.to(peer, closing.signal), "MESSAGE", { text, plain }),
      });
    },
    plainPeers: () => room?.peers() ?? [],
    plainInfo: () => (room ? { plain: { port: room.port, peers: [...room.peers()].length } } : {}),
    async close() {
      closing.abort(new Failure("interrupted"));
      await room?.close();
      mesh?.close();
      await messenger?.close();
      await links.close();
      store.close();
    },
  };
}
