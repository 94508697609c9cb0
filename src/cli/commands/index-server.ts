import type { IndexServerOptions, RunningIndexServer } from "../../index-server/index-server.ts";
import { formatAddress, isLoopback } from "../../protocol/address.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { aborted, startedUnless } from "../abortable.ts";
import type { Engines } from "../engines.ts";
import { cannotLook } from "../nearby-network.ts";
import type { Output } from "../output.ts";

type IndexContext = {
  readonly engines: Pick<Engines, "startIndexServer">;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** How people type this program. */
  readonly called: string;
};

/** `tukar index`: runs until the signal aborts. */
export async function runIndexServer(
  { engines, output, signal, called }: IndexContext,
  options: IndexServerOptions,
): Promise<undefined> {
  const index = await startedUnless(signal, () => engines.startIndexServer(options));
  try {
    await announceIndex({ output, called }, index, options);
    await aborted(signal);
  } finally {
    await index.close();
  }
}

/** Tells where the index server is, and how others join. */
export async function announceIndex(
  { output, called }: Pick<IndexContext, "output" | "called">,
  index: RunningIndexServer,
  { name, open }: IndexServerOptions,
): Promise<void> {
  const { id, host, port, invite, invites, unannounced } = index;
  if (unannounced !== undefined) output.talk(`${cannotLook(unannounced)}, nor this from there: others need the invite`);
  if (output.json) return output.record({ event: "ready", role: "index", id, host, port, invite });
  const { bold } = output.colours;
  const where = parseInvite(invite)?.address ?? { host, port };
  await output.result(
    `Index server ${bold(printable(name))} (${shortId(id)}) at ${formatAddress(where)}, ${open ? "open to all" : "private"}`,
  );
  const from = isLoopback(where.host) ? "on this machine" : "from another machine";
  // In double quotes it means the same to every shell: some take the `?` for a pattern.
  await output.result(`To join ${from}: ${bold(`${called} peer "${invite}"`)}`);
  const others = invites.filter((other) => other !== invite).map((other) => parseInvite(other)?.address);
  const places = others.filter((address) => address !== undefined).map(formatAddress);
  if (places.length > 0)
    output.talk(`Where ${formatAddress(where)} cannot be reached, put in its place: ${places.join(" or ")}`);
}
