import type { Info, PeerEvent } from "../protocol/control-api.ts";
import { PROGRAM } from "../protocol/program.ts";
import { systemClock } from "../transport/clock.ts";
import type { Identity } from "../transport/identity.ts";
import type { KnownIds } from "../transport/known-ids.ts";
import { rememberNetwork } from "../transport/last-network.ts";
import type { Library } from "./library/library.ts";
import { type Advertising, createAdvertising, type Totals } from "./network/advertising.ts";
import type { RosterListener } from "./network/known-roster.ts";
import { type Membership, type MembershipListener, startMembership } from "./network/membership.ts";
import { ownHosts } from "./network/own-hosts.ts";
import type { NetworkTarget, PeerOptions } from "./options.ts";
import type { PeerServer } from "./peer-server.ts";

export type IndexSideOptions = {
  readonly options: PeerOptions & { readonly network: NetworkTarget };
  readonly identity: Identity;
  readonly knownIds: KnownIds;
  readonly library: Library;
  readonly server: Pick<PeerServer, "address" | "tryListen">;
  readonly presence: RosterListener;
  readonly heard: MembershipListener["heard"];
  /** The index server is back. */
  readonly networkCame: () => void;
  readonly tell: (event: PeerEvent) => void;
  readonly tellShared: (totals: Totals) => void;
};

/** A peer's dealings with its index server: that it is a member, and what it shares. */
export type IndexSide = {
  readonly member: Membership;
  info(): NonNullable<Info["index"]>;
  close(): Promise<void>;
};

/** @throws Failure as `startMembership` does */
export async function joinIndex(given: IndexSideOptions): Promise<IndexSide> {
  const { identity, knownIds, library, server, presence, heard, networkCame, tell, tellShared } = given;
  const { network, name, log, home, shares, host } = given.options;
  let advertising: Advertising | undefined;
  const member = await startMembership({
    target: network,
    identity,
    name,
    program: PROGRAM,
    knownIds,
    clock: systemClock,
    log,
    listener: {
      ...presence,
      heard,
      lost(reason) {
        advertising?.pause();
        tell({ event: "index-lost", reason: reason.message });
      },
      back() {
        if (shares) advertising?.begin();
        tell({ event: "index-back", ...network.address });
        networkCame();
      },
      ended(reason) {
        advertising?.pause();
        tell({ event: "problem", message: `The index server does not let us back in: ${reason.message}` });
      },
    },
    role: {
      as: "peer",
      port: server.address()?.port ?? null,
      hosts: () => ownHosts(host),
      listen: server.tryListen,
      shares,
    },
  });
  try {
    await rememberNetwork(home, { ...network, indexId: member.indexId });
  } catch (error) {
    await member.close();
    throw error;
  }
  const advertised = createAdvertising({
    library,
    index: member.index,
    clock: systemClock,
    log,
    listener: { shared: tellShared, problem: (message) => tell({ event: "problem", message }) },
  });
  advertising = advertised;
  if (member.connected() && shares) advertised.begin();
  return {
    member,
    info: () => ({
      id: member.indexId,
      name: member.indexName(),
      ...network.address,
      private: network.key !== undefined,
      connected: member.connected(),
    }),
    async close() {
      await advertised.close();
      await member.close();
    },
  };
}
