import { jakartaDay } from "../../shared/time/jakarta.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Jakarta's day that many days ago: "2026-11-21". */
export const daysAgo = (now: Date, days: number) =>
  jakartaDay(new Date(now.getTime() - days * DAY_MS));

/** The first of the calendar month in Jakarta. */
export const monthStart = (now: Date) => `${jakartaDay(now).slice(0, 7)}-01`;

/** A time up to now as totals know it: whole days of Jakarta, and before them the hours that are left of the first. */
export interface Span {
  /** Where it begins, on a clock hour. */
  since: string;
  /** Its first whole day. */
  firstDay: string;
  /** Where that day begins. */
  midnight: string;
}

/** So many times 24 hours up to now (contract §2.2); the clock hour that they begin in counts as a whole. */
export function rolling(now: Date, days: number): Span {
  const firstDay = daysAgo(now, days - 1);
  const since = hourStart(new Date(now.getTime() - days * DAY_MS)).toISOString();
  return { since, firstDay, midnight: startOf(firstDay) };
}

/** From the start of a day of Jakarta. */
export const since = (day: string): Span => ({
  since: startOf(day),
  firstDay: day,
  midnight: startOf(day),
});

const startOf = (day: string) => new Date(`${day}T00:00:00+07:00`).toISOString();

/** The start of the clock hour; Jakarta is whole hours from UTC, so it begins there at the same moment. */
export const hourStart = (now: Date) => new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);

const UNITS = [
  [86_400, "hari"],
  [3_600, "jam"],
  [60, "menit"],
] as const;

/** How long ago that was, as the app shows it: "5 menit yang lalu". */
export function timeAgo(moment: Date, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - moment.getTime()) / 1000));
  for (const [length, unit] of UNITS) {
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} yang lalu`;
  }
  return `${seconds} detik yang lalu`;
}
