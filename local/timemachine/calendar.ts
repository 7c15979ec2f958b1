/**
 * Jakarta's calendar for the model, written without the platform's: what is compared must not share its mistakes.
 * Moments are milliseconds since 1970; Jakarta is seven hours ahead all year.
 */
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const AHEAD = 7 * HOUR;

/** Number of the day in Jakarta. */
export const dayOf = (moment: number) => Math.floor((moment + AHEAD) / DAY);

/** The first instant of a day in Jakarta, from its number. */
export const startOfDay = (day: number) => day * DAY - AHEAD;

/** "2027-02" of a moment in Jakarta. */
export const monthOf = (moment: number) => new Date(moment + AHEAD).toISOString().slice(0, 7);

export const dayOfMonth = (moment: number) => new Date(moment + AHEAD).getUTCDate();

const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

function daysIn(year: number, month: number): number {
  if (month === 1) return isLeap(year) ? 29 : 28;
  return [3, 5, 8, 10].includes(month) ? 30 : 31;
}

/** So many months later on the wanted day, or on the month's last where it has no such day; the clock stays. */
export function monthsLater(moment: number, months: number, wantedDay: number): number {
  const clock = new Date(moment + AHEAD);
  const count = clock.getUTCFullYear() * 12 + clock.getUTCMonth() + months;
  const [year, month] = [Math.floor(count / 12), count % 12];
  const day = Math.min(wantedDay, daysIn(year, month));
  const timeOfDay = (((moment + AHEAD) % DAY) + DAY) % DAY;
  return Date.UTC(year, month, day) + timeOfDay - AHEAD;
}
