// Numbers, sizes and times as people read them.
import type { Cell } from "./model";

const kNumber = new Intl.NumberFormat("en");
const kShort = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (value: number): string => kNumber.format(value);

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${kShort.format(value)} ${units[unit]}`;
}

/** "12/s", "3.4 k/s"; a dash while nothing is known. */
export function rate(value: number | null): string {
  if (value === null) return "–";
  if (value >= 1e6) return `${kShort.format(value / 1e6)} M/s`;
  if (value >= 1e4) return `${kShort.format(value / 1e3)} k/s`;
  return `${value < 10 ? kShort.format(value) : kNumber.format(Math.round(value))}/s`;
}

/** "3 d 4 h", "2 min 5 s", "1.2 s", "35 ms" */
export function duration(seconds: number): string {
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 1) return seconds < 0.001 ? `${Math.round(seconds * 1e6)} µs` : `${Math.round(seconds * 1e3)} ms`;
  if (seconds < 60) return `${kShort.format(seconds)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** "2026-01-31 12:34:56" in UTC, as the daemon speaks of time everywhere. */
export function moment(text: string | null | undefined): string {
  return text ? text.replace("T", " ").replace(/(\.\d+)?(Z|\+00:00)?$/, "") : "–";
}

/** Milliseconds since 1970 of what the API or a local table writes; UTC when it names no zone. NaN: no time. */
export function parseTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text.trim());
  if (!match) return NaN;
  const [, date, time = "00:00", zone = "Z"] = match;
  return Date.parse(`${date}T${time}${zone}`);
}

/** SQLite has no BOOLEAN: a local table holds 1 and 0. */
export const truth = (value: Cell | undefined, type: string): Cell | undefined =>
  type.startsWith("BOOLEAN") && (value === 0 || value === 1) ? value === 1 : value;

/** A value of a row. */
export const cell = (value: Cell | undefined): string =>
  value === null || value === undefined ? "NULL" : typeof value === "object" ? JSON.stringify(value) : String(value);

export const plural = (n: number, word: string): string => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
