import type { Command } from "commander";

/** A command with all that it takes, in one line: `get <peer> <name...> [-o <path>] [-r]`. */
export function callOf(command: Command): string {
  const takes = command.usage().replace("[options]", "").trim();
  const options = command.options.map(({ flags, short, long }) => `[${short ?? long ?? ""}${placeholder(flags)}]`);
  return [command.name(), takes, ...options].filter((part) => part !== "").join(" ");
}

function placeholder(flags: string): string {
  return / <.+>$/.exec(flags)?.[0] ?? "";
}
