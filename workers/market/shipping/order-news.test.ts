import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import {
  atCourier,
  courierContext,
  courierDial,
  handedOver,
  news,
  parcelMails,
  parcelOfSale,
} from "../testing/parcels.ts";
import {
  jobsOf,
  openShop,
  quietContext,
  type Sale,
  sell,
  settle,
  takeIn,
} from "../testing/sales.ts";
import { orderNewsJob } from "./order-news.ts";
import { cancelPickup } from "./seller-parcel.ts";

interface Told {
  userId: number;
  event: string;
  payload: unknown;
}

const Job = z.object({ id: z.string(), payload: z.record(z.string(), z.unknown()) });
const seen = new Set<string>();

/** Tells what there is to tell about an order since the last time, whoever else has told it; answers who heard what. */
async function tell({ orderId }: Sale): Promise<Told[]> {
  const heard: Told[] = [];
  const job = orderNewsJob(async (_, userId, event, payload) => {
    heard.push({ userId, event, payload });
  });
  const query = sql`select id, payload from jobs where kind = 'market.order_news'
    and payload->>'order_id' = ${orderId} order by created_at`;
  const written = await testContext().db.run(rows(query, Job));
  const attempt = {
    kind: job.kind,
    state: "queued",
    attempts: 1,
    leaseId: "",
    createdAt: new Date(),
  } as const;
  for (const one of written.filter(({ id }) => !seen.has(id))) {
    seen.add(one.id);
    expect((await job.run(quietContext(), { ...attempt, ...one })).state).toBe("success");
  }
  return heard;
}

const lastOf = (heard: Told[], userId: number) =>
  heard.filter((told) => told.userId === userId).at(-1)?.payload;

describe("both sides of an order are told live", () => {
  it("of every state that its parcel comes to, and of its waybill; not of a repeated scan", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    const paid = await tell(sale);
    expect(paid.map(({ event }) => event)).toEqual(["order:update", "order:update"]);
    expect(paid.map(({ userId }) => userId).toSorted()).toEqual(
      [sale.buyer.userId, sale.seller.userId].toSorted(),
    );
    expect(paid[0]?.payload).toEqual({
      order_id: sale.orderId,
      number: sale.number,
      store_id: sale.store.id,
      status: "paid",
      shipment: { status: "pending", courier: "jne", tracking_code: null },
      updated_at: expect.stringMatching(/Z$/),
    });
  });

  it("on the whole way, once for each step", async () => {
    const sale = await handedOver();
    await tell(sale);
    await news(sale, "processed", "processed_packages");
    const awb = (await atCourier(sale))?.awb;
    expect(lastOf(await tell(sale), sale.seller.userId)).toMatchObject({
      status: "processing",
      shipment: { tracking_code: awb },
    });
    await news(sale, "shipped", "shipped_packages");
    expect(lastOf(await tell(sale), sale.buyer.userId)).toMatchObject({
      status: "shipped",
      shipment: { status: "in_transit" },
    });
    const again = JSON.stringify({ method: "shipped_packages", data: [{ order_id: sale.number }] });
    await takeIn("kiriminaja", again);
    expect(await tell(sale)).toEqual([]);
    await news(sale, "finished", "finished_packages");
    expect(lastOf(await tell(sale), sale.seller.userId)).toMatchObject({ status: "delivered" });
  });

  it("of an order that its buyer gives up, and not of the same click again", async () => {
    const sale = await sell(await openShop());
    const cancel = () =>
      api(`/api/buyer/orders/${sale.orderId}/cancel`, { method: "POST", token: sale.buyer.token });
    expect((await cancel()).status).toBe(200);
    const heard = await tell(sale);
    for (const { userId } of [sale.buyer, sale.seller]) {
      expect(lastOf(heard, userId)).toMatchObject({ status: "cancelled", shipment: null });
    }
    expect((await cancel()).status).toBe(200);
    expect(await tell(sale)).toEqual([]);
  });

  it("of an order that its seller gives up, and of one whose money an admin gives back", async () => {
    const [given, back] = [await sell(await openShop()), await sell(await openShop())];
    for (const sale of [given, back]) {
      await settle(sale);
      await tell(sale);
    }
    const call = (path: string, token: string) =>
      api(path, { method: "POST", token, json: { reason: "Stok rusak", restock: false } });
    const admin = await createUser(["admin"]);
    const cancelled = await call(`/api/seller/orders/${given.orderId}/cancel`, given.seller.token);
    const refunded = await call(`/api/admin/orders/${back.orderId}/refund`, admin.token);
    expect([cancelled.status, refunded.status]).toEqual([200, 200]);
    for (const sale of [given, back]) {
      const heard = await tell(sale);
      for (const { userId } of [sale.buyer, sale.seller]) {
        expect(lastOf(heard, userId)).toMatchObject({ status: "refunded" });
      }
    }
  });

  it("of trouble, with a mail to each", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await tell(sale);
    await news(sale, "lost", "rejected_packages");
    expect(lastOf(await tell(sale), sale.buyer.userId)).toMatchObject({
      shipment: { status: "failed" },
    });
    const mails = await parcelMails(sale);
    expect(mails.filter((key) => key.includes("failed")).toSorted()).toEqual(
      ["mail/parcel_failed/*", "mail/parcel_failed_buyer/*"].toSorted(),
    );
  });
});

