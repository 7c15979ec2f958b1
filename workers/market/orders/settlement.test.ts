import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { replayEvent } from "../../../shared/inbox/inbox.ts";
import { noticeApplier } from "../../../shared/payments/index.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import {
  balance,
  midtransNotice,
  payAtTwin,
  readOrder,
  readStock,
  twin,
} from "../../testing/orders.ts";
import {
  booksOf,
  jobsOf,
  makePromo,
  openShop,
  paidNotice,
  type Sale,
  type Shop,
  sell,
  settle,
  sumOfLedger,
  takeIn,
} from "../testing/sales.ts";
import { orderSettlement } from "./settlement.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

/** What stands after an order was paid once, however often it was told. */
async function expectPaidOnce(sale: Sale, stock = { stock: 8, reserved: 0 }): Promise<void> {
  expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid", intent_state: "paid" });
  expect(await readStock(sale.product)).toEqual(stock);
  expect(await booksOf(sale)).toEqual([
    { what: "order-paid", from: "gateway", to: "escrow", amount: sale.total },
  ]);
  expect(await jobsOf(sale)).toEqual([
    "mail/order_paid/*",
    "mail/order_received/*",
    "market.shipment/*",
  ]);
}

async function expectUntouched(sale: Sale): Promise<void> {
  expect(await readOrder(sale.orderId)).toMatchObject({ status: "pending" });
  expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 2 });
  expect(await booksOf(sale)).toEqual([]);
  expect(await jobsOf(sale)).toEqual([]);
}

async function eventOf(body: string) {
  const [event] = await testContext().db.run(
    rows(
      sql`select id, state, note from inbox_events where body = ${body}`,
      z.object({ id: z.string(), state: z.string(), note: z.string().nullable() }),
    ),
  );
  return event;
}

const post = (body: string) => api("/api/webhooks/midtrans", { method: "POST", body });

describe("a payment", () => {
  it("pays its order once under 20 parallel deliveries of its notice", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    const body = await paidNotice(sale);
    const fates = await Promise.all(Array.from({ length: 20 }, () => takeIn("midtrans", body)));
    expect(new Set(fates)).toEqual(new Set(["acked"]));
    await expectPaidOnce(sale);
    await takeIn("midtrans", body);
    await expectPaidOnce(sale);
  });

  it("pays its order once under 20 different notices of it at once", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    const bodies = await Promise.all(Array.from({ length: 20 }, () => paidNotice(sale)));
    expect(new Set(bodies).size).toBe(20);
    await Promise.all(bodies.map((body) => takeIn("midtrans", body)));
    await expectPaidOnce(sale);
  });

  it("goes its whole way over the webhook's address", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    const { status, body } = await post(await paidNotice(sale));
    expect([status, body]).toMatchObject([200, { data: { received: true }, error: null }]);
    await expect
      .poll(async () => (await readOrder(sale.orderId)).status, { timeout: 15_000 })
      .not.toBe("pending");
  });
});

describe("the money of an order", () => {
  const delivered = async (sale: Sale) =>
    await testContext().db.run(
      rows(
        sql`select market_shipment_advance(${JSON.stringify({ order_id: sale.orderId, status: "delivered", description: "Paket diterima" })}::jsonb)`,
        z.unknown(),
      ),
    );

  it.each([
    { price: 25_000, quantity: 2, promo: null, sellerGets: 47_500, commission: 2_500, discount: 0 },
    { price: 33_333, quantity: 3, promo: null, sellerGets: 95_000, commission: 4_999, discount: 0 },
    {
      price: 33_333,
      quantity: 3,
      promo: { value: 7, platform: false },
      sellerGets: 88_350,
      commission: 4_650,
      discount: 6_999,
    },
    {
      price: 33_333,
      quantity: 3,
      promo: { value: 7, platform: true },
      sellerGets: 95_000,
      commission: 4_999,
      discount: 6_999,
    },
    {
      price: 20_000,
      quantity: 1,
      promo: { value: 100, platform: true },
      sellerGets: 19_000,
      commission: 1_000,
      discount: 20_000,
    },
    {
      price: 20_000,
      quantity: 1,
      promo: { value: 100, platform: false },
      sellerGets: 0,
      commission: 0,
      discount: 20_000,
    },
    { price: 1, quantity: 1, promo: null, sellerGets: 1, commission: 0, discount: 0 },
  ])("is shared to the rupiah: $price × $quantity, promo $promo", async (scene) => {
    const own = await openShop();
    const promoCode = scene.promo ? await makePromo(own, scene.promo) : undefined;
    const sale = await sell(own, {
      price: scene.price,
      quantity: scene.quantity,
      ...(promoCode ? { promoCode } : {}),
    });
    const subtotal = scene.price * scene.quantity;
    expect(sale.total).toBe(subtotal - scene.discount + 18_000);

    await settle(sale);
    const given = scene.promo?.platform ? scene.discount : 0;
    expect(await balance("escrow", own.store.id)).toBe(sale.total + given);
    expect(await balance("wallet", own.seller.userId)).toBe(0);

    await delivered(sale);
    expect(await balance("escrow", own.store.id)).toBe(0);
    expect(await balance("wallet", own.seller.userId)).toBe(scene.sellerGets);
    const books = await booksOf(sale);
    const booked = (what: string) => books.find((transfer) => transfer.what === what)?.amount ?? 0;
    expect({
      paid: booked("order-paid"),
      promo: booked("order-promo"),
      commission: booked("order-commission"),
      courier: booked("order-courier"),
    }).toEqual({ paid: sale.total, promo: given, commission: scene.commission, courier: 18_000 });
    expect(await sumOfLedger()).toBe(0);
  });

  it("is paid out once by 50 parallel deliveries of the parcel", async () => {
    const own = await openShop();
    const sale = await sell(own);
    await settle(sale);
    await Promise.all(Array.from({ length: 50 }, () => delivered(sale)));
    expect(await balance("wallet", own.seller.userId)).toBe(47_500);
    expect(await balance("escrow", own.store.id)).toBe(0);
  });
});

