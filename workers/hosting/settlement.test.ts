import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { call } from "../../shared/db/statement.ts";
import { woken } from "../../shared/payments/index.ts";
import { settleBackground, testContext } from "../testing/api.ts";
import { createUser } from "../testing/factories.ts";
import { balance, runJobByKey } from "../testing/orders.ts";
import {
  booksOf,
  callbackOf,
  confirm,
  createPlan,
  cron,
  ipaymu,
  mailsTo,
  minutesLater,
  one,
  pay,
  query,
  readOrder,
  run,
  type Sale,
  sell,
  slotsTaken,
  subscriptionOf,
  subscriptionsOf,
  takeIn,
} from "./testing/sales.ts";

afterEach(settleBackground);

const times = <T>(n: number, work: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)));

describe("a paid order", () => {
  it("completes, begins a subscription of its months, is booked, invoiced and told of, once", async () => {
    const sale = await sell({ duration: 3 });
    await pay(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({
      status: "COMPLETED",
      intent_state: "paid",
      holds_slot: true,
      invoice: expect.stringMatching(/^INV\/20\d\d\/\d{6}$/),
    });
    const { start, end, anchor, status } = await subscriptionOf(sale.orderId);
    const { due } = await one(
      sql`select hosting_add_months(${start.toISOString()}::timestamptz, 3, ${anchor}) as due`,
      z.object({ due: z.coerce.date() }),
    );
    expect([status, end]).toEqual(["ACTIVE", due]);
    expect(Math.abs(start.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await booksOf(sale.ref)).toEqual([
      { what: "hosting", from: "gateway/ipaymu", to: "commission/hosting", amount: 90_000 },
    ]);
    expect(await mailsTo(sale.user, "hosting_payment_success")).toMatchObject([
      { order_id: sale.orderId, amount: 90_000, duration: 3, invoice_number: expect.any(String) },
    ]);
  });

  it("is one however often and in parallel it is settled", async () => {
    const sale = await sell();
    await ipaymu(`/_pay/${sale.ref}`);
    await times(20, () => confirm(sale.ref));
    expect(await subscriptionsOf(sale.user)).toBe(1);
    expect(await booksOf(sale.ref)).toHaveLength(1);
    expect(await mailsTo(sale.user, "hosting_payment_success")).toHaveLength(1);
    const { intent } = await one(
      sql`select intent_id as intent from hosting_orders where id = ${sale.orderId}`,
      z.object({ intent: z.string() }),
    );
    const before = await subscriptionOf(sale.orderId);
    await times(20, () =>
      testContext().db.run(call("hosting_settled", { intent_id: intent }, woken)),
    );
    await testContext().db.run(call("hosting_expired", { intent_id: intent }, woken));
    expect(await subscriptionOf(sale.orderId)).toEqual(before);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED", holds_slot: true });
  });
});

describe("a callback", () => {
  it("settles what the provider confirms, twenty times or once", async () => {
    const sale = await sell();
    await ipaymu(`/_pay/${sale.ref}`);
    const callback = await callbackOf(sale);
    expect(await times(20, () => takeIn(callback))).toEqual(Array(20).fill("acked"));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
    expect(await subscriptionsOf(sale.user)).toBe(1);
  });

  it("that names the order itself, as the specification has it, settles it at once", async () => {
    const sale = await sell();
    await ipaymu(`/_pay/${sale.ref}`, { notify: false });
    const { trx_id } = await callbackOf(sale);
    const callback = { trx_id, reference_id: sale.orderId, status: "1", status_code: "1" };
    expect(await times(2, () => takeIn(callback))).toEqual(["acked", "acked"]);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
    expect(await subscriptionsOf(sale.user)).toBe(1);
    // And only it: by the transaction of another order nothing is paid.
    const other = await sell({}, { user: sale.user, plan: await createPlan() });
    await takeIn({ ...callback, reference_id: other.orderId });
    expect(await readOrder(other.orderId)).toMatchObject({ status: "PENDING" });
  });

  it.each([1, 6])(
    "that says paid (%i) by another order's transaction is not believed",
    async (code) => {
      const sale = await sell();
      await ipaymu(`/_pay/${sale.ref}`);
      const forged = await sell({}, { user: sale.user, plan: await createPlan() });
      const callback = { ...(await callbackOf(sale)), reference_id: forged.ref, status_code: code };
      await takeIn(callback);
      expect(await readOrder(forged.orderId)).toMatchObject({ status: "PENDING" });
      expect(await booksOf(forged.ref)).toEqual([]);
      expect(await subscriptionsOf(sale.user)).toBe(0);
    },
  );

  it("with another amount than the order's changes nothing, in the notice and at the provider", async () => {
    const sale = await sell();
    await takeIn({ ...(await callbackOf(sale)), sub_total: 1, total: 1, amount: 1 });
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "PENDING" });
    await ipaymu(`/_pay/${sale.ref}`, { amount: 1_000 });
    await takeIn(await callbackOf(sale));
    await confirm(sale.ref);
    expect(await readOrder(sale.orderId)).toMatchObject({
      status: "PENDING",
      intent_state: "pending",
    });
    expect(await booksOf(sale.ref)).toEqual([]);
  });

  it.each([
    ["0", "pending"],
    ["-1", ""],
    ["-2", "expired"],
    ["-2", "gagal"],
    ["42", "lain"],
  ])("of code %s (%s) that comes after the payment takes nothing back", async (code, status) => {
    const sale = await sell();
    await pay(sale);
    await takeIn(await callbackOf(sale, { status_code: code, status }));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
    expect(await subscriptionOf(sale.orderId)).toMatchObject({ status: "ACTIVE" });
  });

  it.each([
    [-1, ""],
    [-2, "expired"],
    [-2, "gagal"],
  ])("of code %i (%s) closes nothing while the page may still be paid", async (code, status) => {
    const sale = await sell();
    await takeIn(await callbackOf(sale, { status_code: code, status }));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "PENDING" });
    await pay(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
  });

  it("of an order that nobody knows is kept and moves nothing", async () => {
    const sale = await sell();
    const callback = { ...(await callbackOf(sale)), reference_id: crypto.randomUUID() };
    expect(await takeIn(callback)).toBe("acked");
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "PENDING" });
  });
});

