import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { followRenewals, runRenewals } from "./renewals.ts";
import {
  contextOn,
  daysAfter,
  mailsOf,
  openPage,
  payAt,
  renewalOrderOf,
  type Subscribed,
  settlePage,
  siteOrdersOf,
  statusOf,
  stepsOf,
  subscribeUntil,
  wib,
} from "./testing/renewals.ts";
import { createPlan, one, run } from "./testing/sales.ts";

const HOUR = 3_600_000;

const night = (at: Date | string) => runRenewals(contextOn(at));

/** The nightly runs of these days before (negative) and after an end, at 06.00 in Jakarta. */
async function nights(day: string, from: number, to: number): Promise<void> {
  const base = wib(`${day} 06:00:00`);
  for (let n = from; n <= to; n += 1) await night(daysAfter(base, n));
}

const templatesOf = async (subscribed: Subscribed) =>
  (await mailsOf(subscribed)).map(({ template }) => template);

describe("a subscription that nobody renews", () => {
  const endsAt = wib("2019-03-20 14:00:00");

  it("is billed and reminded, suspended after 3 days, warned twice and deleted 30 days later", async () => {
    const s = await subscribeUntil({ endsAt, website: true });
    await night(wib("2019-03-16 23:59:59"));
    expect(await stepsOf(s)).toEqual([]);
    await nights("2019-03-20", -3, 2);
    expect(await stepsOf(s)).toEqual(["order", "remind_3", "remind_1", "remind_0"]);
    await night(new Date(endsAt.getTime() + 72 * HOUR - 1));
    expect((await statusOf(s)).status).toBe("ACTIVE");
    const off = new Date(endsAt.getTime() + 72 * HOUR);
    await night(off);
    expect(await statusOf(s)).toMatchObject({ status: "SUSPENDED", suspended: off });
    expect(await siteOrdersOf(s)).toEqual(["suspend"]);

    await night(wib("2019-04-14 23:59:59"));
    expect(await stepsOf(s)).toHaveLength(5);
    await night(wib("2019-04-15 06:00:00"));
    await night(wib("2019-04-20 06:00:00"));
    await night(wib("2019-04-21 06:00:00"));
    await night(new Date(off.getTime() + 30 * 24 * HOUR - 1));
    expect((await stepsOf(s)).slice(5)).toEqual(["warn_7", "warn_1"]);
    await night(new Date(off.getTime() + 30 * 24 * HOUR));
    expect(await statusOf(s)).toMatchObject({ status: "EXPIRED", deleted: expect.any(Date) });
    expect(await siteOrdersOf(s)).toEqual(["suspend", "delete"]);
    expect(await renewalOrderOf(s)).toMatchObject([{ status: "CANCELLED" }]);
    expect(await templatesOf(s)).toEqual([
      ...Array(3).fill("hosting_renewal_reminder"),
      "hosting_suspended",
      ...Array(2).fill("hosting_deletion_warning"),
      "hosting_deleted",
    ]);
    const warnings = (await mailsOf(s)).filter(({ data }) => "delete_at" in data).slice(1);
    for (const { data } of warnings) {
      expect(new Date(String(data.delete_at))).toEqual(new Date(off.getTime() + 30 * 24 * HOUR));
    }
    await nights("2019-06-01", 0, 3);
    expect(await stepsOf(s)).toHaveLength(8);
  });

  it("without automatic renewal is told so, never billed, and ends as cancelled", async () => {
    const end = wib("2018-11-10 09:00:00");
    const s = await subscribeUntil({ endsAt: end, autoRenew: false, website: true });
    await nights("2018-11-10", -4, 40);
    expect(await renewalOrderOf(s)).toEqual([]);
    const [reminder] = await mailsOf(s);
    expect(reminder?.data).toMatchObject({ auto_renew: false, payment_url: null, amount: 30_000 });
    expect((await statusOf(s)).status).toBe("CANCELLED");
  });
});

