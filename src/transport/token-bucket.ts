/** Rate limits after the token bucket: `burst` at once, then one more every `refillMs`. */
export type BucketOptions = { readonly burst: number; readonly refillMs: number; readonly now: () => number };

export type TokenBucket = {
  /** Takes one token, or says that there is none. */
  take(): boolean;
  /** Whether a token is there, without taking it. */
  has(): boolean;
};

export function createTokenBucket({ burst, refillMs, now }: BucketOptions): TokenBucket {
  let tokens = burst;
  let filledAtMs = now();
  function refill(): void {
    const nowMs = now();
    tokens = Math.min(burst, tokens + Math.max(0, nowMs - filledAtMs) / refillMs);
    filledAtMs = nowMs;
  }
  return {
    take() {
      refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    has() {
      refill();
      return tokens >= 1;
    },
  };
}

/** Keys (addresses, ids) remembered at most; the one unused for longest is forgotten first. */
const KEYS_MAX = 10_000;

/** One bucket for each key, made when first asked for. */
export function createBuckets(options: BucketOptions): (key: string) => TokenBucket {
  const buckets = new Map<string, TokenBucket>();
  return (key) => {
    const bucket = buckets.get(key) ?? createTokenBucket(options);
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > KEYS_MAX) buckets.delete(buckets.keys().next().value ?? key);
    return bucket;
  };
}
