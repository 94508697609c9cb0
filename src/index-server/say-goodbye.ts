import type { Clock } from "../transport/clock.ts";
import type { Link } from "../transport/link.ts";
import { inSlices } from "./slices.ts";

/** When all is over, goodbyes may take so long, and then the answers to them. */
const GOODBYES_MS = 400;
const GOODBYE_GRACE_MS = 400;

/** Says goodbye on as many links as there is time for, and resolves when they have ended or have had time to. */
export async function sayGoodbye(links: readonly Link[], clock: Clock): Promise<void> {
  const startedAtMs = performance.now();
  await inSlices(links, (link) => {
    if (performance.now() - startedAtMs < GOODBYES_MS) link.close();
  });
  const waited = Promise.withResolvers<void>();
  const callOff = clock.after(GOODBYE_GRACE_MS, waited.resolve);
  await Promise.race([Promise.all(links.map((link) => link.closed)), waited.promise]);
  callOff();
}