describe("a payment", () => {
  it("before the end stops the reminders of that period, and the next one is billed anew", async () => {
    const s = await subscribeUntil({ endsAt: wib("2018-05-31 10:00:00") });
    await nights("2018-05-31", -3, -3);
    await payAt(s, wib("2018-05-28 12:00:00"));
    await nights("2018-05-31", -2, 3);
    expect(await stepsOf(s)).toEqual(["order", "remind_3"]);
    expect((await statusOf(s)).end).toEqual(wib("2018-06-30 10:00:00"));
    await nights("2018-06-30", -3, -3);
    const orders = await renewalOrderOf(s);
    expect(orders.map(({ status }) => status)).toEqual(["COMPLETED", "PENDING"]);
  });

  it("after the suspension orders the website back in its own transaction, and counts from that day", async () => {
    const s = await subscribeUntil({ endsAt: wib("2017-08-10 10:00:00"), website: true });
    await nights("2017-08-10", -3, 4);
    expect((await statusOf(s)).status).toBe("SUSPENDED");
    const paidAt = wib("2017-08-30 20:00:00");
    await payAt(s, paidAt);
    expect(await statusOf(s)).toMatchObject({
      status: "ACTIVE",
      suspended: null,
      end: wib("2017-09-30 20:00:00"),
    });
    expect(await siteOrdersOf(s)).toEqual(["suspend", "resume"]);
    const due = await one(
      sql`select bool_and(run_at <= now()) as now from jobs where payload->>'website_id' = ${s.websiteId}`,
      z.object({ now: z.boolean() }),
    );
    expect(due.now).toBe(true);
  });

  it("for a period that was paid meanwhile goes back, and moves nothing", async () => {
    const s = await subscribeUntil({ endsAt: wib("2017-02-10 10:00:00") });
    await nights("2017-02-10", -3, -3);
    const first = await openPage(s, wib("2017-02-07 07:00:00"));
    await run(
      sql`select payments_expire(${JSON.stringify({ provider_ref: first.ref, state: "expired" })}::jsonb)`,
    );
    await payAt(s, wib("2017-02-09 07:00:00"));
    await nights("2017-03-10", -3, -3);
    await settlePage(first, wib("2017-03-08 07:00:00"));
    expect((await statusOf(s)).end).toEqual(wib("2017-03-10 10:00:00"));
    const orders = await renewalOrderOf(s);
    expect(orders.map(({ status }) => status)).toEqual(["COMPLETED", "PENDING"]);
    const { reason } = await one(
      sql`select r.reason from payments_refunds r join payments_charges c on c.id = r.charge_id
        where c.provider_ref = ${first.ref}`,
      z.object({ reason: z.string() }),
    );
    expect(reason).toBe("paid_late");
  });

  it("that is being made holds the deletion back, for as long as its page is open", async () => {
    const s = await subscribeUntil({ endsAt: wib("2016-06-10 06:00:00"), website: true });
    await nights("2016-06-10", -3, 32);
    const page = await openPage(s, wib("2016-07-12 20:00:00"));
    await nights("2016-07-13", 0, 0);
    expect((await statusOf(s)).status).toBe("SUSPENDED");
    await settlePage(page, wib("2016-07-13 07:00:00"));
    expect((await statusOf(s)).status).toBe("ACTIVE");
    await nights("2016-07-14", 0, 3);
    expect((await statusOf(s)).status).toBe("ACTIVE");
  });
});

describe("a code that was picked just before its page ran out", () => {
  it("holds the deletion back for its own day, and pays the site back to life", async () => {
    const s = await subscribeUntil({ endsAt: wib("2016-03-10 06:00:00"), website: true });
    await nights("2016-03-10", -3, 32);
    const page = await openPage(s, wib("2016-04-11 05:59:00"));
    await nights("2016-04-12", 0, 1);
    expect((await statusOf(s)).status).toBe("SUSPENDED");
    await settlePage(page, wib("2016-04-13 07:00:00"));
    expect((await statusOf(s)).status).toBe("ACTIVE");
    expect(await siteOrdersOf(s)).toEqual(["suspend", "resume"]);
  });

  it("holds it back for a week at most, however long the provider says nothing", async () => {
    const s = await subscribeUntil({ endsAt: wib("2016-01-25 06:00:00") });
    await nights("2016-01-25", -3, 32);
    await openPage(s, wib("2016-02-26 05:59:00"));
    await nights("2016-02-27", 0, 6);
    expect((await statusOf(s)).status).toBe("SUSPENDED");
    await nights("2016-03-05", 0, 0);
    expect((await statusOf(s)).status).toBe("EXPIRED");
  });
});

