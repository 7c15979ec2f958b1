import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { randomFrom } from "../../shared/payments/test-payments.ts";
import { query } from "./testing/sales.ts";

const HOUR = 3_600_000;

/** Jakarta's calendar beside SQL's, written with no month arithmetic of a library. */
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number) =>
  month === 1 && isLeap(year) ? 29 : (LENGTHS[month] ?? 0);

function expected(moment: Date, months: number, anchor: number): Date {
  const clock = new Date(moment.getTime() + 7 * HOUR);
  const index = clock.getUTCFullYear() * 12 + clock.getUTCMonth() + months;
  const [year, month] = [Math.floor(index / 12), index % 12];
  const sinceMidnight = clock.getTime() % (24 * HOUR);
  const day = Math.min(anchor, daysIn(year, month));
  return new Date(Date.UTC(year, month, day) + sinceMidnight - 7 * HOUR);
}

const dayInJakarta = (moment: Date) => new Date(moment.getTime() + 7 * HOUR).getUTCDate();

interface Step {
  moment: Date;
  months: number;
  anchor: number;
}

/** All of them in one statement. */
async function added(steps: Step[]): Promise<Date[]> {
  const input = JSON.stringify(steps.map((step, n) => ({ ...step, n })));
  const found = await query(
    sql`select hosting_add_months(s.moment, s.months, s.anchor) as at
      from jsonb_to_recordset(${input}::jsonb) s(n int, moment timestamptz, months int, anchor int) order by s.n`,
    z.object({ at: z.coerce.date() }),
  );
  return found.map(({ at }) => at);
}

const from = (moment: string, months: number, anchor = dayInJakarta(new Date(moment))) =>
  added([{ moment: new Date(moment), months, anchor }]).then(([at]) => at?.toISOString());

describe("months", () => {
  it.each([
    ["2026-01-31T10:00:00+07:00", 1, "2026-02-28T10:00:00+07:00"],
    ["2028-01-31T10:00:00+07:00", 1, "2028-02-29T10:00:00+07:00"],
    ["2028-02-29T10:00:00+07:00", 12, "2029-02-28T10:00:00+07:00"],
    ["2027-03-31T23:59:59+07:00", 1, "2027-04-30T23:59:59+07:00"],
    ["2026-08-31T12:00:00+07:00", 6, "2027-02-28T12:00:00+07:00"],
    ["2026-12-31T00:00:00+07:00", 24, "2028-12-31T00:00:00+07:00"],
    ["2026-11-15T08:30:00+07:00", 3, "2027-02-15T08:30:00+07:00"],
  ])("count %s plus %i as Jakarta's calendar does", async (moment, months, end) => {
    expect(await from(moment, months)).toBe(new Date(end).toISOString());
  });

  it("come back to the day on which the customer began", async () => {
    const begin = new Date("2026-01-31T10:00:00+07:00");
    let [at, days] = [begin, [] as number[]];
    for (let n = 0; n < 14; n += 1) {
      const [next] = await added([{ moment: at, months: 1, anchor: 31 }]);
      at = next ?? begin;
      days = [...days, dayInJakarta(at)];
    }
    expect(days).toEqual([28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31]);
  });

  it("turn at Jakarta's midnight, not at London's", async () => {
    // 28 February 23.59 in London is 1 March in Jakarta.
    expect(await from("2027-02-28T23:59:00Z", 1)).toBe("2027-03-31T23:59:00.000Z");
    expect(await from("2027-01-30T16:59:59Z", 1)).toBe("2027-02-28T16:59:59.000Z");
    expect(await from("2027-01-30T17:00:00Z", 1)).toBe("2027-02-27T17:00:00.000Z");
    expect(await from("2027-02-28T16:59:59Z", 1)).toBe("2027-03-28T16:59:59.000Z");
    expect(await from("2027-02-28T17:00:00Z", 1)).toBe("2027-03-31T17:00:00.000Z");
  });

  it("agree with the calendar, keep the hour and add up, for any moment", async () => {
    const random = randomFrom(20_261_121);
    const steps = Array.from({ length: 2_000 }, () => {
      const moment = new Date(Date.UTC(2024, 0, 1) + random(2_000_000_000) * 250);
      const anchor = random(3) === 0 ? 28 + random(4) : dayInJakarta(moment);
      return { moment, months: [1, 3, 6, 12, 24][random(5)] ?? 1, anchor };
    });
    const ends = await added(steps);
    expect(ends).toEqual(steps.map((s) => expected(s.moment, s.months, s.anchor)));
    const on = steps.map((s, i) => ({ ...s, moment: ends[i] ?? s.moment, months: 3 }));
    const whole = steps.map((s) => ({ ...s, months: s.months + 3 }));
    expect(await added(on)).toEqual(await added(whole));
    expect(ends.every((end, i) => end > (steps[i]?.moment ?? end))).toBe(true);
  });
});
