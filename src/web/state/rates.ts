import { type Signal, signal } from "@preact/signals";

export type RateSample = { readonly down: number; readonly up: number };

export const RATE_SAMPLES = 120;

/** How fast bytes came and went, one sample a second. */
export function createRates(): { readonly samples: Signal<readonly RateSample[]>; add(sample: RateSample): void } {
  const samples = signal<readonly RateSample[]>([]);
  return {
    samples,
    add(sample) {
      samples.value = [...samples.value.slice(-RATE_SAMPLES + 1), sample];
    },
  };
}
