/** Jakarta is seven hours ahead of UTC all year. */
const OFFSET_MS = 7 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
const MONTHS = "Jan Feb Mar Apr Mei Jun Jul Agu Sep Okt Nov Des".split(" ");

/** The same moment with Jakarta's clock in its UTC fields. */
const clockOf = (date: Date) => new Date(date.getTime() + OFFSET_MS);
const two = (value: number) => String(value).padStart(2, "0");

/** For people: "21 Nov 2026 14.05 WIB". */
export function formatJakarta(date: Date): string {
  const clock = clockOf(date);
  return `${formatJakartaDay(date)} ${two(clock.getUTCHours())}.${two(clock.getUTCMinutes())} WIB`;
}

/** For people: "21 Nov 2026". */
export function formatJakartaDay(date: Date): string {
  const clock = clockOf(date);
  return `${clock.getUTCDate()} ${MONTHS[clock.getUTCMonth()]} ${clock.getUTCFullYear()}`;
}

/** The day in Jakarta: "2026-11-21". */
export function jakartaDay(date: Date): string {
  return clockOf(date).toISOString().slice(0, 10);
}

/** Jakarta's day around a moment, from its first instant to the next day's first. */
export function dayBounds(date: Date): { start: Date; end: Date } {
  const start = Math.floor(clockOf(date).getTime() / DAY_MS) * DAY_MS - OFFSET_MS;
  return { start: new Date(start), end: new Date(start + DAY_MS) };
}
