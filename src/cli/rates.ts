import { RATE_MAX, RATE_MIN } from "../protocol/control-api.ts";

/** How rates are typed and shown: `500k`, `1.5MiB/s`, `20Mbit`. k, M, G count in thousands, Ki, Mi, Gi in 1,024s. */

const PREFIXES: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};
const RATE = /^(\d{1,12}(?:\.\d{1,9})?) ?([kmg]i?|)(b|bit|)(?:\/s|ps|)$/;

/** Bytes a second, 0 for no limit; nothing for what is no rate, or none that would do. */
export function parseRate(text: string): number | undefined {
  const typed = text.trim().toLowerCase();
  if (typed === "none") return 0;
  const match = RATE.exec(typed);
  if (!match) return undefined;
  const [, amount, prefix = "", unit] = match;
  const rate = Math.round((Number(amount) * (PREFIXES[prefix] ?? 1)) / (unit === "bit" ? 8 : 1));
  return rate === 0 || (rate >= RATE_MIN && rate <= RATE_MAX) ? rate : undefined;
}

const SHOWN: readonly (readonly [unit: string, bytes: number])[] = [
  ["GiB", 1024 ** 3],
  ["GB", 1e9],
  ["MiB", 1024 ** 2],
  ["MB", 1e6],
  ["KiB", 1024],
  ["kB", 1e3],
];

/** `none`, `500 kB/s`, `1.5 MiB/s`: in the unit that says it exactly, if there is one. */
export function formatRate(rate: number): string {
  if (rate === 0) return "none";
  const fits = SHOWN.filter(([, bytes]) => rate >= bytes);
  const [unit, bytes] = fits.find(([, bytes]) => Number.isInteger((rate / bytes) * 10)) ?? fits.at(-1) ?? ["B", 1];
  return `${Math.round((rate / bytes) * 10) / 10} ${unit}/s`;
}
