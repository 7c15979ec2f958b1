const HOUR_MS = 3_600_000;
const JAKARTA_AHEAD_MS = 7 * HOUR_MS;

/**
 * When the courier may come: at a full hour, two hours from now at the earliest so that the seller can pack, between
 * 9 and 17 o'clock in Jakarta.
 */
export function pickupTime(now: Date): Date {
  const hours = Math.ceil((now.getTime() + JAKARTA_AHEAD_MS) / HOUR_MS) + 2;
  const [day, hour] = [Math.floor(hours / 24), hours % 24];
  const fits = hour < 9 ? day * 24 + 9 : hour > 17 ? (day + 1) * 24 + 9 : hours;
  return new Date(fits * HOUR_MS - JAKARTA_AHEAD_MS);
}