describe("a parcel's label", () => {
  it("is there once there is a waybill, for the seller of the order alone", async () => {
    const sale = await handedOver();
    const path = `/api/seller/orders/${sale.orderId}/label`;
    const get = (token = sale.seller.token) => api(path, { token });
    const early = await get();
    expect([early.status, early.body.error]).toEqual([409, expect.stringContaining("resi")]);
    await news(sale, "processed", "processed_packages");
    const awb = (await atCourier(sale))?.awb;
    const { status, body } = await get();
    expect([status, body.data]).toEqual([
      200,
      { url: expect.stringContaining(`/labels/${awb}`), tracking_code: awb },
    ]);
    expect((await fetch(body.data.url)).status).toBe(200);
    const other = await createUser(["buyer", "seller"]);
    const foreign = await get(other.token);
    expect([foreign.status, foreign.body]).toEqual([404, failure("Order not found", {})]);
    await refusesStrangers(path, {}, "seller");
  });
});

describe("a pickup that its seller cancels", () => {
  const cancel = (sale: Sale, reason = "Stok ternyata rusak") =>
    api(`/api/seller/orders/${sale.orderId}/cancel-pickup`, {
      method: "POST",
      token: sale.seller.token,
      json: { reason },
    });

  it("is cancelled once the courier says so", async () => {
    const sale = await handedOver();
    expect((await cancel(sale)).status).toBe(409);
    await news(sale, "processed", "processed_packages");
    await courierDial(sale.number, { cancelDelayMs: 1 });
    await tell(sale);
    const { status, body } = await cancel(sale);
    expect([status, body.data]).toMatchObject([200, { order_id: sale.orderId, final: false }]);
    expect((await tell(sale)).length).toBe(2);
    await expect.poll(async () => (await atCourier(sale))?.status_code).toBe(300);
    const callback = { method: "canceled_packages", data: [{ order_id: sale.number }] };
    await takeIn("kiriminaja", JSON.stringify(callback));
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", status: "cancelled" });
    const repeated = await cancel(sale);
    expect([repeated.status, repeated.body.error]).toEqual([409, "Penjemputan sudah dibatalkan"]);
    const order = await api(`/api/seller/orders/${sale.orderId}`, { token: sale.seller.token });
    expect(
      order.body.data.timeline.map((line: { description: string }) => line.description),
    ).toContain("Pembatalan penjemputan diminta");
  });

  it("is told once where the courier's answer was lost and its seller asks again", async () => {
    const sale = await handedOver();
    await news(sale, "processed", "processed_packages");
    await courierDial(sale.number, { cancelDelayMs: 3_600_000 });
    await courierDial(sale.number, { timeOut: { count: 1 } }, "/api/mitra/v3/cancel_shipment");
    const asSeller = { ...courierContext(300), actor: sale.seller };
    await expect(cancelPickup(asSeller, sale.orderId, "Stok rusak")).rejects.toMatchObject({
      code: "provider_unavailable",
    });
    for (let click = 0; click < 2; click += 1) expect((await cancel(sale)).status).toBe(200);
    expect((await jobsOf(sale)).filter((key) => /called_back\//.test(key))).toHaveLength(1);
  });

  it("stays where the courier has it, where it is another's, and where the courier is out of reach", async () => {
    const sale = await handedOver();
    await news(sale, "processed", "processed_packages");
    const stranger = await createUser(["buyer", "seller"]);
    const asStranger = { ...courierContext(), actor: stranger };
    await expect(cancelPickup(asStranger, sale.orderId, "Bukan milik saya")).rejects.toMatchObject({
      code: "not_found",
    });
    const awb = (await atCourier(sale))?.awb ?? "";
    await courierDial(awb, { refuse: 503 });
    const asSeller = { ...courierContext(), actor: sale.seller };
    await expect(cancelPickup(asSeller, sale.orderId, "Stok rusak")).rejects.toMatchObject({
      code: "provider_unavailable",
    });
    await courierDial(awb);
    await news(sale, "shipped", "shipped_packages");
    expect((await cancel(sale)).status).toBe(409);
    expect(await parcelOfSale(sale)).toMatchObject({ status: "in_transit" });
  });
});
