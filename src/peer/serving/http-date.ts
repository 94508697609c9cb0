const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";

/** The form that is to be sent, and the two older ones that are to be understood as well (RFC 9110, section 5.6.7). */
const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<shortYear>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * An HTTP date in milliseconds since 1970, or nothing for any other text. `Date.parse` would not do: it takes almost
 * anything for a date, and what names no time zone for local time.
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  for (const form of FORMS) {
    const found = form.exec(text)?.groups;
    if (!found) continue;
    const year = found["year"] === undefined ? fullYear(Number(found["shortYear"]), nowMs) : Number(found["year"]);
    const [month, day] = [MONTHS.indexOf(found["month"] ?? ""), Number(found["day"])];
    const midnight = new Date(0);
    midnight.setUTCFullYear(year, month, day);
    if (midnight.getUTCMonth() !== month || midnight.getUTCDate() !== day) return undefined;
    return midnight.setUTCHours(Number(found["hour"]), Number(found["minute"]), Number(found["second"]));
  }
  return undefined;
}

/** How a time is written as an HTTP date, in whole seconds, or nothing if its year does not have four digits. */
export function formatHttpDate(timeMs: number): string | undefined {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toUTCString() : undefined;
}

/** What would lie more than 50 years ahead is of the century before. */
function fullYear(lastDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + lastDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
