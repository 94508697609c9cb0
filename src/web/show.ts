/** How values are shown to people, in the language of the page. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export type Formats = ReturnType<typeof createFormats>;

export function createFormats(language: string) {
  const plain = new Intl.NumberFormat(language);
  const short = new Intl.NumberFormat(language, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

  function size(bytes: number): string {
    let unit = 0;
    let value = bytes;
    for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
    return `${unit === 0 ? plain.format(value) : short.format(value)} ${UNITS[unit]}`;
  }
  return {
    count: (number: number) => plain.format(number),
    size,
    rate: (bytes: number) => `${size(Math.round(bytes))}/s`,
    time: (atMs: number) => (atMs === 0 ? "" : day.format(atMs)),
    percent: (part: number, whole: number) => (whole === 0 ? 100 : Math.floor((part / whole) * 100)),
    duration(seconds: number) {
      const whole = Math.max(0, Math.round(seconds));
      if (whole < 60) return `${whole} s`;
      if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
      return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
    },
  };
}

/** Control characters, and those that make text read in another order than it is stored. */
const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text of others as it may be shown. */
export function shown(text: string): string {
  return text.toWellFormed().replace(HOSTILE, "\ufffd");
}

/** The same for what may have several lines. */
export function shownLines(text: string): string {
  return text
    .replaceAll("\t", "    ")
    .split(/\r\n?|\n/)
    .map(shown)
    .join("\n");
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** `1.5M`, `300k`, `2 GiB` or bytes, as the command line takes them; nothing if it is none of that. */
export function sizeIn(text: string): number | undefined {
  const match = /^\s*(\d+(?:[.,]\d+)?)\s*([kmgt]?)i?b?\s*$/i.exec(text);
  if (!match) return undefined;
  const power = ["", "k", "m", "g", "t"].indexOf((match[2] ?? "").toLowerCase());
  return Math.round(Number((match[1] ?? "").replace(",", ".")) * 1024 ** power);
}
