import { formatAddress } from "../../protocol/address.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { VerbContext } from "../verb-context.ts";

/** `tukar ping` */
export async function pingPeer({ operations, output, signal }: VerbContext, peer: string): Promise<undefined> {
  const { id, name, host, port, milliseconds } = await operations.ping({ peer }, signal);
  if (output.json) {
    await output.record({ id, name, host, port, milliseconds });
    return;
  }
  const who = `${printable(name)} (${shortId(id)}) at ${printable(formatAddress({ host, port }))}`;
  await output.result(`${who} answered in ${milliseconds.toFixed(1)} ms`);
}
