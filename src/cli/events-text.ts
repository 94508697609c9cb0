import { formatAddress } from "../protocol/address.ts";
import type { PlainParty } from "../protocol/chat.ts";
import type { PeerEvent } from "../protocol/control-api.ts";
import { type PeerId, shortId } from "../protocol/peer-id.ts";
import { plainLabel } from "../protocol/plain.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatCount, formatSize } from "./amounts.ts";

/** What happened, in one line for people. */
export function describeEvent(event: PeerEvent): string {
  switch (event.event) {
    case "shared":
      return `Sharing ${formatCount(event.files)} ${event.files === 1 ? "file" : "files"}, ${formatSize(event.bytes)}`;
    case "peer-joined":
      return printable(`${event.name} (${called(event)}) came online at ${formatAddress(event)}`);
    case "peer-left":
      return printable(`${event.name} (${called(event)}) left`);
    case "index-lost":
      return printable(`Lost the index server, dialling it again; known peers can still be reached (${event.reason})`);
    case "index-back":
      return printable(`The index server is back at ${formatAddress(event)}`);
    case "received": {
      const from = event.peer === null ? "" : ` from ${event.peer.name}`;
      return printable(`Received ${event.path}${from}, ${formatSize(event.bytes)}: ${event.saved}`);
    }
    case "offer": {
      const what = `${formatCount(event.files)} ${event.files === 1 ? "file" : "files"}, ${formatSize(event.bytes)}: ${event.names.slice(0, 5).join(", ")}`;
      const from = `${event.peer.name} (${shortId(event.peer.id)})`;
      if (event.answer === "open")
        return printable(`${from} offers ${what}. Take it with accept ${event.offer}, or decline ${event.offer}`);
      return printable(`${from} sends ${what}: ${event.answer}`);
    }
    case "message": {
      const to = event.scope === "direct" ? " to you" : "";
      return `${event.plain ? plainName(event.plain, event.from) : printable(`${event.from.name} (${shortId(event.from.id)})`)}${to}: ${textLines(event.text).join("\n  ")}`;
    }
    case "problem":
      return printable(event.message);
    default:
      return event satisfies never;
  }
}

/** By what somebody is told from others of that name. */
function called({ id, plain }: { readonly id: PeerId; readonly plain?: true | undefined }): string {
  return plain ? "plain" : shortId(id);
}

/** What a plain JSON peer is called, and through whom it is heard: never its name alone. */
export function plainName({ name, through }: PlainParty, from: { readonly name: string }): string {
  return printable(through ? from.name : plainLabel(name));
}

/** What a person said, line by line, fit for a terminal. */
export function textLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/).map((line) => printable(line.replaceAll("\t", "  ")));
}
