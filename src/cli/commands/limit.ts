import type { Limits, LimitsChange } from "../../protocol/control-api.ts";
import { Failure } from "../../protocol/failures.ts";
import { formatCount } from "../amounts.ts";
import { readRate, readUploadSlots } from "../flag-values.ts";
import { formatRate } from "../rates.ts";
import { tableLines } from "../table.ts";
import type { VerbContext } from "../verb-context.ts";

/** `tukar limit`: changes what it names, and tells what transfers are kept within. */
export async function limitTransfers(
  { operations, output }: VerbContext,
  words: readonly string[],
): Promise<undefined> {
  const limits = await operations.limits(readChange(words));
  if (output.json) return output.record(limits).then(() => undefined);
  const rows = describeLimits(limits).map(([title, text]) => [output.colours.bold(title), text]);
  for (const line of tableLines([{ title: "" }, { title: "" }], rows, output.colours)) await output.result(line);
}

/** Lines for people, each with its title. */
export function describeLimits({ up, down, slots, serving, waiting }: Limits): [string, string][] {
  const now = waiting > 0 ? ` (${formatCount(serving)} in use, ${formatCount(waiting)} waiting)` : "";
  return [
    ["Upload limit", formatRate(up)],
    ["Download limit", formatRate(down)],
    ["Upload slots", `${slots === 0 ? "no limit" : formatCount(slots)}${now}`],
  ];
}

/** `up RATE`, `down RATE` and `slots N`, in any order. */
function readChange(words: readonly string[]): LimitsChange {
  const change: { -readonly [K in keyof LimitsChange]: LimitsChange[K] } = { up: null, down: null, slots: null };
  for (let at = 0; at < words.length; at += 2) {
    const [what = "", value] = words.slice(at, at + 2);
    if (what !== "up" && what !== "down" && what !== "slots") {
      throw new Failure("usage", `Cannot limit "${what}": type up RATE, down RATE or slots N, for example up 2M`);
    }
    if (value === undefined) throw new Failure("usage", `"${what}" needs a value: for example ${EXAMPLES[what]}`);
    change[what] = what === "slots" ? readUploadSlots(what, value) : readRate(what, value);
  }
  return change;
}

const EXAMPLES = { up: "up 2M", down: "down 500k, or down none", slots: "slots 4, or slots 0 for no limit" } as const;
