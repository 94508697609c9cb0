import { describeEvent } from "../events-text.ts";
import type { Outcome } from "../exit-status.ts";
import type { VerbContext } from "../verb-context.ts";
import { listPeers } from "./peers.ts";

const ABOUT_PEERS: ReadonlySet<string> = new Set(["peer-joined", "peer-left", "index-lost", "index-back"]);

/** `tukar peers --watch`: who is online, and then who comes and goes, until the signal aborts. */
export async function watchPeers(context: VerbContext): Promise<Outcome> {
  const { operations, output, signal } = context;
  // Asked for before the list, so that nobody comes or goes between the two.
  const events = operations.events(signal)[Symbol.asyncIterator]();
  let next = events.next();
  next.catch(() => undefined);
  await listPeers(context);
  output.flush();
  try {
    for (let event = await next; !event.done; event = await next) {
      next = events.next();
      next.catch(() => undefined);
      if (!ABOUT_PEERS.has(event.value.event)) continue;
      if (output.json) await output.record(event.value);
      else await output.result(describeEvent(event.value));
      output.flush();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return signal.aborted ? "interrupted" : undefined;
}
