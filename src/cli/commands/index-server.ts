import type { IndexServerOptions, RunningIndexServer } from "../../index-server/index-server.ts";
import { formatAddress } from "../../protocol/address.ts";
import { parseInvite } from "../../protocol/invite.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { aborted, startedUnless } from "../abortable.ts";
import type { Engines } from "../engines.ts";
import type { Output } from "../output.ts";

type IndexContext = {
  readonly engines: Pick<Engines, "startIndexServer">;
  readonly output: Output;
  readonly signal: AbortSignal;
};

/** `tukar index`: runs until the signal aborts. */
export async function runIndexServer(
  { engines, output, signal }: IndexContext,
  options: IndexServerOptions,
): Promise<undefined> {
  const index = await startedUnless(signal, () => engines.startIndexServer(options));
  try {
    await announceIndex(output, index, options);
    await aborted(signal);
  } finally {
    await index.close();
  }
}

/** Tells where the index server is, and how others join. */
export async function announceIndex(
  output: Output,
  index: RunningIndexServer,
  { name, open }: IndexServerOptions,
): Promise<void> {
  const { id, host, port, invite, invites } = index;
  if (output.json) return output.record({ event: "ready", role: "index", id, host, port, invite });
  const { bold } = output.colours;
  const where = parseInvite(invite)?.address ?? { host, port };
  await output.result(
    `Index server ${bold(printable(name))} (${shortId(id)}) at ${formatAddress(where)}, ${open ? "open to all" : "private"}`,
  );
  await output.result(`Invite: ${invite}`);
  await output.result(`On another machine, type: ${bold(`tukar peer ${invite}`)}`);
  const others = invites.filter((other) => other !== invite);
  if (others.length > 0) output.talk("The same by its other addresses:");
  for (const other of others) output.talk(`  ${other}`);
}
