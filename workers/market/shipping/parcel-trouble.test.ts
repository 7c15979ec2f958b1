import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { confirmReceived } from "../orders/buyer.ts";
import { shipOrder } from "../orders/seller.ts";
import {
  atCourier,
  callback,
  courierContext,
  courierDial,
  HELD,
  handedOver,
  moneyOf,
  moveParcel,
  news,
  PAID_OUT,
  parcelMails,
  parcelOfSale,
  runCallBack,
} from "../testing/parcels.ts";
import { quietContext, type Sale, takeIn } from "../testing/sales.ts";
import { followParcel } from "./courier-news.ts";

/** The lines of the time line that the courier's news on the way made, the latest first. */
async function linesOf(sale: Sale): Promise<string[]> {
  const { body } = await api(`/api/buyer/orders/${sale.orderId}/track`, {
    token: sale.buyer.token,
  });
  const lines: { status: string; description: string }[] = body.data.timeline;
  const onTheWay = ["in_transit", "failed", "returned"];
  return lines
    .filter(({ status }) => onTheWay.includes(status))
    .map(({ description }) => description);
}

/** How often both sides were told live. */
async function eventsOf({ orderId }: Sale): Promise<number> {
  const query = sql`select count(*)::int as n from jobs
    where kind = 'market.order_news' and payload->>'order_id' = ${orderId}`;
  const [row] = await testContext().db.run(rows(query, z.object({ n: z.number() })));
  return row?.n ?? 0;
}

/** As the check by the clock does: of these steps there is no callback. */
async function followTwice({ number }: Sale) {
  for (let look = 0; look < 2; look += 1) await followParcel(courierContext(), number);
}

