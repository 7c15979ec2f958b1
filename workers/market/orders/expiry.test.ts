import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { age } from "../../../shared/jobs/test-jobs.ts";
import { refundJob } from "../../../shared/payments/index.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import { balance, payAtTwin, readOrder, readStock, twin } from "../../testing/orders.ts";
import {
  booksOf,
  makePromo,
  openShop,
  paidNotice,
  quietContext,
  type Sale,
  type Shop,
  sell,
  sellAgain,
  settle,
  sumOfLedger,
  takeIn,
  usesOf,
} from "../testing/sales.ts";
import { orderSettlement } from "./settlement.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

/** What the payments do when the provider says so: their own statement and the order's, in one transaction. */
async function told(sale: Sale, ref: string, news: "paid" | "expired" | "failed") {
  const { payment } = await intentOf(sale);
  const input = { provider_ref: ref, transaction_id: `tx-${ref}`, amount: sale.total };
  await testContext().db.batch(
    news === "paid"
      ? [call("payments_settle", input, z.unknown()), orderSettlement.settled(payment, new Date())]
      : [
          call("payments_expire", { ...input, state: news }, z.unknown()),
          orderSettlement.expired(payment),
        ],
  );
}

const Intent = z.object({
  payment: z.string(),
  paid: z.number(),
  refunds: z.array(z.object({ id: z.string(), state: z.string(), reason: z.string() })),
  jobs: z.array(z.string()),
});

/** An order's payment: how many charges were ever paid, what goes back, and the jobs that send it. */
async function intentOf({ orderId }: Sale) {
  const [found] = await testContext().db.run(
    rows(
      sql`with charges as (
            select c.* from payments_charges c join market_orders o on o.payment_id = c.intent_id where o.id = ${orderId}),
          refunds as (select r.* from payments_refunds r join charges c on c.id = r.charge_id)
        select o.payment_id as payment, (select count(*)::int from charges where paid_at is not null) as paid,
          (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'state', state, 'reason', reason)), '[]')
            from refunds) as refunds,
          (select coalesce(jsonb_agg(j.id), '[]') from jobs j join refunds r
            on j.dedupe_key = 'payments.refund/' || r.id) as jobs
        from market_orders o where o.id = ${orderId}`,
      Intent,
    ),
  );
  if (!found) throw new Error("no such order");
  return found;
}

/** Runs the order's refund job until the twin's own answer shows the money back. */
async function sendBack(sale: Sale, ref: string) {
  await twin(standIns().midtrans, "/_dials", { match: ref, bankConfirmMs: 1 }, "PUT");
  const [job] = (await intentOf(sale)).jobs;
  if (!job) throw new Error("no refund was asked for");
  await expect
    .poll(async () => {
      await age(testContext(), job);
      return await runJob(quietContext(), job, [refundJob]);
    })
    .toBe("success");
}

const expireAll = async (sale: Sale) => {
  await told(sale, sale.qris, "expired");
  await told(sale, sale.snap, "expired");
};

describe("an order that is not paid in time", () => {
  it("gives its stock and its promo use back once, however often it is told", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    expect(await usesOf(promoCode)).toBe(1);
    await told(sale, sale.qris, "expired");
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 2 });
    await Promise.all(Array.from({ length: 20 }, () => told(sale, sale.snap, "expired")));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect(await usesOf(promoCode)).toBe(0);
    expect(await booksOf(sale)).toEqual([]);
  });

  it("leaves its goods in the cart again when no way to pay could be opened, but not when it just ran out", async () => {
    const cartOf = async () =>
      (await api("/api/buyer/cart", { token: shop.buyer.token })).body.data.items.map(
        (item: { product_id: string; quantity: number }) => [item.product_id, item.quantity],
      );
    const failed = await sell(shop, { quantity: 3 });
    await told(failed, failed.qris, "failed");
    await told(failed, failed.snap, "failed");
    expect(await cartOf()).toContainEqual([failed.product.id, 3]);
    const expired = await sell(shop);
    await expireAll(expired);
    expect(JSON.stringify(await cartOf())).not.toContain(expired.product.id);
  });

  it("shows nothing to pay any more", async () => {
    const sale = await sell(shop);
    await expireAll(sale);
    const path = `/api/buyer/orders/${sale.orderId}`;
    const { body } = await api(path, { token: shop.buyer.token });
    expect(body.data).toMatchObject({
      status: "cancelled",
      closed_reason: "Pembayaran kedaluwarsa",
      payment: { state: "expired", qr_code: null, qr_image_url: null, payment_url: null },
    });
  });

  it("is refunded by itself when it is paid all the same", async () => {
    const sale = await sell(shop);
    await expireAll(sale);
    await payAtTwin(sale.qris);
    const notice = await paidNotice(sale);
    await Promise.all(Array.from({ length: 5 }, () => takeIn("midtrans", notice)));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect(await intentOf(sale)).toMatchObject({ refunds: [{ reason: "paid_late" }] });
    await sendBack(sale, sale.qris);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect(await twin(standIns().midtrans, `/_orders/${sale.qris}`, {}, "GET")).toMatchObject({
      status: "refund",
    });
    expect(await booksOf(sale)).toEqual([
      { what: "refund", from: "gateway", to: "refund_due", amount: sale.total },
      { what: "refunded", from: "refund_due", to: "gateway", amount: sale.total },
    ]);
  });
});

