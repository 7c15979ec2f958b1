import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { replayEvent } from "../../../shared/inbox/inbox.ts";
import { api, testContext } from "../../testing/api.ts";
import { balance } from "../../testing/orders.ts";
import { confirmReceived } from "../orders/buyer.ts";
import { shipOrder } from "../orders/seller.ts";
import { failure, run } from "../testing/catalogue.ts";
import {
  atCourier,
  courierContext,
  courierDial,
  handOver,
  moveParcel,
  parcelOfSale,
} from "../testing/parcels.ts";
import {
  jobsOf,
  openShop,
  quietContext,
  type Sale,
  type Shop,
  sell,
  sumOfLedger,
  takeIn,
} from "../testing/sales.ts";
import { courierApplier, followQuietParcels } from "./courier-news.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

/** A sale of a shop of its own, so that its wallet holds this sale alone, with its parcel asked for. */
async function handedOver(): Promise<Sale> {
  const sale = await sell(await openShop());
  await handOver(sale);
  return sale;
}

/** A callback in the short form (kiriminaja.md §4). */
const callback = (sale: Sale, method: string, fields: Record<string, unknown> = {}) =>
  JSON.stringify({ method, data: [{ order_id: sale.number, ...fields }] });

/** The same in the full form, with ISO dates and nulls for what has not happened. */
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

const news = async (sale: Sale, to: string, method: string, fields = {}) => {
  await moveParcel(sale, to);
  return await takeIn("kiriminaja", callback(sale, method, fields));
};

async function eventOf(body: string) {
  const [event] = await testContext().db.run(
    rows(
      sql`select id, state, note from inbox_events where body = ${body}`,
      z.object({ id: z.string(), state: z.string(), note: z.string().nullable() }),
    ),
  );
  return event;
}

const mailsOf = async (sale: Sale) =>
  (await jobsOf(sale)).filter((key) => /order_shipped|order_del|order_paid_out|parcel_/.test(key));

const moneyOf = async ({ seller, store }: Sale) => ({
  seller: await balance("wallet", seller.userId),
  escrow: await balance("escrow", store.id),
});
const PAID_OUT = { seller: 47_500, escrow: 0 };
const HELD = { seller: 0, escrow: 68_000 };

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
    expect(await mailsOf(sale)).toEqual([
      "mail/order_delivered/*",
      "mail/order_paid_out/*",
      "mail/order_shipped/*",
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
    expect(await mailsOf(sale)).toContain("mail/parcel_failed/*");
    expect(await moneyOf(sale)).toEqual(HELD);
    await news(sale, "finished", "finished_packages");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("that came back keeps the money until it is sent again and the buyer has it; the courier had his fee", async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "returned" });
    expect(await mailsOf(sale)).toContain("mail/parcel_returned/*");
    expect(await moneyOf(sale)).toEqual(HELD);
    await resend(sale);
    expect(await parcelOfSale(sale)).toMatchObject({ status: "in_transit", tracking: "POS998877" });
    expect(await mailsOf(sale)).toContain("mail/order_shipped/*/POS998877");
    await received(sale);
    await received(sale);
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
  });

  it("whose pickup was cancelled is sent by the seller, to whom the whole shipping fee goes", async () => {
    const sale = await handedOver();
    await news(sale, "canceled", "canceled_packages", { canceled_at: "2026-11-21 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", status: "cancelled" });
    expect(await mailsOf(sale)).toEqual(["mail/parcel_cancelled/*"]);
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
    await expect.poll(async () => (await atCourier(sale))?.status_code).toBe(300);
    await takeIn("kiriminaja", callback(sale, "canceled_packages"));
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", status: "in_transit" });
    await news(sale, "returned", "returned_packages", { returned_at: "2026-11-25 10:00:00" });
    expect(await parcelOfSale(sale)).toMatchObject({ status: "in_transit", tracking: "POS998877" });
    expect(await mailsOf(sale)).toEqual(["mail/order_shipped/*/POS998877"]);
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

describe("parcels without news for six hours", () => {
  const quiet = (sale: Sale, hours: number) =>
    run(sql`update market_shipments set updated_at = now() - make_interval(hours => ${hours}::int)
      where order_id = ${sale.orderId}`);

  it("are asked about; one that fails is asked again in the next hour and holds up no other", async () => {
    const [bad, good, fresh] = [await sell(shop), await sell(shop), await sell(shop)];
    for (const sale of [bad, good, fresh]) {
      await handOver(sale);
      await moveParcel(sale, "shipped");
    }
    await quiet(bad, 8);
    await quiet(good, 7);
    await courierDial(bad.number, { refuse: 503 });
    await followQuietParcels(courierContext());
    expect((await parcelOfSale(good)).status).toBe("in_transit");
    expect((await parcelOfSale(bad)).status).toBe("pending");
    expect((await parcelOfSale(fresh)).status).toBe("pending");
    await courierDial(bad.number);
    await run(
      sql`update market_shipments set updated_at = updated_at - interval '1 hour' where order_id = ${bad.orderId}`,
    );
    await followQuietParcels(courierContext());
    expect((await parcelOfSale(bad)).status).toBe("in_transit");
  });
});
