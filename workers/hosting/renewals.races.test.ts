import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { runRenewals } from "./renewals.ts";
import {
  contextOn,
  daysAfter,
  openPage,
  type Page,
  type Subscribed,
  statusOf,
  subscribeUntil,
  wib,
} from "./testing/renewals.ts";
import { createPlan, openRenewal, query, run, slotsTaken, type TestPlan } from "./testing/sales.ts";

/** Suspended, warned twice and due to be deleted at that moment; they hold slots of these plans, one after another. */
async function doomed(
  at: Date,
  plans: readonly TestPlan[],
  count: number,
  user: TestUser,
): Promise<Subscribed[]> {
  const all = await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const plan = plans[n % plans.length];
      if (!plan) throw new Error("no plan");
      const endsAt = new Date(daysAfter(at, -40).getTime() + n);
      return subscribeUntil({ endsAt, plan, user, website: n % 4 === 0 });
    }),
  );
  await run(sql`update hosting_subscriptions set status = 'SUSPENDED', suspended_at = end_date + interval '3 days'
    where user_id = ${user.userId}`);
  await run(sql`update hosting_orders set holds_slot = true where user_id = ${user.userId}`);
  for (const plan of plans) {
    const mine = all.filter((one) => one.plan === plan).length;
    await run(sql`update hosting_plans set slots_taken = ${mine} where id = ${plan.id}`);
  }
  await run(sql`insert into hosting_renewal_steps (subscription_id, period_end, step, announced_at, done_at)
    select s.id, s.end_date, w.step, ${daysAfter(at, -1).toISOString()}::timestamptz, ${daysAfter(at, -2).toISOString()}
    from hosting_subscriptions s, (values ('warn_7'), ('warn_1')) w(step)
    where s.user_id = ${user.userId}`);
  return all;
}

/** A payment page of the renewal that has run out, and whose money comes after all. */
async function latePage(subscribed: Subscribed, at: Date): Promise<Page> {
  await openRenewal(subscribed.id, daysAfter(at, -43));
  return await openPage(subscribed, daysAfter(at, -9));
}

/** Both statements of a payment in one transaction, as shared/payments/confirm.ts sends them. */
async function settle({ ref, intent, amount }: Page, at: Date): Promise<void> {
  const paid = { provider_ref: ref, transaction_id: ref, amount, paid_at: at.toISOString() };
  const settled = { intent_id: intent, at: at.toISOString() };
  await testContext().db.batch([
    rows(sql`select payments_settle(${JSON.stringify(paid)}::jsonb)`, z.unknown()),
    rows(sql`select hosting_settled(${JSON.stringify(settled)}::jsonb)`, z.unknown()),
  ]);
}

const failuresOf = async (all: readonly Subscribed[]) => {
  const ids = new Set(all.map(({ id }) => id));
  const failures = await query(
    sql`select subscription_id as id, error from hosting_renewal_failures`,
    z.object({ id: z.string(), error: z.string() }),
  );
  return failures.filter(({ id }) => ids.has(id));
};

/** Its row in the website's table loses to a rival each time, as Postgres says it. */
async function loseRaces({ websiteId }: Subscribed): Promise<void> {
  await run(sql`create function hosting_test_race() returns trigger language plpgsql as
    $$ begin raise exception 'deadlock detected' using errcode = 'deadlock_detected'; end $$`);
  await run(
    sql`create trigger hosting_test_race before update on hosting_websites for each row
      when (old.id = ${sql.raw(`'${websiteId}'`)}) execute function hosting_test_race()`,
  );
}

describe("a subscription that loses a race inside a nightly run", () => {
  it("is no failure and no alert: the next run takes it up, and the others are done", async () => {
    const at = wib("1996-06-10 06:00:00");
    const plan = await createPlan({ slots: 100 });
    const all = await doomed(at, [plan], 5, await createUser());
    const [loser, ...others] = all;
    if (!loser) throw new Error("nobody there");
    await loseRaces(loser);
    try {
      expect(await runRenewals(contextOn(at))).toMatchObject({ visited: 5, failed: 0 });
    } finally {
      await run(sql`drop function hosting_test_race() cascade`);
    }
    expect(await failuresOf(all)).toEqual([]);
    const alerts = sql`select 1 as one from jobs where dedupe_key = 'mail/alert/hosting-renewals/1996-06-10'`;
    expect(await query(alerts, z.unknown())).toEqual([]);
    expect((await statusOf(loser)).status).toBe("SUSPENDED");
    expect(await slotsTaken(plan)).toBe(1);
    for (const one of others) expect((await statusOf(one)).status).toBe("EXPIRED");
    expect(await runRenewals(contextOn(at))).toMatchObject({ visited: 1, failed: 0 });
    expect((await statusOf(loser)).status).toBe("EXPIRED");
    expect(await slotsTaken(plan)).toBe(0);
  });
});

describe("nightly runs at once that end subscriptions of several plans", () => {
  it("end each, give each slot back once, and fail none for the order of their locks", async () => {
    const at = wib("1998-06-10 06:00:00");
    const plans = await Promise.all(Array.from({ length: 3 }, () => createPlan({ slots: 100 })));
    const all = await doomed(at, plans, 96, await createUser());
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => runRenewals(contextOn(at), { batch: 16 })),
    );
    expect(await failuresOf(all)).toEqual([]);
    expect(runs.map(({ failed }) => failed)).toEqual(Array(6).fill(0));
    // Each is visited once in all: nobody lost a race and was taken up again.
    expect(runs.reduce((sum, { visited }) => sum + visited, 0)).toBe(all.length);
    for (const one of all) expect((await statusOf(one)).status).toBe("EXPIRED");
    for (const plan of plans) expect(await slotsTaken(plan)).toBe(0);
  });

  it("and payments of the same ones: each is paid for or ended with its money sent back", async () => {
    const at = wib("1997-06-10 06:00:00");
    const plans = await Promise.all(Array.from({ length: 3 }, () => createPlan({ slots: 100 })));
    const all = await doomed(at, plans, 48, await createUser());
    const paying = all.filter((_, n) => n % 2 === 0);
    const pages = await Promise.all(paying.map((one) => latePage(one, at)));
    const settling = pages.map((page) => settle(page, at));
    await Promise.all([
      ...settling,
      ...Array.from({ length: 4 }, () => runRenewals(contextOn(at), { batch: 8 })),
    ]);
    await runRenewals(contextOn(at));
    expect(await failuresOf(all)).toEqual([]);
    const ends = await query(
      sql`select p.id as plan, s.status, c.state as charge, o.status as order from hosting_subscriptions s
        join hosting_plans p on p.id = s.plan_id
        left join hosting_orders o on o.renews_subscription_id = s.id
        left join payments_charges c on c.intent_id = o.intent_id
        where s.user_id = ${all[0]?.user.userId}`,
      z.object({
        plan: z.string(),
        status: z.string(),
        charge: z.string().nullable(),
        order: z.string().nullable(),
      }),
    );
    const kinds = new Set(ends.map((end) => [end.status, end.order, end.charge].join(" ")));
    const right = ["ACTIVE COMPLETED paid", "EXPIRED CANCELLED refunding", "EXPIRED  "];
    expect([...kinds].filter((kind) => !right.includes(kind))).toEqual([]);
    expect(ends.filter(({ charge }) => charge !== null)).toHaveLength(paying.length);
    for (const plan of plans) {
      const living = ends.filter((end) => end.plan === plan.id && end.status === "ACTIVE");
      expect(await slotsTaken(plan)).toBe(living.length);
    }
  });
});
