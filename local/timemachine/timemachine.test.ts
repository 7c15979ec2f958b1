import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalDatabase, startDatabase } from "../database.ts";
import { dayOf, HOUR, monthsLater, startOfDay } from "./calendar.ts";
import { differences } from "./facts.ts";
import { simulate } from "./model.ts";
import { peopleOf } from "./people.ts";
import { runsOf } from "./replay.ts";
import { timeTravel } from "./run.ts";

let database: LocalDatabase;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(async () => {
  await database.stop();
});

describe("400 days over a leap day", () => {
  it("bring no charge, mail, suspension or deletion too few or too many", async () => {
    const options = { seed: 4, people: 40, days: 400, from: "2027-12-01" };
    const { lines, wrong } = await timeTravel(database, options);
    expect(wrong).toEqual([]);
    // Nothing is proven by a year in which nothing happens.
    const kinds = new Set(lines.map((line) => line.split("|")[0]));
    expect([...kinds].sort()).toEqual(
      ["charge", "end", "mail", "order", "refund", "site", "step"].sort(),
    );
    for (const step of ["remind_0", "suspend", "warn_7", "warn_1", "delete"]) {
      expect(lines.some((line) => line.startsWith("step|") && line.includes(`|${step}|`))).toBe(
        true,
      );
    }
  });
});

describe("the comparison", () => {
  const from = startOfDay(dayOf(Date.parse("2027-01-01T00:00:00Z")));
  const world = {
    seed: 1,
    from,
    runs: runsOf(dayOf(from), 200),
    monthlyPrices: { starter: 15_000, business: 30_000, enterprise: 70_000, "vps-basic": 50_000 },
    change: { plan: "business", at: from, price: 35_000 },
  };
  const told = peopleOf(1, 30, from, 200).flatMap((person) => simulate(person, world));

  it.each(["charge", "mail", "step", "site", "order"])("sees a %s that is missing", (kind) => {
    const gone = told.findIndex((line) => line.startsWith(`${kind}|`));
    const [line] = told.slice(gone);
    expect(differences(told, told.toSpliced(gone, 1))).toEqual([`missing (1): ${line}`]);
  });

  it("sees one that is there twice, and one of another sum", () => {
    const at = told.findIndex((line) => line.startsWith("charge|"));
    const [line = ""] = told.slice(at);
    expect(differences(told, [...told, line])).toEqual([`too many (1): ${line}`]);
    const dearer = line.replace(/\|(\d+000)\|/, "|1$1|");
    expect(differences(told, told.with(at, dearer))).toHaveLength(2);
  });

  it("starts from the same people for the same seed, and from others for another", () => {
    expect(peopleOf(1, 30, from, 200)).toEqual(peopleOf(1, 30, from, 200));
    expect(peopleOf(2, 30, from, 200)).not.toEqual(peopleOf(1, 30, from, 200));
  });
});

describe("the model's calendar", () => {
  it.each([
    ["2027-01-31T10:00:00+07:00", 1, 31, "2027-02-28T10:00:00+07:00"],
    ["2027-02-28T10:00:00+07:00", 1, 31, "2027-03-31T10:00:00+07:00"],
    ["2028-01-31T23:59:00+07:00", 1, 31, "2028-02-29T23:59:00+07:00"],
    ["2028-02-29T00:00:00+07:00", 12, 29, "2029-02-28T00:00:00+07:00"],
    ["2027-12-31T00:30:00+07:00", 6, 31, "2028-06-30T00:30:00+07:00"],
    ["2099-11-30T12:00:00+07:00", 3, 30, "2100-02-28T12:00:00+07:00"],
  ])("%s and %i months on day %i are %s", (start, months, day, end) => {
    expect(monthsLater(Date.parse(start), months, day)).toBe(Date.parse(end));
  });

  it("changes the day when Jakarta does", () => {
    const midnight = Date.parse("2027-05-01T00:00:00+07:00");
    expect(dayOf(midnight) - dayOf(midnight - 1)).toBe(1);
    expect(startOfDay(dayOf(midnight + 23 * HOUR))).toBe(midnight);
  });
});
