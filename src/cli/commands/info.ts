import { formatAddress } from "../../protocol/address.ts";
import type { Info } from "../../protocol/control-api.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatCount, formatSize } from "../amounts.ts";
import { tableLines } from "../table.ts";
import type { VerbContext } from "../verb-context.ts";
import { describeLimits } from "./limit.ts";

/** `tukar info` */
export async function showInfo({ operations, output }: VerbContext): Promise<undefined> {
  const info = await operations.info();
  if (output.json) {
    await output.record(info);
    return;
  }
  const rows = describeInfo(info).map(([title, text]) => [output.colours.bold(title), printable(text)]);
  for (const line of tableLines([{ title: "" }, { title: "" }], rows, output.colours)) await output.result(line);
}

function describeInfo({
  role,
  id,
  name,
  version,
  home,
  port,
  received,
  ui,
  index,
  shares,
  limits,
  plain,
}: Info): [string, string][] {
  const folders = shares.folders.map((folder): [string, string] => [
    "Shares",
    folder.name === "" ? folder.path : `${folder.path} as ${folder.name}/`,
  ]);
  return [
    ["Name", name],
    ["Id", id],
    ["Running", role === "peer" ? `peer, on port ${port ?? "?"}` : "no peer: this command asks on its own"],
    ["Index server", describeIndex(index)],
    ...folders,
    ...(shares.manifest === null ? [] : [["Manifest", shares.manifest] as [string, string]]),
    ["Sharing", role === "peer" ? describeTotals(shares) : "nothing, since no peer runs here"],
    ["Downloads", received],
    ...(ui === null ? [] : [["Page", ui] as [string, string]]),
    ...(role === "peer" ? describeLimits(limits) : []),
    ...(plain ? [["Plain peers", `let in at port ${plain.port}, ${plain.peers} here`] as [string, string]] : []),
    ["Home", home],
    ["Version", version],
    ...shares.problems.map((problem): [string, string] => ["Problem", problem]),
  ];
}

function describeIndex(index: Info["index"]): string {
  if (index === null) return "none";
  const name = index.name === null ? "" : `${index.name} at `;
  const state = index.connected ? "" : ", not connected at the moment";
  return `${name}${formatAddress(index)}, ${index.private ? "private" : "open to all"}${state}`;
}

function describeTotals({ files, bytes, unhashed }: Info["shares"]): string {
  const waiting = unhashed === 0 ? "" : `, ${formatCount(unhashed)} not hashed yet`;
  return `${formatCount(files)} ${files === 1 ? "file" : "files"}, ${formatSize(bytes)}${waiting}`;
}
