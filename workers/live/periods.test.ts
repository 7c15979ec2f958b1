import { describe, expect, test } from "vitest";
import { hourStart, monthStart, rolling, since, timeAgo } from "./periods.ts";

/** One second before, and the first of, 1 March 2027 in Jakarta. */
const before = new Date("2027-02-28T16:59:59.999Z");
const after = new Date("2027-02-28T17:00:00.000Z");

describe("a period begins where Jakarta's calendar says", () => {
  test("a rolling week, in the clock hour 7 times 24 hours ago", () => {
    expect(rolling(before, 7)).toEqual({
      since: "2027-02-21T16:00:00.000Z",
      firstDay: "2027-02-22",
      midnight: "2027-02-21T17:00:00.000Z",
    });
    expect(rolling(after, 7)).toEqual({
      since: "2027-02-21T17:00:00.000Z",
      firstDay: "2027-02-23",
      midnight: "2027-02-22T17:00:00.000Z",
    });
  });

  test("what counts from a day on, with that day", () => {
    expect(since("2027-03-01")).toEqual({
      since: after.toISOString(),
      firstDay: "2027-03-01",
      midnight: after.toISOString(),
    });
  });

  test("the calendar month", () => {
    expect([monthStart(before), monthStart(after)]).toEqual(["2027-02-01", "2027-03-01"]);
  });

  test("the clock hour", () => {
    expect(hourStart(before).toISOString()).toBe("2027-02-28T16:00:00.000Z");
    expect(hourStart(after)).toEqual(after);
  });
});

test.each([
  [-5, "0 detik yang lalu"],
  [0, "0 detik yang lalu"],
  [59, "59 detik yang lalu"],
  [60, "1 menit yang lalu"],
  [3_599, "59 menit yang lalu"],
  [3_600, "1 jam yang lalu"],
  [86_399, "23 jam yang lalu"],
  [86_400, "1 hari yang lalu"],
  [40 * 86_400, "40 hari yang lalu"],
])("%i seconds ago reads %j", (seconds, words) => {
  expect(timeAgo(new Date(after.getTime() - seconds * 1000), after)).toBe(words);
});
