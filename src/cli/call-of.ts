import type { Command } from "commander";

/** More options than these are only said to be there. */
const OPTIONS_SHOWN = 3;

/** A command with all that it takes, in one line: `ls <peer> [path] [-r]`; `search <words...> [options]`. */
export function callOf(command: Command): string {
  const takes = command.usage().replace("[options]", "").trim();
  const all = command.options.map(({ flags, short, long }) => `[${short ?? long ?? ""}${placeholder(flags)}]`);
  const options = all.length > OPTIONS_SHOWN ? ["[options]"] : all;
  return [command.name(), takes, ...options].filter((part) => part !== "").join(" ");
}

function placeholder(flags: string): string {
  return / <.+>$/.exec(flags)?.[0] ?? "";
}
