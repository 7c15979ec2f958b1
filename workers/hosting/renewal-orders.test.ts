import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { api, fetchWorker, settleBackground } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser } from "../testing/factories.ts";
import {
  booksOf,
  buy,
  createPlan,
  one,
  openRenewal,
  pay,
  putWebsite,
  query,
  readOrder,
  recorded,
  run,
  type Sale,
  sell,
  slotsTaken,
  subscriptionOf,
} from "./testing/sales.ts";

afterEach(settleBackground);

const DAY = 86_400_000;

/** A subscription that began on that day, for a month each time. */
async function subscribed(start = "2026-01-31T10:00:00+07:00", plan?: Sale["plan"]) {
  const sale = await sell({}, plan ? { plan } : {});
  await run(sql`select hosting_order_settle(${sale.orderId}, ${start})`);
  return { ...sale, ...(await subscriptionOf(sale.orderId)) };
}

const settleAt = (orderId: string, at: Date) =>
  run(sql`select hosting_order_settle(${orderId}, ${at.toISOString()})`);

const set = (id: string, status: string) =>
  run(sql`update hosting_subscriptions set status = ${status},
    suspended_at = case when ${status} = 'SUSPENDED' then now() end where id = ${id}`);

const end = (id: string, status = "EXPIRED") =>
  run(sql`select hosting_subscription_end(${id}, ${status})`);

describe("a renewal order", () => {
  it("is one for an end, however many runs open it at once, at the plan's price of the day", async () => {
    const s = await subscribed();
    await run(
      sql`update hosting_plans set price = 45000, is_active = false where id = ${s.plan.id}`,
    );
    const opened = await Promise.all(Array.from({ length: 20 }, () => openRenewal(s.id)));
    expect(new Set(opened).size).toBe(1);
    expect(await readOrder(opened[0] ?? "")).toMatchObject({
      status: "PENDING",
      price: 45_000,
      ref: null,
    });
    expect(await slotsTaken(s.plan)).toBe(1);
  });

  it("moves the end once, by months that come back to the first day", async () => {
    const s = await subscribed();
    expect(s.end).toEqual(new Date("2026-02-28T10:00:00+07:00"));
    const ends: Date[] = [];
    for (const paidAt of ["2026-02-26T09:00:00Z", "2026-03-30T09:00:00Z", "2026-04-30T02:00:00Z"]) {
      const order = await openRenewal(s.id);
      await Promise.all(Array.from({ length: 20 }, () => settleAt(order, new Date(paidAt))));
      ends.push((await subscriptionOf(s.orderId)).end);
    }
    expect(ends).toEqual([
      new Date("2026-03-31T10:00:00+07:00"),
      new Date("2026-04-30T10:00:00+07:00"),
      new Date("2026-05-31T10:00:00+07:00"),
    ]);
    expect((await subscriptionOf(s.orderId)).orders).toBe(3);
  });

  it("paid in the days of grace counts from the end, and after a suspension from the payment", async () => {
    const grace = await subscribed();
    await settleAt(await openRenewal(grace.id), new Date(grace.end.getTime() + 2 * DAY));
    expect((await subscriptionOf(grace.orderId)).end).toEqual(
      new Date("2026-03-31T10:00:00+07:00"),
    );
    const late = await subscribed();
    const order = await openRenewal(late.id);
    await set(late.id, "SUSPENDED");
    await settleAt(order, new Date("2026-03-15T20:00:00+07:00"));
    expect(await subscriptionOf(late.orderId)).toMatchObject({
      status: "ACTIVE",
      anchor: 15,
      end: new Date("2026-04-15T20:00:00+07:00"),
    });
  });

  it("of a suspended subscription puts its website on again, with one job however often it is settled", async () => {
    const s = await subscribed();
    const { id: websiteId } = await putWebsite(s, "SUSPENDED");
    await run(sql`update hosting_websites set wanted = 'suspended' where id = ${websiteId}`);
    await set(s.id, "SUSPENDED");
    const order = await openRenewal(s.id);
    await Promise.all(Array.from({ length: 20 }, () => settleAt(order, new Date())));
    const jobs = await query(
      sql`select kind, payload from jobs where payload->>'website_id' = ${websiteId}`,
      z.object({ kind: z.string(), payload: z.record(z.string(), z.unknown()) }),
    );
    expect(jobs).toMatchObject([{ kind: "hosting.resume-site" }]);
    expect(await subscriptionOf(s.orderId)).toMatchObject({ status: "ACTIVE" });
  });

  it("is never over at once, even where nobody suspended for months", async () => {
    const s = await subscribed();
    const paidAt = new Date("2026-09-10T10:00:00+07:00");
    await settleAt(await openRenewal(s.id), paidAt);
    expect((await subscriptionOf(s.orderId)).end).toEqual(new Date("2026-10-10T10:00:00+07:00"));
  });

  it("has no payment until its owner opens it, one page however often, and another when that has run out", async () => {
    const s = await subscribed();
    const order = await openRenewal(s.id);
    const path = `/api/orders/${order}/pay`;
    const click = () => api(path, { method: "POST", token: s.user.token });
    const answers = await Promise.all(Array.from({ length: 10 }, click));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.paymentUrl)).size).toBe(1);
    const first = await recorded(s, order);
    await run(
      sql`update payments_charges set state = 'expired', check_at = null where provider_ref = ${first.ref}`,
    );
    await run(sql`update payments_intents set state = 'expired' where id =
      (select intent_id from hosting_orders where id = ${order})`);
    expect(await readOrder(order)).toMatchObject({ status: "PENDING", intent_state: "expired" });
    const again = await click();
    expect(again.body.paymentUrl).not.toBe(answers[0]?.body.paymentUrl);
    await pay(await recorded(s, order));
    expect(await readOrder(order)).toMatchObject({ status: "COMPLETED" });
    expect(await click()).toMatchObject({
      status: 409,
      body: failureBody("hosting", 409, "Order ini sudah dibayar"),
    });
  });

  it("is opened from its mail without a sign-in, with its key alone", async () => {
    const s = await subscribed();
    const order = await openRenewal(s.id);
    const { body } = await api(`/api/orders/${order}`, { token: s.user.token });
    const link = new URL(body.order.paymentUrl);
    const opened = await fetchWorker(`${link.pathname}${link.search}`);
    expect([opened.status, opened.headers.get("location")]).toEqual([
      302,
      expect.stringContaining("/payment/"),
    ]);
    for (const key of ["", "x", link.searchParams.get("key")?.toLowerCase()]) {
      const refused = await fetchWorker(`${link.pathname}?key=${key}`);
      expect([refused.status, refused.headers.get("content-type")]).toEqual([
        404,
        expect.stringContaining("text/html"),
      ]);
    }
    await pay(await recorded(s, order));
    const paid = await fetchWorker(`${link.pathname}${link.search}`);
    expect([paid.status, await paid.text()]).toEqual([
      409,
      expect.stringContaining("Order ini sudah dibayar"),
    ]);
  });

  it("may be asked for by the owner himself, before its time", async () => {
    const s = await subscribed(new Date().toISOString());
    const more = { subscriptionId: s.id, duration: 3 };
    const first = await buy(s.user, s.plan, more);
    expect(first).toMatchObject({
      status: 200,
      body: { order: { price: 90_000, renewsSubscriptionId: s.id } },
    });
    expect((await buy(s.user, s.plan, more)).body.order.id).toBe(first.body.order.id);
    expect((await buy(s.user, s.plan, { ...more, duration: 6 })).status).toBe(409);
    expect((await buy(s.user, s.plan, { ...more, price: 1 })).status).toBe(400);
    expect((await buy(await createUser(), s.plan, more)).status).toBe(404);
    await pay(await recorded(s, first.body.order.id));
    const after = await subscriptionOf(s.orderId);
    expect(after.end.getTime() - s.end.getTime()).toBeGreaterThan(85 * DAY);
  });
});

