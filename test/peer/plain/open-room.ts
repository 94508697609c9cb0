import { createHash } from "node:crypto";
import type { TestContext } from "node:test";
import type { KnownPeer } from "../../../src/peer/network/directory.ts";
import { createHeardCopies } from "../../../src/peer/plain/heard-copies.ts";
import {
  openPlainRoom,
  type PlainRoom,
  type PlainRoomOptions,
  type PlainSaid,
} from "../../../src/peer/plain/plain-room.ts";
import { peerIdFromDigest } from "../../../src/protocol/peer-id.ts";
import { peerNameFrom } from "../../../src/protocol/peer-name.ts";
import type { PlainAuthor } from "../../../src/protocol/plain.ts";
import type { Clock } from "../../../src/transport/clock.ts";
import { createMailbox, type Mailbox } from "../../support/mailbox.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";
import { type PlainClient, plainClient } from "../../support/plain-client.ts";
import { log } from "../../support/silent-log.ts";

export function tukarPeer(name: string): KnownPeer {
  const id = peerIdFromDigest(createHash("sha256").update(name).digest());
  return { id, name: peerNameFrom(name), hosts: ["192.0.2.1"], port: 9500, files: 1, bytes: 1, reachable: true };
}

export const ADA = tukarPeer("ada");
export const BOB = tukarPeer("bob");

type PassedOn = { readonly to: KnownPeer | null; readonly text: string; readonly author: PlainAuthor };

/** Ada's room for plain peers, with Bob online, whatever else an option says. */
export type OpenRoom = {
  readonly room: PlainRoom;
  readonly clock: ManualClock;
  /** What Ada hears. */
  readonly heard: Mailbox<PlainSaid>;
  /** What is passed on to tukar peers. */
  readonly passedOn: Mailbox<PassedOn>;
  readonly joined: Mailbox<KnownPeer>;
  readonly left: Mailbox<Pick<KnownPeer, "id" | "name" | "plain">>;
  client(id: string, name?: string): Promise<PlainClient>;
};

export async function openRoom(
  t: TestContext,
  change: Partial<Omit<PlainRoomOptions, "clock">> & { readonly clock?: ManualClock & Clock } = {},
): Promise<OpenRoom> {
  const clock = change.clock ?? createManualClock();
  const heard = createMailbox<PlainSaid>();
  const passedOn = createMailbox<PassedOn>();
  const joined = createMailbox<KnownPeer>();
  const left = createMailbox<Pick<KnownPeer, "id" | "name" | "plain">>();
  const room = await openPlainRoom({
    self: ADA,
    host: "127.0.0.1",
    port: 0,
    log,
    copies: createHeardCopies(),
    async *peers() {
      yield ADA;
      yield BOB;
    },
    listener: { joined: joined.push, left: left.push },
    heard: heard.push,
    toAll: async (text, author) => passedOn.push({ to: null, text, author }),
    toOne: async (to, text, author) => passedOn.push({ to, text, author }),
    ...change,
    clock,
  });
  t.after(() => room.close());
  return {
    room,
    clock,
    heard,
    passedOn,
    joined,
    left,
    async client(id, name) {
      const client = await plainClient(room.port, id, name);
      t.after(() => client.socket.destroy());
      return client;
    },
  };
}
