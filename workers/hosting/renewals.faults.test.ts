import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runRenewals } from "./renewals.ts";
import {
  contextOn,
  dyingContext,
  mailsOf,
  renewalOrderOf,
  type Subscribed,
  siteOrdersOf,
  statusOf,
  stepsOf,
  subscribeUntil,
  wib,
} from "./testing/renewals.ts";
import { createPlan, one, query, run } from "./testing/sales.ts";

const DAY = 86_400_000;

/** Some that are to be reminded and some that are to be suspended at that moment, of one plan. */
async function crowd(at: Date, count: number): Promise<Subscribed[]> {
  const plan = await createPlan();
  return await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const endsAt = new Date(at.getTime() + (n % 2 === 0 ? 2 * DAY : -4 * DAY) + n);
      return subscribeUntil({ endsAt, plan, website: true });
    }),
  );
}

/** Each has one order, one mail and, where it is suspended, one order for its website. */
async function expectOnce(all: readonly Subscribed[], but?: Subscribed): Promise<void> {
  for (const [n, one] of all.entries()) {
    if (one === but) continue;
    const isOff = n % 2 === 1;
    expect((await stepsOf(one)).sort()).toEqual(["order", isOff ? "suspend" : "remind_3"]);
    expect(await renewalOrderOf(one)).toHaveLength(1);
    expect(await mailsOf(one)).toHaveLength(1);
    expect(await siteOrdersOf(one)).toEqual(isOff ? ["suspend"] : []);
    expect((await statusOf(one)).status).toBe(isOff ? "SUSPENDED" : "ACTIVE");
  }
}

describe("the nightly run", () => {
  it("five times at once does each step once", async () => {
    const at = wib("2005-06-10 06:00:00");
    const all = await crowd(at, 30);
    await Promise.all(Array.from({ length: 5 }, () => runRenewals(contextOn(at), { batch: 4 })));
    // What a rival held under its locks when the others passed by, it has done by itself.
    await expectOnce(all);
  });

  it.each(["before", "after"] as const)(
    "killed %s any of its batches is finished by the next one",
    async (kill) => {
      const at = wib(kill === "before" ? "2004-06-10 06:00:00" : "2003-06-10 06:00:00");
      const all = await crowd(at, 20);
      for (const killAt of [0, 1, 2]) {
        const broken = runRenewals(dyingContext(at, killAt, kill), { batch: 3 });
        await expect(broken).rejects.toThrow("killed");
      }
      await runRenewals(contextOn(at));
      await expectOnce(all);
    },
  );

  it("repeated on the same day finds nothing to do", async () => {
    const at = wib("2002-06-10 06:00:00");
    const all = await crowd(at, 6);
    await runRenewals(contextOn(at));
    expect(await runRenewals(contextOn(at))).toMatchObject({ visited: 0, failed: 0, steps: {} });
    await expectOnce(all);
  });

  it("is cut off at its limit, says so, and the next one goes on", async () => {
    const at = wib("2001-06-10 06:00:00");
    const all = await crowd(at, 10);
    const first = await runRenewals(contextOn(at), { batch: 3, maxBatches: 2 });
    expect(first).toMatchObject({ visited: 6, batches: 2, isCut: true });
    const rest = await runRenewals(contextOn(at));
    expect(rest).toMatchObject({ visited: 4, batches: 1, isCut: false });
    await expectOnce(all);
  });

  it("leaves out the row that fails, tells the operator once a day, and takes it up when it is mended", async () => {
    const at = wib("2000-06-10 06:00:00");
    const all = await crowd(at, 8);
    const poisoned = all[3];
    if (!poisoned) throw new Error("no row to poison");
    await poison(poisoned);
    try {
      const result = await runRenewals(contextOn(at), { batch: 3 });
      expect(result).toMatchObject({ visited: 8, failed: 1 });
      expect(await runRenewals(contextOn(at))).toMatchObject({ visited: 1, failed: 1 });
      await expectOnce(all, poisoned);
      expect(await stepsOf(poisoned)).toEqual([]);
      expect(await mailsOf(poisoned)).toEqual([]);
      expect((await statusOf(poisoned)).status).toBe("ACTIVE");
      const failures = await query(
        sql`select day::text, attempts, error from hosting_renewal_failures where subscription_id = ${poisoned.id}`,
        z.object({ day: z.string(), attempts: z.number(), error: z.string() }),
      );
      expect(failures).toEqual([
        { day: "2000-06-10", attempts: 2, error: expect.stringContaining("poisoned") },
      ]);
      const alerts = await one(
        sql`select count(*)::int as n from jobs where dedupe_key = 'mail/alert/hosting-renewals/2000-06-10'`,
        z.object({ n: z.number() }),
      );
      expect(alerts.n).toBe(1);
    } finally {
      await run(sql`drop function hosting_test_poison() cascade`);
    }
    await runRenewals(contextOn(at));
    await expectOnce(all);
  });
});

/** The website of that subscription can be read, and never be ordered off. */
async function poison({ websiteId }: Subscribed): Promise<void> {
  await run(sql`create function hosting_test_poison() returns trigger language plpgsql as
    $$ begin raise exception 'poisoned row'; end $$`);
  await run(
    sql`create trigger hosting_test_poison before update on hosting_websites for each row
      when (old.id = ${sql.raw(`'${websiteId}'`)}) execute function hosting_test_poison()`,
  );
}

describe("two charges for one period", () => {
  it("are refused by the table itself", async () => {
    const at = wib("1999-06-10 06:00:00");
    const [first] = await crowd(at, 1);
    if (!first) throw new Error("nobody there");
    await runRenewals(contextOn(at));
    await expect(
      run(sql`insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, terms,
          pay_key, renews_subscription_id, renews_period)
        select user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, terms, 'x',
          renews_subscription_id, renews_period
        from hosting_orders where renews_subscription_id = ${first.id}`),
    ).rejects.toMatchObject({ constraint: "hosting_orders_renewal_key" });
  });
});
