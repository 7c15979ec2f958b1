import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { replayEvent } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { api, testContext } from "../../testing/api.ts";
import { failure } from "../testing/catalogue.ts";
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
} from "../testing/parcels.ts";
import { quietContext, type Sale, sumOfLedger, takeIn } from "../testing/sales.ts";
import { courierApplier, receiveCourierCallback } from "./courier-news.ts";

/** A callback in the full form, with ISO dates and nulls for what has not happened. */
const fullCallback = (sale: Sale, method: string, fields: Record<string, unknown>) =>
  JSON.stringify({
    method,
    data: [
      {
        order_id: sale.number,
        awb: "JNE1",
        date: "2026-11-21T05:00:00Z",
        shipped_at: null,
        finished_at: null,
        returned_at: null,
        rejected_at: null,
        reason: null,
        ...fields,
      },
    ],
    payment: { payment_id: "XID-1", amount: 18_000, status_code: "0", pay_time: null },
    packages: [],
  });

async function eventOf(body: string) {
  const [event] = await testContext().db.run(
    rows(
      sql`select id, state, note from inbox_events where body = ${body}`,
      z.object({ id: z.string(), state: z.string(), note: z.string().nullable() }),
    ),
  );
  return event;
}

describe("POST /api/webhooks/kiriminaja", () => {
  const post = (body: string, authorization?: string) =>
    api("/api/webhooks/kiriminaja", {
      method: "POST",
      body,
      headers: authorization === undefined ? {} : { authorization },
    });

  it.each([undefined, "", "Bearer ", "Bearer wrong", "Basic x", "null"])(
    "refuses the key %s",
    async (key) => {
      const { status, body } = await post('{"method":"shipped_packages","data":[]}', key);
      expect([status, body]).toEqual([401, failure("Unauthorized", {})]);
    },
  );

  it.each(["Bearer ", ""])("takes the account's own key, written %skey", async (prefix) => {
    const key = `${prefix}${testContext().config.KIRIMINAJA_API_KEY}`;
    const { status, body } = await post('{"method":"shipped_packages","data":[]}', key);
    expect([status, body]).toMatchObject([200, { data: { received: true }, error: null }]);
  });

  it.each(["", "rubbish", "[]", "{}", '{"method":1,"data":[]}', '{"method":"x","data":"y"}'])(
    "refuses the body %s",
    async (body) => {
      const answer = await post(body, `Bearer ${testContext().config.KIRIMINAJA_API_KEY}`);
      expect([answer.status, answer.body.data]).toEqual([400, null]);
    },
  );

  it("takes news of as many parcels as a body holds, more than one message of a queue", async () => {
    const data = Array.from({ length: 2_500 }, (_, i) => ({
      order_id: `NONE${i}`,
      finished_at: "2026-11-21 10:00:00",
    }));
    const body = JSON.stringify({ method: "finished_packages", data });
    expect(body.length).toBeGreaterThan(128 * 1024);
    const { sent, ctx } = contextWithQueues();
    await receiveCourierCallback(ctx, ctx.config.KIRIMINAJA_API_KEY, body);
    expect(sent.length).toBeGreaterThan(1);
    for (const message of sent) {
      expect(JSON.stringify(message.body).length).toBeLessThan(128_000);
    }
  });

  it("ends in the order's parcel over its whole way", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "shipped");
    const key = `Bearer ${testContext().config.KIRIMINAJA_API_KEY}`;
    expect((await post(callback(sale, "shipped_packages"), key)).status).toBe(200);
    await expect
      .poll(async () => (await parcelOfSale(sale)).order, { timeout: 15_000 })
      .toBe("shipped");
  });
});

