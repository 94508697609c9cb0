import type { NetworkTarget } from "../peer/options.ts";
import { formatAddress, isLoopback } from "../protocol/address.ts";
import { Failure } from "../protocol/failures.ts";
import { formatInvite } from "../protocol/invite.ts";
import { shortId } from "../protocol/peer-id.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import type { Found } from "../transport/discovery/browse.ts";
import type { Engines } from "./engines.ts";
import type { Output } from "./output.ts";

/** Which network is joined that was found on the LAN: nothing that an announcement says is trusted for it. */

export type LanContext = {
  readonly engines: Pick<Engines, "lookAround" | "answers">;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** How people type this program. */
  readonly called: string;
  readonly home: string;
};

export type Lan = {
  /** Open networks whose index server answers as who it is said to be. */
  readonly open: readonly Found[];
  /** Those that take an invite. */
  readonly closed: readonly Found[];
  /** Why nothing can be found. */
  readonly trouble: string | undefined;
};

/** More are not dialled: somebody makes them up. */
const TRIED_MAX = 8;

/** Looks who is there, and has those answer that could be joined. */
export async function lookAtLan(context: LanContext): Promise<Lan> {
  const { found, trouble } = await context.engines.lookAround(context.signal);
  context.signal.throwIfAborted();
  const usable = onceEach(found.filter(({ v }) => v === PROTOCOL_VERSION));
  const open = usable.filter(({ access }) => access === "open").slice(0, TRIED_MAX);
  const answering = await Promise.all(open.map((one) => isThere(context, targetOf(one))));
  return {
    open: open.filter((_, at) => answering[at]),
    closed: usable.filter(({ access }) => access === "private"),
    trouble,
  };
}

/**
 * The network last joined, at another address than before: a machine may have got a new one. Whoever is there has to show
 * the same id as ever.
 */
export async function findAgain(context: LanContext, last: NetworkTarget): Promise<NetworkTarget | undefined> {
  const isIt = ({ id, v }: Found): boolean => id === last.indexId && v === PROTOCOL_VERSION;
  const { found } = await context.engines.lookAround(context.signal, isIt);
  context.signal.throwIfAborted();
  const same = found.filter(isIt).slice(0, TRIED_MAX);
  for (const { address } of same) {
    const target = { ...last, address };
    if (!(await isThere(context, target))) continue;
    context.output.complain(`The network last joined is at ${formatAddress(address)} now: joining it there`);
    return target;
  }
  return undefined;
}

/** Loud, since nobody asked for this very network. */
export function joinFound({ output }: Pick<LanContext, "output">, found: Found): NetworkTarget {
  output.complain(
    `Found an open network on this LAN, of the index server ${describe(found)}: joining it. Anybody can join it, and see what is shared here (--no-discovery: join nothing by itself)`,
  );
  return targetOf(found);
}

/** One line for each network, with what to type to join it. */
export function choices({ called }: Pick<LanContext, "called">, { open, closed }: Lan): string[] {
  return [
    ...open.map(
      (one) =>
        `Open: ${describe(one)}; to join it: ${called} peer "${formatInvite({ address: one.address, indexId: one.id, key: undefined })}"`,
    ),
    ...closed.map((one) => `Private: ${describe(one)}; to join it, ask for its invite and type: ${called} peer INVITE`),
  ];
}

/** How it is said that multicast does not work here. */
export function cannotLook(trouble: string): string {
  return `Nothing can be found on this LAN (${printable(trouble)})`;
}

function describe({ id, address }: Found): string {
  return `${shortId(id)} at ${formatAddress(address)}`;
}

function targetOf({ address, id }: Found): NetworkTarget {
  return { address, indexId: id, key: undefined };
}

/** Says so if somebody else is there than is announced, or than was met there before. */
export async function isThere({ engines, home, output, signal }: LanContext, target: NetworkTarget): Promise<boolean> {
  try {
    return await engines.answers(home, target, signal);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "identity-mismatch") throw error;
    output.complain(printable(error.message));
    return false;
  }
}

/** A machine on several links is heard of on each. */
function onceEach(found: readonly Found[]): Found[] {
  return [...new Map(found.toReversed().map((one) => [`${one.id} ${one.port}`, one])).values()].toReversed();
}

/**
 * For `tukar peer` without a network: the one last joined, else the only open one on the LAN, else none; what was found instead is told.
 * @throws Failure "usage" if there are several open ones
 */
export async function lastOrNearby(
  context: LanContext,
  last: NetworkTarget | undefined,
): Promise<NetworkTarget | undefined> {
  if (last) {
    if (isLoopback(last.address.host) || (await isThere(context, last))) return last;
    return (await findAgain(context, last)) ?? last;
  }
  const lan = await lookAtLan(context);
  const [only, ...more] = lan.open;
  if (only && more.length === 0) return joinFound(context, only);
  for (const line of choices(context, lan)) context.output.complain(line);
  if (only) throw new Failure("usage", "Several open networks were found on this LAN: choose one of them");
  const found = lan.closed.length > 0 ? "The networks on this LAN take an invite" : "No network was found on this LAN";
  context.output.talk(lan.trouble === undefined ? found : cannotLook(lan.trouble));
  return undefined;
}