describe("a parcel in trouble", () => {
  const resend = (sale: Sale, tracking = "POS998877") =>
    shipOrder(
      { ...courierContext(), actor: sale.seller },
      { order_id: sale.orderId, courier: "pos", tracking_code: tracking, status: "in_transit" },
    );
  const received = (sale: Sale) =>
    confirmReceived({ ...quietContext(), actor: sale.buyer }, sale.orderId);

  it("is told to the seller, and still pays him when it arrives after all", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "lost", "rejected_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "failed" });
    expect(await parcelMails(sale)).toEqual(
      expect.arrayContaining(["mail/parcel_failed/*", "mail/parcel_failed_buyer/*"]),
    );
    expect(await moneyOf(sale)).toEqual(HELD);
    await news(sale, "finished", "finished_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it.each([
    ["refused", "rejected", "rejected_packages", "ditolak"],
    ["returning", "returning", "returned_packages", "perjalanan kembali"],
  ])("that is %s is told live, by mail and on the time line", async (step, to, method, words) => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    const told = await eventsOf(sale);
    await news(sale, to, method);
    await takeIn("kiriminaja", callback(sale, method, { reason: "again" }));
    expect(await eventsOf(sale)).toBe(told + 1);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "failed" });
    expect(await parcelMails(sale)).toEqual(
      expect.arrayContaining([`mail/parcel_${step}/*`, `mail/parcel_${step}_buyer/*`]),
    );
    expect(await linesOf(sale)).toEqual([expect.stringContaining(words), expect.anything()]);
  });

  it("tells each step of it: refused, on its way back, back", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    const told = await eventsOf(sale);
    await news(sale, "rejected", "rejected_packages");
    await news(sale, "returning", "returned_packages");
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await eventsOf(sale)).toBe(told + 3);
    const mails = (await parcelMails(sale)).filter((key) => /refused|returning|returned/.test(key));
    expect(mails).toHaveLength(6);
    expect(await linesOf(sale)).toHaveLength(4);
  });

  it("tells both sides of each try to deliver it, and of each failure", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    const told = await eventsOf(sale);
    for (const to of ["undelivered", "redelivery", "undelivered", "redelivery"]) {
      await moveParcel(sale, to);
      await followTwice(sale);
    }
    expect(await eventsOf(sale)).toBe(told + 4);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    // All within one second, where the time line goes by how far a step is.
    expect((await linesOf(sale)).toSorted()).toEqual([
      "Paket dalam perjalanan",
      "Paket diantar ulang",
      "Paket diantar ulang",
      "Pengiriman terkendala",
      "Pengiriman terkendala",
    ]);
    const mails = await parcelMails(sale);
    for (const template of ["failed", "failed_buyer", "redelivery", "redelivery_buyer"]) {
      expect(mails.filter((key) => key.startsWith(`mail/parcel_${template}/`))).toHaveLength(2);
    }
    await news(sale, "finished", "finished_packages");
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("that its courier carries on with is told to both sides, and so is trouble after that", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    for (const to of ["lost", "shipped", "lost", "shipped"]) {
      await moveParcel(sale, to);
      await followTwice(sale);
    }
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    const mails = await parcelMails(sale);
    for (const template of ["failed", "failed_buyer", "resumed", "resumed_buyer"]) {
      expect(mails.filter((key) => key.startsWith(`mail/parcel_${template}/`))).toHaveLength(2);
    }
    expect(await linesOf(sale)).toContain("Paket dalam perjalanan lagi");
    await news(sale, "finished", "finished_packages");
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("that nobody knew to be on its way has been sent once it goes on", async () => {
    const sale = await handedOver();
    for (const to of ["undelivered", "shipped"]) {
      await moveParcel(sale, to);
      await followTwice(sale);
    }
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    expect(await parcelMails(sale)).toEqual(
      expect.arrayContaining(["mail/order_shipped/*", "mail/parcel_collected/*"]),
    );
  });

  it("that is delivered once more is told also where nobody saw the failure", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    const told = await eventsOf(sale);
    await moveParcel(sale, "redelivery");
    await followTwice(sale);
    expect(await eventsOf(sale)).toBe(told + 1);
    expect(await linesOf(sale)).toHaveLength(2);
  });

  it("that came back keeps the money until it is sent again and the buyer has it; the courier had his fee", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "returned" });
    expect(await parcelMails(sale)).toEqual(
      expect.arrayContaining(["mail/parcel_returned/*", "mail/parcel_returned_buyer/*"]),
    );
    expect(await moneyOf(sale)).toEqual(HELD);
    await resend(sale);
    expect(await parcelOfSale(sale)).toMatchObject({ status: "in_transit", tracking: "POS998877" });
    expect(await parcelMails(sale)).toContain("mail/order_shipped/*/POS998877");
    await received(sale);
    await received(sale);
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("whose pickup was cancelled is sent by the seller, to whom the whole shipping fee goes", async () => {
    const sale = await handedOver();
    await news(sale, "canceled", "canceled_packages", { canceled_at: "2026-11-21 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", status: "cancelled" });
    expect(await parcelMails(sale)).toEqual([
      "mail/parcel_cancelled/*",
      "mail/parcel_cancelled_buyer/*",
    ]);
    expect(await resend(sale)).toMatchObject({ kiriminaja_order_id: null, courier: "pos" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", cost: 0 });
    await received(sale);
    expect(await moneyOf(sale)).toEqual({ seller: 47_500 + 18_000, escrow: 0 });
  });

  it("is no news any more once the seller has sent the goods himself, and its pickup is called back", async () => {
    const sale = await handedOver();
    await news(sale, "processed", "processed_packages");
    await courierDial(sale.number, { cancelDelayMs: 1 });
    await resend(sale);
    expect(await runCallBack(sale)).toBe("queued");
    await expect.poll(async () => (await atCourier(sale))?.status_code).toBe(300);
    await takeIn("kiriminaja", callback(sale, "canceled_packages"));
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ status: "in_transit", tracking: "POS998877" });
    expect(await parcelMails(sale)).toEqual([
      "mail/order_shipped/*/POS998877",
      "mail/parcel_sent/*/POS998877",
    ]);
  });

  it("of an order that was given up before it had a waybill is called back once it has one", async () => {
    const sale = await handedOver();
    const path = `/api/seller/orders/${sale.orderId}/cancel`;
    const json = { reason: "Stok rusak", restock: false };
    const given = await api(path, { method: "POST", token: sale.seller.token, json });
    expect(given.status).toBe(200);
    await courierDial(sale.number, { cancelDelayMs: 1 });
    await news(sale, "processed", "processed_packages");
    await runCallBack(sale);
    await expect.poll(async () => (await atCourier(sale))?.status_code).toBe(300);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "refunded", status: "cancelled" });
    expect(await parcelMails(sale)).toEqual([]);
  });

  it("is the courier's own again when the seller named its waybill before we knew it", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "shipped");
    const awb = (await atCourier(sale))?.awb ?? "";
    await resend(sale, awb);
    await news(sale, "finished", "finished_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", cost: 18_000 });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("that the courier calls returned is still paid when the buyer says that he has it", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "returned", "returned_packages");
    await received(sale);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });
});

describe("a parcel on its way", () => {
  it("is told when it is fetched, and again when it travels, to both sides", async () => {
    const sale = await handedOver();
    const advance = (status: string) => {
      const step = { number: sale.number, status, description: status, tracking_code: null };
      return testContext().db.run(call("market_shipment_advance", step, z.unknown()));
    };
    await advance("picked_up");
    const fetched = ["mail/order_shipped/*", "mail/parcel_collected/*"];
    expect(await parcelMails(sale)).toEqual(fetched);
    await advance("in_transit");
    expect(await parcelMails(sale)).toEqual([
      ...fetched,
      "mail/parcel_in_transit/*",
      "mail/parcel_in_transit_buyer/*",
    ]);
  });
});
