import type { FoundFile } from "../protocol/control-api.ts";
import { printable } from "../protocol/untrusted-text.ts";
import { formatCount, formatSize, formatTime } from "./amounts.ts";
import { columnsOf, fitted } from "./columns.ts";

export type SearchColumnsOptions = {
  /** Columns of the terminal that a row has to fit into; without one nothing is cut. */
  readonly width: number | undefined;
  readonly mostRows: number;
  /** Makes stand out in a path what was looked for. */
  readonly mark: (path: string) => string;
};

/** How the rows of a search are written: one by one, so the columns have fixed widths. */
export type SearchColumns = {
  readonly title: string;
  row(number: number | undefined, hit: FoundFile): string;
  /** A line that belongs to the row above. */
  below(text: string): string;
};

const SIZE_WIDTH = "1023 KiB".length;
const PEER_WIDTH = 14;
const DATE_WIDTH = "2026-11-21".length;
const TIME_WIDTH = "2026-11-21 01:48".length;
/** From these widths of a terminal on there is room for the day, and for the time too, beside the path. */
const WIDTH_FOR_DATE = 70;
const WIDTH_FOR_TIME = 100;
const PATH_WIDTH_MIN = 16;

export function createSearchColumns({ width, mostRows, mark }: SearchColumnsOptions): SearchColumns {
  const timeWidth =
    width === undefined || width >= WIDTH_FOR_TIME ? TIME_WIDTH : width >= WIDTH_FOR_DATE ? DATE_WIDTH : 0;
  const numberWidth = Math.max(2, Math.min(5, String(mostRows).length));
  const before = [numberWidth, SIZE_WIDTH, ...(timeWidth > 0 ? [timeWidth] : []), PEER_WIDTH];
  const taken = before.reduce((sum, column) => sum + column + 2, 0);
  const pathWidth = width === undefined ? undefined : Math.max(PATH_WIDTH_MIN, width - taken);

  function line(number: string, size: string, time: string, peer: string, path: string): string {
    const cells = [
      number.padStart(numberWidth),
      size.padStart(SIZE_WIDTH),
      ...(timeWidth > 0 ? [time.slice(0, timeWidth).padEnd(timeWidth)] : []),
      peer,
      path,
    ];
    return cells.join("  ");
  }

  return {
    title: line("#", "Size", "Modified", "Peer".padEnd(PEER_WIDTH), "Path"),
    row(number, { size, modified, peer, sources, path }) {
      const shown = mark(shortened(printable(path), pathWidth));
      const who = peerCell(printable(peer.name), sources, width !== undefined);
      return line(number === undefined ? "" : String(number), formatSize(size), formatTime(modified), who, shown);
    },
    below(text) {
      const indent = " ".repeat(numberWidth + 2);
      return indent + shortened(text, width === undefined ? undefined : width - indent.length);
    },
  };
}

/** Who has it, and how many others. */
function peerCell(name: string, sources: number, mayCut: boolean): string {
  const others = sources > 1 ? ` +${formatCount(sources - 1)}` : "";
  const room = PEER_WIDTH - others.length;
  const shown = mayCut && columnsOf(name) > room ? fitted(name, room) : name;
  return shown + others + " ".repeat(Math.max(0, room - columnsOf(shown)));
}

/** Of a long text the end: it tells files apart. */
function shortened(text: string, columns: number | undefined): string {
  return columns !== undefined && columnsOf(text) > columns ? fitted(text, columns) : text;
}
