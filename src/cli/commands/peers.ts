import { formatAddress } from "../../protocol/address.ts";
import type { PeerSummary } from "../../protocol/control-api.ts";
import { shortId } from "../../protocol/peer-id.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatCount, formatSize } from "../amounts.ts";
import type { Colours } from "../output.ts";
import { type Column, tableLines } from "../table.ts";
import type { VerbContext } from "../verb-context.ts";

const COLUMNS: readonly Column[] = [
  { title: "Name" },
  { title: "Id" },
  { title: "Address" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "Reachable" },
];

/** `tukar peers` */
export async function listPeers({ operations, output, signal }: VerbContext): Promise<undefined> {
  if (output.json) {
    for await (const { id, name, host, port, files, bytes, reachable, self, plain } of operations.peers(signal)) {
      await output.record({ id, name, host, port, files, bytes, reachable, self, ...(plain && { plain }) });
    }
    return;
  }
  const peers: PeerSummary[] = [];
  for await (const peer of operations.peers(signal)) peers.push(peer);
  if (peers.length === 0) {
    output.talk("Nobody is online");
    return;
  }
  const { index } = await operations.info();
  if (index?.connected === false) output.talk("The index server is away: this is who was online when it left");
  const rows = peers.toSorted(selfFirstThenByName).map((peer) => row(peer, output.colours));
  for (const line of tableLines(COLUMNS, rows, output.colours)) await output.result(line);
  const [files, bytes] = [sumOf(peers, "files"), sumOf(peers, "bytes")];
  if (peers.length > 1) output.talk(`${peers.length} online share ${formatCount(files)} files, ${formatSize(bytes)}`);
}

function sumOf(peers: readonly PeerSummary[], what: "files" | "bytes"): number {
  return peers.reduce((sum, peer) => sum + peer[what], 0);
}

function selfFirstThenByName(a: PeerSummary, b: PeerSummary): number {
  return Number(b.self) - Number(a.self) || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1);
}

function row(
  { id, name, host, port, files, bytes, reachable, self, plain }: PeerSummary,
  colours: Colours,
): readonly string[] {
  const note = self ? " (you)" : plain ? " (plain)" : "";
  return [
    `${printable(name)}${colours.dim(note)}`,
    shortId(id),
    printable(formatAddress({ host, port })),
    formatCount(files),
    formatSize(bytes),
    reachable === null ? colours.dim("?") : reachable ? colours.green("yes") : colours.red("no"),
  ];
}
