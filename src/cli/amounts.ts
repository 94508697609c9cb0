/** How numbers, sizes and times are written for people. */

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];
/** Below this a size is given in bytes. */
const BYTES_UNTIL = 10_000;

/** `1,234` */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `1,234 B`, `12.1 KiB`, `512 MiB`: binary units, a decimal while it says something. */
export function formatSize(bytes: number): string {
  if (bytes < BYTES_UNTIL) return `${formatCount(Math.round(bytes))} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (rounded(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${rounded(value) < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

function rounded(value: number): number {
  return value < 100 ? Number(value.toFixed(1)) : Math.round(value);
}

/** `2026-11-21 01:48` in local time. */
export function formatTime(timeMs: number): string {
  const time = new Date(timeMs);
  if (Number.isNaN(time.getTime())) return "?";
  const [month, day, hour, minute] = [time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes()].map(two);
  return `${time.getFullYear()}-${month}-${day} ${hour}:${minute}`;
}

/** `42s`, `3m07s`, `2h05m`: a stretch of time in at most two units. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
