import { jakartaDay } from "../../shared/time/jakarta.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Jakarta's day that many days ago: "2026-11-21". */
export const daysAgo = (now: Date, days: number) =>
  jakartaDay(new Date(now.getTime() - days * DAY_MS));

/** The first day of a rolling week: today and the six days before. */
export const weekStart = (now: Date) => daysAgo(now, 6);

/** The first day of a rolling month: today and the 29 days before. */
export const rollingMonthStart = (now: Date) => daysAgo(now, 29);

/** The first of the calendar month in Jakarta. */
export const monthStart = (now: Date) => `${jakartaDay(now).slice(0, 7)}-01`;

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
