import { Failure } from "../../protocol/failures.ts";
import type { Send, SendsChange } from "../../protocol/sending.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatSize } from "../amounts.ts";
import type { Colours } from "../output.ts";
import { readNumbers } from "../read-numbers.ts";
import { type Column, tableLines } from "../table.ts";
import type { QueueVerbContext } from "../verb-context.ts";

type SendsArguments = { readonly action: string | undefined; readonly what: readonly string[]; readonly all: boolean };

export const SENDS_ACTIONS = ["cancel", "clear"] as const;

const COLUMNS: readonly Column[] = [
  { title: "No.", align: "right" },
  { title: "State" },
  { title: "Arrived", align: "right" },
  { title: "To" },
  { title: "What" },
];

/** `tukar sends`: what is being sent, or a change of it. */
export async function showSends(context: QueueVerbContext, { action, what, all }: SendsArguments): Promise<undefined> {
  const { operations, output, signal } = context;
  if (action !== undefined) return changeSends(context, readChange(action, what));
  const sends = await Array.fromAsync(operations.sends({ all }, signal));
  if (output.json) for (const send of sends) await output.record(send);
  else if (sends.length > 0) for (const line of linesOf(sends, output.colours)) await output.result(line);
  if (sends.length === 0 && !output.json) output.talk(all ? "Nothing was sent" : "Nothing is being sent");
}

async function changeSends({ operations, output }: QueueVerbContext, change: SendsChange): Promise<undefined> {
  const { changed } = await operations.changeSends(change);
  for (const id of changed) {
    if (output.json) await output.record({ event: change.action, send: id });
    else await output.result(`Send ${id} ${change.action === "cancel" ? "cancelled" : "is off the list"}`);
  }
  if (changed.length === 0) output.talk(`There is nothing to ${change.action}`);
}

function readChange(action: string, words: readonly string[]): SendsChange {
  if (action === "cancel") return { action, which: readNumbers("sends cancel", "send", words) };
  if (action !== "clear")
    throw new Failure("usage", `There is no "sends ${action}": use one of ${SENDS_ACTIONS.join(", ")}`);
  if (words.length === 0) return { action };
  throw new Failure("usage", "sends clear takes no numbers: it means all that ended");
}

function linesOf(sends: readonly Send[], colours: Colours): readonly string[] {
  const rows = sends.map(({ id, peer, names, bytes, total, state, reason }) => [
    String(id),
    coloured(state, colours),
    state === "delivered" ? formatSize(total) : `${formatSize(bytes)} of ${formatSize(total)}`,
    printable(peer.name),
    `${namesOf(names)}${reason === null ? "" : colours.dim(`: ${printable(reason)}`)}`,
  ]);
  return tableLines(COLUMNS, rows, colours);
}

function coloured(state: Send["state"], { cyan, green, red, yellow, dim }: Colours): string {
  const colour = {
    waiting: yellow,
    offered: yellow,
    accepted: cyan,
    delivered: green,
    declined: red,
    failed: red,
    cancelled: dim,
  };
  return colour[state](state);
}

/** The first of several names, and how many there are. */
export function namesOf(names: readonly string[]): string {
  const [first = ""] = names;
  return `${printable(first)}${names.length > 1 ? ` and ${names.length - 1} more` : ""}`;
}
