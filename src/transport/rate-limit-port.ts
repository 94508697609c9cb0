import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { RateLimit, RateUser } from "./rate-limit.ts";

/** A share of a limit for another thread, which asks for it through a port. While there is no limit nothing is asked. */

type ToThread = { readonly granted: number } | { readonly isLimited: boolean };
type FromThread = { readonly wanted: number };

/** @param peer as for `RateLimit.user`; `port` is to be transferred to the thread */
export function offerRateLimit(limit: RateLimit, peer: string): { readonly port: MessagePort; close(): void } {
  const { port1: own, port2: port } = new MessageChannel();
  const share = limit.user(peer);
  const tell = (message: ToThread): void => own.postMessage(message);
  const tellWhether = (): void => tell({ isLimited: limit.bytesPerSecond() > 0 });
  own.on("message", ({ wanted }: FromThread) => share.take(wanted, (granted) => tell({ granted })));
  own.unref();
  tellWhether();
  const callOff = limit.onChange(tellWhether);
  return {
    port,
    close() {
      callOff();
      share.close();
      own.close();
    },
  };
}

/** The other end, in the thread. It has one user. */
export function rateLimitThrough(port: MessagePort): Pick<RateLimit, "user"> {
  let isLimited = true; // until the first word of the other end
  let waiting: ((bytes: number) => void) | undefined;
  port.on("message", (message: ToThread) => {
    if ("isLimited" in message) {
      isLimited = message.isLimited;
      return;
    }
    const go = waiting;
    waiting = undefined;
    go?.(message.granted);
  });
  port.unref();
  const share: RateUser = {
    take(wanted, go) {
      if (!isLimited) return go(wanted);
      waiting = go;
      port.postMessage({ wanted } satisfies FromThread);
    },
    close() {
      waiting = undefined;
      port.close();
    },
  };
  return { user: () => share };
}
