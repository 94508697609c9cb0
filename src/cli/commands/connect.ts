import { formatAddress } from "../../protocol/address.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import type { VerbContext } from "../verb-context.ts";

/** `tukar connect` */
export async function connectPeer({ operations, output }: VerbContext, address: string): Promise<undefined> {
  const { id, name, host, port, files, bytes } = await operations.connect({ address });
  if (output.json) await output.record({ event: "connected", id, name, host, port, files, bytes });
  else await output.result(`Linked with ${printable(name)} (${shortId(id)}) at ${formatAddress({ host, port })}`);
}
