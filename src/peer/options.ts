import type { Logger } from "pino";
import { type Address, parseAddress } from "../protocol/address.ts";
import type { LimitsChange } from "../protocol/control-api.ts";
import { parseInvite } from "../protocol/invite.ts";
import type { NetworkKey } from "../protocol/network-key.ts";
import type { PeerId } from "../protocol/peer-id.ts";
import type { PeerName } from "../protocol/peer-name.ts";
import type { AcceptRule } from "../protocol/sending.ts";
import type { QueueLimits } from "./downloads/queue/choose-next.ts";
import type { PageOptions } from "./web/page-server.ts";

/** Which network to join: all of an invite, or only an address (then the id met first is remembered). */
export type NetworkTarget = {
  readonly address: Address;
  readonly indexId: PeerId | undefined;
  readonly key: NetworkKey | undefined;
};

/** Where somebody of a mesh is to be found; who, and by what key, if it is an invite that says so. */
export type MeetingPoint = {
  readonly address: Address;
  readonly id: PeerId | undefined;
  readonly key?: NetworkKey | undefined;
};

/** Reads HOST:PORT or an invite. */
export function parseMeetingPoint(text: string): MeetingPoint | undefined {
  const invite = parseInvite(text);
  if (invite) return { address: invite.address, id: invite.indexId, key: invite.key };
  const address = parseAddress(text);
  return address && { address, id: undefined };
}

/** A folder that is offered under a name; an empty name puts its contents at the top. */
export type SharedFolder = { readonly path: string; readonly name: string };

export type VisitorOptions = {
  /** Absolute path of the folder with identity, databases and control socket. */
  readonly home: string;
  readonly network: NetworkTarget;
  readonly name: PeerName;
  /** Absolute path of the folder where downloads land. */
  readonly received: string;
  readonly log: Logger;
};

export type PeerOptions = Omit<VisitorOptions, "network"> & {
  /** The index server's network to be in; undefined: none, only what is linked with. */
  readonly network: NetworkTarget | undefined;
  /** Where others of a mesh are to be found. */
  readonly meeting: readonly MeetingPoint[];
  /** The key of a private mesh, where no index server's network has one. */
  readonly meshKey: NetworkKey | undefined;
  readonly downloads: QueueLimits;
  readonly folders: readonly SharedFolder[];
  /** Absolute path of `shares.txt`; it need not exist. */
  readonly manifest: string | undefined;
  readonly host: string;
  /** The port to insist on (0: any free one); undefined: the index server assigns one. */
  readonly port: number | undefined;
  /** Where plain JSON peers are let in (0: any free port); undefined: nowhere. */
  readonly plainPort?: number | undefined;
  /** Whether clients without a certificate may read. */
  readonly guests: boolean;
  /** Whether it shares anything: if not, `folders` and `manifest` do not count, and what is known of them is left alone. */
  readonly shares: boolean;
  /** What is done about files that others offer. */
  readonly accept: AcceptRule;
  /** What transfers are kept within at first; `null`: nothing. */
  readonly limits: LimitsChange;
  /** The owner's page, if there is to be one. */
  readonly page?: PageOptions | undefined;
};