describe("an order that is paid over both channels", () => {
  it("keeps one payment and sends the other back by itself", async () => {
    const sale = await sell(shop);
    await settle(sale);
    await settle(sale, sale.snap);
    expect(await intentOf(sale)).toMatchObject({ paid: 2, refunds: [{ reason: "paid_twice" }] });
    await sendBack(sale, sale.snap);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid", intent_state: "paid" });
    expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
    expect((await booksOf(sale)).map(({ what }) => what)).toEqual([
      "order-paid",
      "refund",
      "refunded",
    ]);
  });
});

describe("a race of paying, expiring and giving up", () => {
  it("leaves every order whole: paid with its stock taken, or closed with its money going back", async () => {
    const own = await openShop();
    const promoCode = await makePromo(own, { value: 10 });
    const first = await sell(own, { quantity: 1, stock: 100, promoCode });
    const rest: Sale[] = [];
    for (let n = 1; n < 24; n += 1) {
      rest.push(await sellAgain(own, first.product, 1, { promoCode }));
    }
    const sales = [first, ...rest];
    const cancel = (sale: Sale) =>
      testContext()
        .db.run(
          call(
            "market_order_cancel",
            { order_id: sale.orderId, buyer_id: own.buyer.userId, reason: "Dibatalkan pembeli" },
            z.unknown(),
          ),
        )
        .catch(() => undefined);
    const moves = sales.flatMap((sale, n) => [
      () => told(sale, sale.qris, "paid"),
      () => told(sale, sale.qris, "paid"),
      () => told(sale, sale.qris, "expired"),
      () => told(sale, sale.snap, "expired"),
      ...(n % 3 === 0 ? [() => told(sale, sale.snap, "paid")] : []),
      ...(n % 4 === 0 ? [() => cancel(sale)] : []),
    ]);
    moves.sort(() => Math.random() - 0.5);
    await Promise.all(moves.map((move) => move()));

    let kept = 0;
    let back = 0;
    for (const sale of sales) {
      const { status } = await readOrder(sale.orderId);
      const { paid, refunds } = await intentOf(sale);
      expect(["paid", "cancelled"]).toContain(status);
      expect(refunds).toHaveLength(paid - (status === "paid" ? 1 : 0));
      if (status === "paid") kept += 1;
      back += refunds.length;
      const what = (await booksOf(sale)).map((transfer) => transfer.what);
      expect(what.filter((name) => name === "order-paid")).toHaveLength(status === "paid" ? 1 : 0);
      expect(what.filter((name) => name === "refund")).toHaveLength(refunds.length);
    }
    expect(kept + back).toBeGreaterThanOrEqual(sales.length);
    expect(await readStock(first.product)).toEqual({ stock: 100 - kept, reserved: 0 });
    expect(await usesOf(promoCode)).toBe(kept);
    expect(await balance("escrow", own.store.id)).toBe(kept * first.total);
    expect(await sumOfLedger()).toBe(0);
  });

  it("sells the last units to those who pay, and to nobody twice", async () => {
    const own = await openShop();
    const first = await sell(own, { quantity: 1, stock: 3 });
    const sales = [first, await sellAgain(own, first.product), await sellAgain(own, first.product)];
    await Promise.all(
      sales.flatMap((sale) => [told(sale, sale.qris, "paid"), told(sale, sale.snap, "paid")]),
    );
    expect(await readStock(first.product)).toEqual({ stock: 0, reserved: 0 });
    expect(await balance("escrow", own.store.id)).toBe(3 * first.total);
  });
});

describe("a product that changes while it is in orders", () => {
  const put = (sale: Sale, json: object) =>
    api(`/api/seller/products/${sale.product.id}`, {
      method: "PUT",
      token: sale.seller.token,
      json,
    });

  it("may be dearer: the order costs what it cost", async () => {
    const sale = await sell(shop);
    expect((await put(sale, { price: 99_000 })).status).toBe(200);
    await settle(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid", total: 68_000 });
  });

  it("may not be counted below what orders hold, and may be counted down to it", async () => {
    const sale = await sell(shop);
    expect((await put(sale, { stock: 1 })).status).toBe(409);
    expect((await put(sale, { stock: 2 })).status).toBe(200);
    await settle(sale);
    expect(await readStock(sale.product)).toEqual({ stock: 0, reserved: 0 });
  });

  it("may be deleted: who ordered it before still gets it", async () => {
    const sale = await sell(shop);
    const path = `/api/seller/products/${sale.product.id}`;
    expect((await api(path, { method: "DELETE", token: sale.seller.token })).status).toBe(200);
    await settle(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid" });
    expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
  });
});
