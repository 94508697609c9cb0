import path from "node:path";
import type { TestContext } from "node:test";
import { createAdvertising, type Totals } from "../../src/peer/network/advertising.ts";
import { type MemberRole, type Membership, startMembership } from "../../src/peer/network/membership.ts";
import { parseInvite } from "../../src/protocol/invite.ts";
import { peerNameFrom } from "../../src/protocol/peer-name.ts";
import { systemClock } from "../../src/transport/clock.ts";
import { createIdentity, type Identity } from "../../src/transport/identity.ts";
import { openKnownIds } from "../../src/transport/known-ids.ts";
import { openRemote, type RemoteRoutes } from "../../src/transport/remote.ts";
import type { FakeLibrary } from "../peer/network/fake-library.ts";
import { createMailbox, type Mailbox } from "../support/mailbox.ts";
import { listeningAt, VISITING } from "../support/member.ts";
import { present } from "../support/present.ts";
import { log } from "../support/silent-log.ts";
import { tempFolder } from "../support/temp-folder.ts";

/** A member of a network of real processes that lives in the test, with real time. */
export type RealMember = { readonly membership: Membership; readonly routes: RemoteRoutes };

/** @returns with those who left while it looks on */
export async function visitorIn(
  t: TestContext,
  invite: string,
): Promise<RealMember & { readonly left: Mailbox<string> }> {
  const left = createMailbox<string>();
  return { ...(await memberIn(t, invite, VISITING, { left: ({ name }) => left.push(name) })), left };
}

/** Who a member is and where it listens; without it nobody in particular, and nowhere. */
export type Self = { readonly identity: Identity; readonly name: string; readonly port: number };

/** A peer whose library is what the test says; `shared` gets what the index server was found to hold. */
export async function peerIn(
  t: TestContext,
  invite: string,
  library: FakeLibrary,
  self?: Self,
): Promise<RealMember & { readonly shared: Mailbox<Totals> }> {
  const shared = createMailbox<Totals>();
  const advertising: { current?: ReturnType<typeof createAdvertising> } = {};
  const listener = {
    lost: () => advertising.current?.pause(),
    back: () => advertising.current?.begin(),
  };
  const member = await memberIn(t, invite, listeningAt(self?.port), listener, self);
  const current = createAdvertising({
    library,
    index: member.membership.index,
    clock: systemClock,
    log,
    listener: { shared: shared.push, problem: () => undefined },
  });
  advertising.current = current;
  t.after(() => current.close());
  current.begin();
  return { ...member, shared };
}

async function memberIn(
  t: TestContext,
  invite: string,
  role: MemberRole,
  listener: Parameters<typeof startMembership>[0]["listener"],
  self?: Self,
): Promise<RealMember> {
  const target = present(parseInvite(invite));
  const identity = self?.identity ?? (await createIdentity());
  const membership = await startMembership({
    target,
    identity,
    name: peerNameFrom(self?.name ?? "the test"),
    program: "test",
    knownIds: await openKnownIds(path.join(await tempFolder(t), "home")),
    clock: systemClock,
    log,
    role,
    listener,
  });
  t.after(() => membership.close());
  const { host, port } = target.address;
  const routes = openRemote({
    target: { hosts: [host], port, expectedId: target.indexId },
    identity,
    called: "the index server",
  });
  t.after(() => routes.close());
  return { membership, routes };
}
