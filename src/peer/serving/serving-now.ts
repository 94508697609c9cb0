import type { Serving } from "../../protocol/owner-api.ts";
import type { Clock } from "../../transport/clock.ts";
import { createTransferRate } from "../downloads/transfer-rate.ts";
import type { Upload, Uploads } from "./uploads.ts";

/** Who is being sent bytes of files right now, for the owner to see. */
export type ServingNow = {
  /** The same uploads, each of which is seen here as long as it lasts. */
  seen(uploads: Uploads): Uploads;
  /** In the order in which they began. */
  list(): readonly Serving[];
};

type Seen = Omit<Serving, "rate"> & { readonly rateNow: () => number };

export function createServingNow(clock: Clock): ServingNow {
  const running = new Map<number, Seen>();
  let last = 0;

  function counted(id: number, upload: Upload): Upload {
    return {
      take(wanted, go) {
        upload.take(wanted, (bytes) => {
          const seen = running.get(id);
          if (seen) seen.bytes += bytes;
          go(bytes);
        });
      },
      end() {
        running.delete(id);
        upload.end();
      },
    };
  }

  return {
    seen: ({ begin }) => ({
      async begin(response, remote, isSmall, name) {
        last += 1;
        const id = last;
        const length = Number(response.getHeader("content-length") ?? Number.NaN);
        const rate = createTransferRate(clock.now);
        const seen: Seen = {
          id,
          peer: { id: remote.id ?? null, host: remote.host },
          name: name ?? null,
          bytes: 0,
          total: Number.isSafeInteger(length) ? length : null,
          since: Math.round(clock.now()),
          waits: true,
          rateNow: () => rate.at(seen.bytes, seen.bytes)?.bytesPerSecond ?? 0,
        };
        running.set(id, seen);
        try {
          const upload = await begin(response, remote, isSmall, name);
          seen.waits = false;
          return counted(id, upload);
        } catch (error) {
          running.delete(id);
          throw error;
        }
      },
    }),
    list: () => [...running.values()].map(({ rateNow, ...seen }) => ({ ...seen, rate: rateNow() })),
  };
}