describe("a bill", () => {
  it("is the plan's price on the day when it is opened, whatever it becomes or whether it is still sold", async () => {
    const plan = await createPlan({ price: 30_000 });
    const s = await subscribeUntil({ endsAt: wib("2016-01-20 10:00:00"), plan });
    await run(
      sql`update hosting_plans set price = 45000, is_active = false, deleted_at = now() where id = ${plan.id}`,
    );
    await nights("2016-01-20", -3, -3);
    await run(sql`update hosting_plans set price = 99000 where id = ${plan.id}`);
    await nights("2016-01-20", -1, -1);
    expect(await renewalOrderOf(s)).toMatchObject([{ price: 45_000 }]);
    for (const { data } of await mailsOf(s)) {
      expect(data).toMatchObject({ amount: 45_000, previous_amount: 30_000 });
    }
  });

  it("links to a page that can be paid without a sign-in", async () => {
    const s = await subscribeUntil({ endsAt: wib("2015-11-20 10:00:00") });
    await nights("2015-11-20", -3, -3);
    const [order] = await renewalOrderOf(s);
    const [mail] = await mailsOf(s);
    const { APP_URL } = contextOn(wib("2015-11-20 10:00:00")).config;
    expect(mail?.data.payment_url).toBe(`${APP_URL}/api/orders/${order?.id}/pay?key=${order?.key}`);
  });

  it("and mails are not for somebody who is banned; the rules of time hold all the same", async () => {
    const s = await subscribeUntil({ endsAt: wib("2015-09-20 10:00:00") });
    await run(sql`update identity_users set banned_at = now() where id = ${s.user.userId}`);
    await nights("2015-09-20", -3, 4);
    expect(await renewalOrderOf(s)).toEqual([]);
    expect(await mailsOf(s)).toEqual([]);
    expect((await statusOf(s)).status).toBe("SUSPENDED");
  });
});

describe("days are Jakarta's", () => {
  it.each([
    ["2015-03-04 23:59:59", "2015-03-07 23:59:59", ["order", "remind_3"]],
    ["2015-02-03 23:59:59", "2015-02-07 00:00:00", []],
    ["2015-01-04 00:00:00", "2015-01-07 23:59:59", ["order", "remind_3"]],
    ["2012-02-28 00:00:01", "2012-02-29 00:00:00", ["order", "remind_1"]],
    ["2012-02-26 12:00:00", "2012-02-29 23:59:59", ["order", "remind_3"]],
    ["2011-02-28 23:59:59", "2011-03-01 00:00:00", ["order", "remind_1"]],
    ["2010-12-31 23:59:59", "2010-12-31 00:00:00", ["order", "remind_0"]],
    ["2009-12-31 23:59:59", "2010-01-01 00:00:00", ["order", "remind_1"]],
  ])("at %s an end at %s means %j", async (at, end, steps) => {
    const s = await subscribeUntil({ endsAt: wib(end) });
    await night(wib(at));
    expect((await stepsOf(s)).sort()).toEqual(steps);
  });

  it("nobody is mailed by the hourly run before 06.00", async () => {
    const s = await subscribeUntil({ endsAt: wib("2008-05-20 10:00:00") });
    await followRenewals(contextOn(wib("2008-05-18 00:17:00")));
    await followRenewals(contextOn(wib("2008-05-18 05:59:00")));
    expect(await stepsOf(s)).toEqual([]);
    await followRenewals(contextOn(wib("2008-05-18 06:17:00")));
    expect(await stepsOf(s)).toEqual(["order", "remind_3"]);
  });
});

describe("runs that did not happen", () => {
  it("cost no reminder of a day that is over, and count the days that are really left", async () => {
    const s = await subscribeUntil({ endsAt: wib("2007-05-20 10:00:00") });
    await nights("2007-05-20", -2, -2);
    await nights("2007-05-20", 1, 1);
    const mails = await mailsOf(s);
    expect(mails.map(({ data }) => data.days_left)).toEqual([2, -1]);
    expect(await stepsOf(s)).toEqual(["order", "remind_3", "remind_0"]);
  });

  it("move a deletion, and never take away its warnings", async () => {
    const s = await subscribeUntil({ endsAt: wib("2006-05-20 10:00:00") });
    await nights("2006-05-20", -3, 4);
    await night(wib("2006-09-01 06:00:00"));
    expect((await stepsOf(s)).at(-1)).toBe("warn_7");
    await nights("2006-09-02", 0, 4);
    expect((await stepsOf(s)).at(-1)).toBe("warn_7");
    await night(wib("2006-09-07 06:00:00"));
    expect((await stepsOf(s)).at(-1)).toBe("warn_1");
    await night(wib("2006-09-07 08:00:00"));
    expect((await statusOf(s)).status).toBe("SUSPENDED");
    await night(wib("2006-09-08 06:00:00"));
    expect((await statusOf(s)).status).toBe("EXPIRED");
  });
});
