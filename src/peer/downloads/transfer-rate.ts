/** How far back the rate looks. */
const WINDOW_MS = 5000;

export type TransferRate = {
  /** Bytes a second over the last seconds, and seconds until `total` at that rate; undefined while nobody can tell. */
  at(bytes: number, total: number): { readonly bytesPerSecond: number; readonly secondsLeft: number } | undefined;
};

/** Measures how fast a number of bytes grows. What was there at first (a resumed file) counts for nothing. */
export function createTransferRate(now: () => number): TransferRate {
  const samples: { readonly atMs: number; readonly bytes: number }[] = [];
  return {
    at(bytes, total) {
      const atMs = now();
      samples.push({ atMs, bytes });
      while ((samples[1]?.atMs ?? atMs) < atMs - WINDOW_MS) samples.shift();
      const [oldest = { atMs, bytes }] = samples;
      if (atMs <= oldest.atMs || bytes <= oldest.bytes) return undefined;
      const bytesPerSecond = ((bytes - oldest.bytes) * 1000) / (atMs - oldest.atMs);
      return { bytesPerSecond, secondsLeft: Math.max(0, total - bytes) / bytesPerSecond };
    },
  };
}
