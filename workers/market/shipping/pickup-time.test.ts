import { describe, expect, it } from "vitest";
import { pickupTime } from "./pickup-time.ts";

describe("the time that a courier is asked to come", () => {
  it.each([
    ["in the morning: two hours later, at the full hour", "2026-11-21T08:10+07:00", "11:00", 0],
    ["at a full hour: exactly two hours later", "2026-11-21T09:00+07:00", "11:00", 0],
    ["just before a full hour", "2026-11-21T08:59:59+07:00", "11:00", 0],
    ["at the last moment of the day", "2026-11-21T15:00+07:00", "17:00", 0],
    ["a second too late for the day: next morning", "2026-11-21T15:00:01+07:00", "09:00", 1],
    ["in the evening: next morning", "2026-11-21T21:30+07:00", "09:00", 1],
    [
      "shortly before midnight: next morning, not the one after",
      "2026-11-21T23:30+07:00",
      "09:00",
      1,
    ],
    ["at night: the same morning", "2026-11-21T03:00+07:00", "09:00", 0],
    ["early: never before nine", "2026-11-21T06:30+07:00", "09:00", 0],
    ["on the last evening of a year", "2026-12-31T22:00+07:00", "09:00", 1],
  ])("%s", (_, now, clock, daysLater) => {
    const asked = new Date(now);
    const at = pickupTime(asked);
    const jakarta = (date: Date) => new Date(date.getTime() + 7 * 3_600_000).toISOString();
    expect(jakarta(at).slice(11, 16)).toBe(clock);
    const days =
      (Date.parse(jakarta(at).slice(0, 10)) - Date.parse(jakarta(asked).slice(0, 10))) / 86_400_000;
    expect(days).toBe(daysLater);
    expect(at.getTime()).toBeGreaterThan(asked.getTime());
  });
});
