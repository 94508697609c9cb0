import type { AnnouncedRole } from "../../protocol/announcement.ts";
import type { Clock } from "../clock.ts";
import { type Found, startBrowsing } from "./browse.ts";
import type { MulticastOptions } from "./multicast.ts";

export type LookOptions = {
  readonly role: AnnouncedRole;
  readonly clock: Clock;
  /** Ends it early, without failure. */
  readonly signal: AbortSignal;
  readonly multicast?: MulticastOptions;
  /** Whether this is what was looked for: then nobody else is waited for. */
  isIt?(found: Found): boolean;
};

/** What is announced on the LAN, or why nothing can be heard. */
export type Surroundings = { readonly found: readonly Found[]; readonly trouble: string | undefined };

/** Longer than whoever has just told somebody else rests before telling it again, so that all are heard. */
const WITHIN_MS = 1100;
/** Packets get lost, wireless ones in particular. */
const ASK_AGAIN_MS = 300;

/** Asks the LAN once what there is, and waits about a second for answers. */
export async function lookAround({ role, clock, signal, multicast, isIt }: LookOptions): Promise<Surroundings> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const browsing = await startBrowsing({
    role,
    clock,
    multicast,
    onFound(found) {
      if (isIt?.(found)) end();
    },
  });
  const trouble = browsing.trouble();
  const callOffAgain = clock.after(ASK_AGAIN_MS, browsing.ask);
  const callOffEnd = clock.after(WITHIN_MS, end);
  if (trouble !== undefined || signal.aborted) end();
  signal.addEventListener("abort", () => end(), { once: true });
  await over;
  callOffAgain();
  callOffEnd();
  const found = browsing.found();
  await browsing.close();
  return { found, trouble };
}
