import { dayBounds } from "../time/jakarta.ts";
import { AppError } from "./errors.ts";

/** Jakarta's day, or a refusal of one that the calendar does not have (Postgres knows no year 0, in which year 1 begins). */
export function dayOf(text: string): { start: Date; end: Date } {
  const noon = new Date(`${text}T12:00:00+07:00`);
  const real = !Number.isNaN(noon.getTime()) && noon.toISOString().startsWith(text);
  if (!real || !/^[1-9]\d{3}-\d{2}-\d{2}$/.test(text)) {
    throw new AppError("invalid_input", `${text}: no such day`);
  }
  return dayBounds(noon);
}