describe("a subscription that has ended", () => {
  it("frees its slot once and drops its open renewal", async () => {
    const s = await subscribed(undefined, await createPlan({ slots: 1 }));
    const order = await openRenewal(s.id);
    await Promise.all(Array.from({ length: 10 }, () => end(s.id)));
    expect(await slotsTaken(s.plan)).toBe(0);
    expect(await readOrder(order)).toMatchObject({
      status: "CANCELLED",
      closed_reason: "Langganan berakhir",
    });
    expect(await readOrder(s.orderId)).toMatchObject({ status: "COMPLETED", holds_slot: false });
    expect(
      (await api(`/api/orders/${order}/pay`, { method: "POST", token: s.user.token })).status,
    ).toBe(409);
  });

  it("gives back what is paid for it all the same, and stays ended", async () => {
    const s = await subscribed();
    const order = await openRenewal(s.id);
    await api(`/api/orders/${order}/pay`, { method: "POST", token: s.user.token });
    const sale = await recorded(s, order);
    await end(s.id);
    await pay(sale);
    expect(await readOrder(order)).toMatchObject({ status: "CANCELLED", intent_state: "paid" });
    expect(await subscriptionOf(s.orderId)).toMatchObject({ status: "EXPIRED", end: s.end });
    expect(await booksOf(sale.ref)).toEqual([
      { what: "refund", from: "gateway/ipaymu", to: "refund_due/ipaymu", amount: sale.price },
    ]);
  });

  it("is paid or ended, never both, when both happen at once", async () => {
    for (let n = 0; n < 8; n += 1) {
      const s = await subscribed();
      const order = await openRenewal(s.id);
      await api(`/api/orders/${order}/pay`, { method: "POST", token: s.user.token });
      const sale = await recorded(s, order);
      await Promise.all([pay(sale), end(s.id)]);
      const { status } = await subscriptionOf(s.orderId);
      expect(status).toBe("EXPIRED");
      const [first, ...others] = await booksOf(sale.ref);
      expect([others, ["hosting", "refund"].includes(first?.what ?? "")]).toEqual([[], true]);
      const { left } = await one(
        sql`select count(*)::int as left from hosting_orders
          where renews_subscription_id = ${s.id} and status = 'PENDING'`,
        z.object({ left: z.number() }),
      );
      expect(left).toBe(0);
      expect(await slotsTaken(s.plan)).toBe(0);
    }
  });
});