describe("a payment whose callback never comes", () => {
  it("is found by the cron", async () => {
    const sale = await sell();
    await ipaymu(`/_pay/${sale.ref}`);
    await cron(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "COMPLETED" });
  });

  it("ends with its page: the order expires, its slot is free, its buyer is told, once", async () => {
    const plan = await createPlan({ slots: 1 });
    const sale = await sell({}, { plan });
    await cron(sale, 60);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "PENDING" });
    await times(10, () => confirm(sale.ref, minutesLater(1_441)));
    expect(await readOrder(sale.orderId)).toMatchObject({
      status: "EXPIRED",
      holds_slot: false,
      closed_reason: "Waktu pembayaran habis",
    });
    expect(await slotsTaken(plan)).toBe(0);
    expect(await mailsTo(sale.user, "hosting_payment_failed")).toMatchObject([
      { order_id: sale.orderId, reason: "Waktu pembayaran habis." },
    ]);
    expect((await sell({}, { plan })).orderId).not.toBe(sale.orderId);
  });

  it("begins at the clock of who finds it paid", async () => {
    const sale = await sell();
    await ipaymu(`/_pay/${sale.ref}`);
    const ctx = minutesLater(5 * 60);
    const at = ctx.now();
    await confirm(sale.ref, { ...ctx, now: () => at });
    expect((await subscriptionOf(sale.orderId)).start).toEqual(at);
  });

  it("and that was paid after its order had expired goes into the payer's wallet, once", async () => {
    const sale = await sell();
    await confirm(sale.ref, minutesLater(1_441));
    await ipaymu(`/_pay/${sale.ref}`);
    await times(10, () => confirm(sale.ref));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "EXPIRED" });
    expect(await subscriptionsOf(sale.user)).toBe(0);
    await creditRefund(sale);
    expect(await balance("wallet", sale.user.userId)).toBe(sale.price);
  });
});

/** The job of the refund: iPaymu sends nothing back by its API, so the wallet gets it. */
async function creditRefund({ ref }: Sale) {
  const [refund] = await query(
    sql`select 'payments.refund/' || r.id as key from payments_refunds r
      join payments_charges c on c.id = r.charge_id where c.provider_ref = ${ref}`,
    z.object({ key: z.string() }),
  );
  expect(await runJobByKey(refund?.key ?? "")).toMatchObject({ state: "success" });
}

describe("invoice numbers", () => {
  it("have no gap and no twin when a hundred orders are settled at once, some of them in vain", async () => {
    const plan = await createPlan();
    const sales = await times(20, () => sell({}, { plan }));
    const users = await times(80, () => createUser());
    const more = await query(
      sql`insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, terms, pay_key)
        select u, ${plan.id}, 'Massal', 'HOSTING', 30000, 1, 30000,
          '{"ppn_percent": 11, "seller": {"name": "S", "address": "", "tax_id": ""}}', 'k'
        from jsonb_array_elements_text(${JSON.stringify(users.map((u) => u.userId))}::jsonb) e(t), lateral (select t::bigint) x(u)
        returning id`,
      z.object({ id: z.string() }),
    );
    for (const { ref } of sales) await ipaymu(`/_pay/${ref}`);
    const settle = (id: string, undone: boolean) =>
      query(
        undone
          ? sql`select hosting_order_settle(${id}, now()), 1 / (length(${id}) - 36)`
          : sql`select hosting_order_settle(${id}, now())`,
        z.unknown(),
      ).catch(() => undefined);
    await Promise.all([
      ...sales.map(({ ref }) => confirm(ref)),
      ...more.flatMap(({ id }, i) =>
        i % 4 === 0 ? [settle(id, true), settle(id, false)] : [settle(id, false)],
      ),
    ]);
    const { issued, last, least } = await one(
      sql`select count(*)::int as issued, max(serial) as last, min(serial) as least from hosting_invoices
        where year = extract(year from now() at time zone 'Asia/Jakarta')`,
      z.object({ issued: z.number(), last: z.number(), least: z.number() }),
    );
    expect([least, last]).toEqual([1, issued]);
    const ids = JSON.stringify([
      ...sales.map(({ orderId }) => orderId),
      ...more.map(({ id }) => id),
    ]);
    const { own } = await one(
      sql`select count(distinct serial)::int as own from hosting_invoices
        where order_id in (select value::uuid from jsonb_array_elements_text(${ids}::jsonb))`,
      z.object({ own: z.number() }),
    );
    expect(own).toBe(100);
  });

  it("begin anew with Jakarta's year", async () => {
    const { numbers } = await one(
      sql`select jsonb_agg(y order by moment) as numbers from (
          select moment, extract(year from moment at time zone 'Asia/Jakarta')::int as y
          from (values (timestamptz '2026-12-31 16:59:59+00'), (timestamptz '2026-12-31 17:00:00+00')) v(moment)) t`,
      z.object({ numbers: z.array(z.number()) }),
    );
    expect(numbers).toEqual([2026, 2027]);
    const sale = await sell();
    await run(sql`select hosting_order_settle(${sale.orderId}, '2099-12-31 17:00:00+00')`);
    expect((await readOrder(sale.orderId)).invoice).toMatch(/^INV\/2100\/\d{6}$/);
  });
});
