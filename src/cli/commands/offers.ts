import { shortId } from "../../protocol/peer-id.ts";
import type { OffersAnswer, ReceivedOffer } from "../../protocol/sending.ts";
import { printable } from "../../protocol/untrusted-text.ts";
import { formatCount, formatSize } from "../amounts.ts";
import type { Outcome } from "../exit-status.ts";
import type { Colours } from "../output.ts";
import { readNumbers } from "../read-numbers.ts";
import { type Column, tableLines } from "../table.ts";
import type { QueueVerbContext } from "../verb-context.ts";
import { namesOf } from "./sends.ts";

const COLUMNS: readonly Column[] = [
  { title: "No.", align: "right" },
  { title: "State" },
  { title: "From" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "What" },
];

/** `tukar offers`: what others want to send. */
export async function listOffers({ operations, output, signal }: QueueVerbContext, all: boolean): Promise<undefined> {
  const offers = await Array.fromAsync(operations.offers({ all }, signal));
  if (output.json) for (const offer of offers) await output.record(offer);
  else if (offers.length > 0) for (const line of linesOf(offers, output.colours)) await output.result(line);
  if (offers.length === 0 && !output.json) output.talk(all ? "Nothing was offered" : "Nothing is offered");
}

/** `tukar accept` and `tukar decline`. Those that were answered before are only told of. */
export async function answerOffers(
  { operations, output }: QueueVerbContext,
  answer: OffersAnswer["answer"],
  words: readonly string[],
): Promise<Outcome> {
  const which = readNumbers(answer, "offer", words);
  const { changed } = await operations.answerOffers({ answer, which });
  for (const id of changed) {
    if (output.json) await output.record({ event: answer, offer: id });
    else await output.result(`Offer ${id} ${answer === "accept" ? "accepted" : "declined"}`);
  }
  const others = which === "all" ? [] : which.filter((id) => !changed.includes(id));
  for (const id of others) output.talk(`Offer ${id} was answered before: see offers --all`);
  if (which === "all" && changed.length === 0) output.talk(`There is nothing to ${answer}`);
  return undefined;
}

function linesOf(offers: readonly ReceivedOffer[], colours: Colours): readonly string[] {
  const rows = offers.map(({ id, peer, names, files, bytes, state, reason }) => [
    String(id),
    coloured(state, colours),
    `${printable(peer.name)} (${shortId(peer.id)}${peer.known ? ", known" : ""})`,
    formatCount(files),
    formatSize(bytes),
    `${namesOf(names)}${reason === null ? "" : colours.dim(`: ${printable(reason)}`)}`,
  ]);
  return tableLines(COLUMNS, rows, colours);
}

function coloured(state: ReceivedOffer["state"], { cyan, green, red, yellow, dim }: Colours): string {
  const colour = { open: yellow, accepted: cyan, delivered: green, declined: dim, withdrawn: dim, failed: red };
  return colour[state](state);
}