describe("a notice that is not to be believed", () => {
  it("is refused when it is forged, and changes nothing", async () => {
    const sale = await sell(shop);
    const forged = await midtransNotice({
      orderRef: sale.qris,
      amount: sale.total,
      key: "SB-Mid-server-of-somebody-else",
    });
    const { status, body } = await post(forged);
    expect([status, body.data, typeof body.error]).toEqual([401, null, "string"]);
    expect((await post("{}")).status).toBe(400);
    expect((await post("not json")).status).toBe(400);
    await expectUntouched(sale);
  });

  it("is refused when it was altered after it was signed", async () => {
    const sale = await sell(shop);
    const altered = JSON.parse(await paidNotice(sale));
    altered.gross_amount = "1.00";
    expect((await post(JSON.stringify(altered))).status).toBe(401);
    await expectUntouched(sale);
  });

  it("is kept and not applied when it names another amount, also where the money has come", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    const body = await midtransNotice({ orderRef: sale.qris, amount: sale.total - 1 });
    await takeIn("midtrans", body);
    expect(await eventOf(body)).toMatchObject({ state: "parked", note: expect.any(String) });
    await expectUntouched(sale);
  });

  it("pays nothing when the provider has received less than was asked", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris, { gross_amount: sale.total - 1_000 });
    await takeIn("midtrans", await paidNotice(sale));
    await expectUntouched(sale);
  });

  it("pays nothing when its status was swapped, which its signature does not cover", async () => {
    const sale = await sell(shop);
    const body = await paidNotice(sale);
    await takeIn("midtrans", body);
    expect(await eventOf(body)).toMatchObject({ state: "parked" });
    await expectUntouched(sale);
    await settle(sale);
    await takeIn(
      "midtrans",
      await midtransNotice({ orderRef: sale.qris, amount: sale.total, status: "refund" }),
    );
    await expectPaidOnce(sale);
  });

  it.each(["pending", "expire", "cancel", "deny"])(
    "takes nothing back when a %s comes after the payment",
    async (status) => {
      const sale = await sell(shop);
      await settle(sale);
      const statusCode = status === "pending" ? "201" : "202";
      const late = { orderRef: sale.qris, amount: sale.total, status, statusCode };
      await takeIn("midtrans", await midtransNotice(late));
      await expectPaidOnce(sale);
    },
  );

  it("finds the payment behind a notice of an earlier state", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    const early = { orderRef: sale.qris, amount: sale.total, status: "pending", statusCode: "201" };
    await takeIn("midtrans", await midtransNotice(early));
    await expectPaidOnce(sale);
    await takeIn("midtrans", await paidNotice(sale));
    await expectPaidOnce(sale);
  });

  it("is kept when it names an order that we do not know, and applied once we do", async () => {
    const sale = await sell(shop);
    const rename = (from: string, to: string) =>
      testContext().db.run(
        rows(
          sql`update payments_charges set provider_ref = ${to} where provider_ref = ${from}`,
          z.unknown(),
        ),
      );
    await payAtTwin(sale.qris);
    const body = await paidNotice(sale);
    await rename(sale.qris, `${sale.qris}-later`);
    await takeIn("midtrans", body);
    const event = await eventOf(body);
    expect(event).toMatchObject({ state: "parked", note: "unknown order id" });
    await rename(`${sale.qris}-later`, sale.qris);
    await replayEvent(testContext(), event?.id ?? "", [noticeApplier([orderSettlement])]);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid" });
  });

  it("is parked while the provider does not answer sensibly, and nothing moves", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    await twin(standIns().midtrans, "/_dials", { match: sale.qris, rubbish: true }, "PUT");
    const body = await paidNotice(sale);
    expect(await takeIn("midtrans", body)).not.toBe("acked");
    await expectUntouched(sale);
    await twin(standIns().midtrans, "/_dials", { match: sale.qris }, "PUT");
    expect(await takeIn("midtrans", body)).toBe("acked");
    await expectPaidOnce(sale);
  });
});
