import Table from "cli-table3";

/** Prints rows under a title, the way the figures stand in `bench/README.md`. */
export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push([...row]);
  console.log(`\n${title}\n${table.toString()}`);
}

export const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
export const fixed = (value: number, digits = 2): string => value.toFixed(digits);
