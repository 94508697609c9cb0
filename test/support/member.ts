import path from "node:path";
import type { TestContext } from "node:test";
import type { KnownPeer } from "../../src/peer/network/directory.ts";
import {
  type MemberRole,
  type Membership,
  type MembershipOptions,
  startMembership,
} from "../../src/peer/network/membership.ts";
import type { Failure } from "../../src/protocol/failures.ts";
import type { PeerId } from "../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { createIdentity, type Identity } from "../../src/transport/identity.ts";
import { openKnownIds } from "../../src/transport/known-ids.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";
import { log } from "./silent-log.ts";
import { tempFolder } from "./temp-folder.ts";
import type { TestNetwork } from "./test-network.ts";

/** What a membership told its owner. */
export type Told =
  | { readonly what: "joined"; readonly peer: KnownPeer }
  | { readonly what: "left"; readonly id: PeerId }
  | { readonly what: "lost" | "ended"; readonly reason: Failure }
  | { readonly what: "back" };

/** Whoever is a member of a test network with the real code, and with a clock of its own. */
export type Member = {
  readonly membership: Membership;
  readonly identity: Identity;
  readonly clock: ManualClock;
  readonly told: Mailbox<Told>;
  /** The next thing of this kind that the owner is told. */
  hears<W extends Told["what"]>(what: W): Promise<Told & { readonly what: W }>;
  /** Lets its time run until the next thing of this kind. */
  comesTo<W extends Told["what"]>(what: W): Promise<Told & { readonly what: W }>;
};

export type MemberOptions = {
  readonly identity?: Identity;
  readonly name?: string;
  readonly home?: string;
  readonly role?: MemberRole;
  readonly target?: Partial<MembershipOptions["target"]>;
};

export const VISITING: MemberRole = { as: "visitor" };

/** A peer that says it listens wherever it is told to. */
export function listeningAt(
  port: number | null = null,
  listen: (port: number) => Promise<boolean> = async () => true,
): MemberRole {
  return { as: "peer", port, hosts: () => [], listen };
}

export async function member(
  t: TestContext,
  network: Pick<TestNetwork, "invite">,
  options: MemberOptions = {},
): Promise<Member> {
  const {
    identity = await createIdentity(),
    name = "member",
    home = path.join(await tempFolder(t), "home"),
    role = VISITING,
  } = options;
  const clock = createManualClock();
  const told = createMailbox<Told>();
  const membership = await startMembership({
    target: { ...network.invite(), ...options.target },
    identity,
    name: peerNameFrom(name),
    program: "test",
    knownIds: await openKnownIds(home),
    clock,
    log,
    role,
    listener: {
      joined: (peer) => told.push({ what: "joined", peer }),
      left: ({ id }) => told.push({ what: "left", id }),
      lost: (reason) => told.push({ what: "lost", reason }),
      ended: (reason) => told.push({ what: "ended", reason }),
      back: () => told.push({ what: "back" }),
    },
  });
  t.after(() => clock.runUntil(membership.close(), 50));
  const seen = new Set<Told>();
  async function hears<W extends Told["what"]>(what: W): Promise<Told & { readonly what: W }> {
    const found = await told.find((item) => item.what === what && !seen.has(item));
    seen.add(found);
    return found as Told & { readonly what: W };
  }
  return { membership, identity, clock, told, hears, comesTo: (what) => clock.runUntil(hears(what)) };
}
