import { describe, expect, it } from "vitest";
import { type Budget, confirmed, emptyBudget, nextTry, noted, registeredDomain } from "./budget.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const directory = "https://authority.example/dir";
const start = Date.parse("2026-11-01T00:00:00Z");
const wish = (...names: string[]) => ({ directory, names });
const failure = (at: number, name: string) => ({ at, directory, name, order: `${name} ${at}` });
const issue = (at: number, ...names: string[]) => ({
  at,
  directory,
  names,
  order: `${names} ${at}`,
});

describe("the budget of asking an authority", () => {
  it("never lets a name fail five times in any hour, however eagerly it is tried", () => {
    let budget: Budget = emptyBudget();
    const tries: number[] = [];
    for (let now = start; now < start + 7 * DAY; now += MINUTE) {
      if (nextTry(budget, wish("toko.example"), new Date(now))) continue;
      tries.push(now);
      budget = noted(budget, new Date(now), { failures: [failure(now, "toko.example")] });
    }
    const inAnHour = tries.map(
      (at) => tries.filter((other) => other >= at && other < at + HOUR).length,
    );
    expect(Math.max(...inAnHour)).toBe(3);
    expect(tries.length).toBeLessThan(14);
  });

  it("never lets a registered domain have fifty certificates in any week, nor the same names five", () => {
    let budget: Budget = emptyBudget();
    const given: number[] = [];
    for (let now = start; now < start + 14 * DAY; now += HOUR) {
      const names = [`s${Math.floor(given.length / 4)}.toko.co.id`];
      if (nextTry(budget, wish(...names), new Date(now))) continue;
      given.push(now);
      budget = noted(budget, new Date(now), { issued: [issue(now, ...names)] });
    }
    const inAWeek = given.map(
      (at) => given.filter((other) => other >= at && other < at + 7 * DAY).length,
    );
    expect(Math.max(...inAWeek)).toBe(40);
  });

  it("counts names in any order as the same, and the test system apart from the real one", () => {
    const issued = [1, 2, 3, 4].map((hour) => issue(start + hour * HOUR, "a.example", "b.example"));
    const budget = noted(emptyBudget(), new Date(start + 5 * HOUR), { issued });
    const now = new Date(start + 6 * HOUR);
    const next = nextTry(budget, wish("b.example", "a.example"), now);
    expect(next?.getTime()).toBe(start + HOUR + 7 * DAY);
    expect(nextTry(budget, wish("a.example"), now)).toBeNull();
    const other = { directory: "https://staging.example/dir", names: ["a.example", "b.example"] };
    expect(nextTry(budget, other, now)).toBeNull();
  });

  it("keeps a pause that the authority asked for, for all names", () => {
    const until = start + 3 * HOUR;
    const budget = noted(emptyBudget(), new Date(start), { pauses: [{ until, directory }] });
    expect(nextTry(budget, wish("any.example"), new Date(start))?.getTime()).toBe(until);
    expect(nextTry(budget, wish("any.example"), new Date(until))).toBeNull();
  });

  it("counts an order once, and forgets a name's failures when it is confirmed", () => {
    const now = new Date(start);
    const twice = noted(
      noted(emptyBudget(), now, { failures: [failure(start, "a.example")] }),
      now,
      { failures: [failure(start, "a.example"), failure(start, "b.example")] },
    );
    expect(twice.failures).toHaveLength(2);
    expect(confirmed(twice, directory, "a.example").failures).toEqual([
      failure(start, "b.example"),
    ]);
  });

  it.each([
    ["toko.example", "toko.example"],
    ["www.toko.example", "toko.example"],
    ["a.b.toko.co.id", "toko.co.id"],
    ["www.toko.web.id", "toko.web.id"],
    ["toko.id", "toko.id"],
    ["shop.kampung.desa.id", "kampung.desa.id"],
    ["www.shop.com.sg", "shop.com.sg"],
  ])("takes %s for a name below %s", (name, domain) => {
    expect(registeredDomain(name)).toBe(domain);
  });
});
