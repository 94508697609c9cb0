import type { TestContext } from "node:test";
import type { Messenger } from "../../../src/peer/chat/messenger.ts";
import { findPeer, type KnownPeer } from "../../../src/peer/network/directory.ts";
import { openTalking, type Talking } from "../../../src/peer/talking.ts";
import type { SayEvent } from "../../../src/protocol/chat.ts";
import type { PeerEvent } from "../../../src/protocol/control-api.ts";
import type { NetworkKey } from "../../../src/protocol/network-key.ts";
import type { PeerId } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import { acceptLinks } from "../../../src/transport/accept-links.ts";
import { createIdentity, type Identity } from "../../../src/transport/identity.ts";
import { openKnownIds } from "../../../src/transport/known-ids.ts";
import { type SecureServer, startSecureServer } from "../../../src/transport/secure-server.ts";
import { createMailbox, type Mailbox } from "../../support/mailbox.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";
import { log } from "../../support/silent-log.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A peer that talks and shares nothing, in the same process, with a clock of its own. */
export type Talker = {
  readonly name: string;
  readonly identity: Identity;
  readonly home: string;
  readonly clock: ManualClock;
  readonly told: Mailbox<PeerEvent>;
  readonly talking: Talking;
  readonly messenger: Messenger;
  readonly known: KnownPeer;
  /** Those whom it sees online, itself not among them. */
  readonly online: KnownPeer[];
  /** Says something and gives all that becomes of it, letting time run meanwhile. */
  says(text: string, to: string | null): Promise<SayEvent[]>;
  stop(): Promise<void>;
};

export type TalkerOptions = {
  readonly identity?: Identity;
  readonly home?: string;
  readonly key?: NetworkKey;
  readonly isMember?: (id: PeerId) => Promise<boolean>;
  /** The port of an earlier life. */
  readonly port?: number;
};

const NETWORK = "test network";

export async function talker(t: TestContext, name: string, options: TalkerOptions = {}): Promise<Talker> {
  const { identity = await createIdentity(), home = await tempFolder(t), key, isMember = async () => true } = options;
  const clock = createManualClock();
  const told = createMailbox<PeerEvent>();
  const self = { id: identity.id, name: peerNameFrom(name) };
  const talking = openTalking({
    home,
    identity,
    self,
    key,
    knownIds: await openKnownIds(home),
    clock,
    log,
    isMember,
    index: () => undefined,
    tell: told.push,
  });
  const server: SecureServer = await startSecureServer({
    identity,
    host: "127.0.0.1",
    port: options.port ?? 0,
    log,
    onRequest: (_request, response) => void response.end(),
    onUpgrade: acceptLinks({ self, key, clock, onLink: talking.links.accept, onMessage: talking.links.receive }),
  });
  const known = { ...self, hosts: ["127.0.0.1"], port: server.port, files: 0, bytes: 0, reachable: null };
  const online: KnownPeer[] = [];
  const messenger = talking.begin({
    network: NETWORK,
    find: async (text) => findPeer(text, [known, ...online]),
    async *peers() {
      yield* online;
    },
    acquaintances: () => [],
  });
  let stopping: Promise<void> | undefined;
  function stop(): Promise<void> {
    stopping ??= clock.runUntil(talking.close(), 50).then(() => server.close());
    return stopping;
  }
  t.after(stop);
  return {
    name,
    identity,
    home,
    clock,
    told,
    talking,
    messenger,
    known,
    online,
    says: (text, to) =>
      clock.runUntil(Array.fromAsync(messenger.say({ peer: to, text }, new AbortController().signal)), 10),
    stop,
  };
}

/** Whatever a talker was told that somebody said. */
export function heard({ told }: Talker): readonly string[] {
  return told.all.flatMap((event) =>
    event.event === "message" ? [`${event.from.name} (${event.scope}): ${event.text}`] : [],
  );
}
