import Table from "cli-table3";
import type { Colours } from "./output.ts";

export type Column = { readonly title: string; readonly align?: "left" | "right" };

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** The lines of a table without borders, its columns as wide as they need to be. For few rows: it holds them all. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colours: Colours,
): string[] {
  const table = new Table({
    chars: NO_LINES,
    colAligns: columns.map(({ align }) => align ?? "left"),
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
  });
  const titles = columns.map(({ title }) => title);
  if (titles.some((title) => title !== "")) table.push(titles.map((title) => colours.bold(title)));
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
