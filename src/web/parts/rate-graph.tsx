import { RATE_SAMPLES, type RateSample } from "../state/rates.ts";
import { useStore } from "./context.ts";

const WIDTH = 600;
const HEIGHT = 90;

/** How fast bytes came and went in the last two minutes. */
export function RateGraph() {
  const { rates, language } = useStore();
  const { texts, formats } = language;
  const samples = rates.samples.value;
  const now = samples.at(-1) ?? { down: 0, up: 0 };
  const top = Math.max(1024, ...samples.map(({ down, up }) => Math.max(down, up))) * 1.1;
  return (
    <figure class="rate-graph">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={texts.rateGraph}>
        <path class="down area" d={`${lineOf(samples, "down", top)}V${HEIGHT}H${startOf(samples)}Z`} />
        <path class="down" d={lineOf(samples, "down", top)} />
        <path class="up" d={lineOf(samples, "up", top)} />
      </svg>
      <figcaption>
        <span class="legend down">
          {texts.down} {formats.rate(now.down)}
        </span>
        <span class="legend up">
          {texts.up} {formats.rate(now.up)}
        </span>
      </figcaption>
    </figure>
  );
}

function startOf(samples: readonly RateSample[]): number {
  return ((RATE_SAMPLES - samples.length) / (RATE_SAMPLES - 1)) * WIDTH;
}

function lineOf(samples: readonly RateSample[], which: keyof RateSample, top: number): string {
  if (samples.length === 0) return `M0 ${HEIGHT}`;
  const points = samples.map((sample, at) => {
    const x = ((RATE_SAMPLES - samples.length + at) / (RATE_SAMPLES - 1)) * WIDTH;
    return `${x.toFixed(1)} ${(HEIGHT - 2 - (sample[which] / top) * (HEIGHT - 4)).toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