describe("a parcel's way", () => {
  it("in short callbacks: waybill, shipped, delivered, and the seller is paid", async () => {
    const sale = await handedOver();
    await news(sale, "processed", "processed_packages", { awb: "x" });
    const awb = (await atCourier(sale))?.awb;
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", tracking: awb });
    await news(sale, "shipped", "shipped_packages", { shipped_at: "2026-11-21 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    expect(await moneyOf(sale)).toEqual(HELD);
    await news(sale, "finished", "finished_packages", { finished_at: "2026-11-22 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
    expect(await parcelMails(sale)).toEqual([
      "mail/order_delivered/*",
      "mail/order_paid_out/*",
      "mail/order_shipped/*",
      "mail/parcel_collected/*",
    ]);
    const { body } = await api(`/api/buyer/orders/${sale.orderId}/track`, {
      token: sale.buyer.token,
    });
    expect(body.data).toMatchObject({ status: "delivered", shipment: { tracking_code: awb } });
    expect(body.data.timeline.map((line: { status: string }) => line.status)).toEqual([
      "delivered",
      "in_transit",
      "pending",
      "paid",
      "ordered",
    ]);
  });

  it("in full callbacks", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "shipped");
    const shipped = { shipped_at: "2026-11-21T06:00:00Z" };
    expect(await takeIn("kiriminaja", fullCallback(sale, "shipped_packages", shipped))).toBe(
      "acked",
    );
    await moveParcel(sale, "finished");
    const finished = { ...shipped, finished_at: "2026-11-22T06:00:00Z" };
    await takeIn("kiriminaja", fullCallback(sale, "finished_packages", finished));
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("pays the seller once, whatever 50 deliveries of its callbacks at once in any order say", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "finished");
    const bodies = [
      callback(sale, "finished_packages", { finished_at: "2026-11-22 10:00:00" }),
      callback(sale, "finished_packages", { finished_at: "2026-11-22 10:00:01" }),
      callback(sale, "shipped_packages", { shipped_at: "2026-11-21 10:00:00" }),
      callback(sale, "processed_packages", { awb: "x" }),
      callback(sale, "something_new"),
    ];
    const deliveries = Array.from({ length: 10 }, () => bodies).flat();
    const fates = await Promise.all(deliveries.map((body) => takeIn("kiriminaja", body)));
    expect(new Set(fates)).toEqual(new Set(["acked"]));
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
    expect(await sumOfLedger()).toBe(0);
  });

  it("is not taken from a callback that the courier's own answer does not bear out", async () => {
    const sale = await handedOver();
    const body = callback(sale, "finished_packages", { finished_at: "2026-11-22 10:00:00" });
    expect(await takeIn("kiriminaja", body)).toBe("acked");
    const event = await eventOf(body);
    expect(event).toMatchObject({
      state: "parked",
      note: expect.stringContaining("not confirmed"),
    });
    expect(await moneyOf(sale)).toEqual(HELD);
    await moveParcel(sale, "finished");
    await replayEvent(quietContext(), event?.id ?? "", [courierApplier]);
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("of an unknown parcel, and what cannot be read, is kept and told apart", async () => {
    const stranger = JSON.stringify({
      method: "finished_packages",
      data: [{ order_id: `X${crypto.randomUUID().slice(0, 12)}` }],
    });
    await takeIn("kiriminaja", stranger);
    expect(await eventOf(stranger)).toMatchObject({ state: "parked" });
    const odd = () =>
      JSON.stringify({ method: "shipped_packages", data: [{ id: crypto.randomUUID() }] });
    for (const body of [odd(), odd()]) {
      await takeIn("kiriminaja", body);
      expect(await eventOf(body)).toMatchObject({ note: "unreadable event shipped_packages" });
    }
  });

  it("is asked about again when the courier is out of reach", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "finished");
    await courierDial(sale.number, { refuse: 503 });
    const body = callback(sale, "finished_packages");
    expect(await takeIn("kiriminaja", body, courierContext())).toEqual(expect.any(Number));
    expect(await moneyOf(sale)).toEqual(HELD);
    await courierDial(sale.number);
    expect(await takeIn("kiriminaja", body)).toBe("acked");
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });
});
