import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { findJob } from "../../testing/orders.ts";
import { declareDelivered } from "../orders/admin.ts";
import { confirmReceived } from "../orders/buyer.ts";
import { shipOrder } from "../orders/seller.ts";
import { cancelSale, refundOrder } from "../payouts/refunds.ts";
import { monthPasses } from "../testing/parcel-walks.ts";
import {
  atCourier,
  callBacksOf,
  courierContext,
  courierDial,
  handedOver,
  moneyOf,
  moveParcel,
  news,
  PAID_OUT,
  parcelOfSale,
  pickupJob,
  runCallBack,
  runPickup,
} from "../testing/parcels.ts";
import { jobsOf, openShop, type Sale, sell, settle } from "../testing/sales.ts";

const CANCEL = "/api/mitra/v3/cancel_shipment";
const PICKUP = "/api/mitra/v6.2/request_pickup";

/** Runs the order's job as often as it is said, hours apart. */
async function work(sale: Sale, ctx: Ctx = courierContext(), times = 1) {
  const states = [];
  for (let n = 0; n < times; n += 1) states.push(await runCallBack(sale, ctx));
  return states;
}

/** A context that counts the cancellations that it asks the courier for. */
function counting() {
  const asked: string[] = [];
  const ctx = courierContext(5_000, (path) => {
    if (path === CANCEL) asked.push(path);
  });
  return { asked, ctx };
}

const GIVE_UP = { reason: "Stok habis di gudang", restock: true };
const giveUp = (sale: Sale, ctx = courierContext()) =>
  cancelSale({ ...ctx, actor: sale.seller }, sale.orderId, GIVE_UP);
const send = (sale: Sale, tracking_code: string) =>
  shipOrder(
    { ...courierContext(), actor: sale.seller },
    { order_id: sale.orderId, courier: "JNE", tracking_code, status: "picked_up" },
  );

/** A sale whose parcel has a waybill and waits to be fetched; the courier takes his time to cancel it. */
async function waiting(): Promise<Sale> {
  const sale = await handedOver();
  await news(sale, "processed", "processed_packages");
  await courierDial(sale.number, { cancelDelayMs: 3_600_000 });
  return sale;
}

describe("a pickup that nobody needs any more", () => {
  const causes: [string, (sale: Sale) => Promise<unknown>][] = [
    ["its seller gave the sale up", (sale) => giveUp(sale)],
    [
      "its money went back",
      async ({ orderId }) => {
        const actor = await createUser(["admin"]);
        await refundOrder({ ...courierContext(), actor }, orderId, GIVE_UP);
      },
    ],
    ["its seller sends it himself", (sale) => send(sale, "SENDIRI-1")],
    [
      "its buyer has it",
      async (sale) => {
        await monthPasses(sale);
        await confirmReceived({ ...courierContext(), actor: sale.buyer }, sale.orderId);
      },
    ],
    [
      "an admin says that it has arrived",
      async ({ orderId }) => {
        const actor = await createUser(["admin"]);
        await declareDelivered({ ...courierContext(), actor }, orderId, "Foto serah terima");
      },
    ],
  ];

  it.each(causes)("is called back, once, when %s", async (_, cause) => {
    const sale = await waiting();
    await cause(sale);
    const { asked, ctx } = counting();
    expect(await work(sale, ctx, 3)).toEqual(["queued", "queued", "queued"]);
    expect(asked).toHaveLength(1);
    expect((await atCourier(sale))?.status_code).toBe(350);
    await moveParcel(sale, "canceled");
    expect(await work(sale)).toEqual(["success"]);
  });

  it("is called back after the courier was out of reach, and after an answer that was lost", async () => {
    const sale = await waiting();
    await courierDial(sale.number, { refuse: 503 });
    await giveUp(sale);
    expect(await work(sale)).toEqual(["queued"]);
    await courierDial(sale.number, { cancelDelayMs: 3_600_000 });
    await courierDial(sale.number, { timeOut: { count: 1 } }, CANCEL);
    expect(await work(sale, courierContext(300))).toEqual(["queued"]);
    const { asked, ctx } = counting();
    await work(sale, ctx, 2);
    expect(asked).toEqual([]);
    expect((await atCourier(sale))?.status_code).toBe(350);
  });

  it("is called back also where its waybill comes later, though no callback tells of it", async () => {
    const sale = await handedOver();
    await courierDial(sale.number, { cancelDelayMs: 3_600_000 });
    await giveUp(sale);
    expect(await parcelOfSale(sale)).toMatchObject({ status: "cancelled", tracking: null });
    await moveParcel(sale, "processed");
    expect(await work(sale)).toEqual(["queued"]);
    expect((await atCourier(sale))?.status_code).toBe(350);
  });

  it.each([
    ["given up", giveUp],
    ["sent by its seller", (sale: Sale) => send(sale, "SENDIRI-2")],
  ] as const)("is called back where the sale was %s while it was asked for", async (_, end) => {
    const sale = await sell(await openShop());
    await settle(sale);
    let hasEnded = false;
    const ctx = courierContext(5_000, async (path) => {
      if (path !== PICKUP || hasEnded) return;
      hasEnded = true;
      await end(sale);
    });
    expect(await runPickup(sale, ctx)).toBe("success");
    await courierDial(sale.number, { cancelDelayMs: 3_600_000 });
    await moveParcel(sale, "processed");
    await work(sale);
    expect((await atCourier(sale))?.status_code).toBe(350);
  });

  it("is called back where nobody knew that it had been asked for", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    await courierDial(sale.number, { timeOut: { count: 1 } }, PICKUP);
    expect(await runPickup(sale, courierContext(300))).toBe("unknown");
    await courierDial(sale.number, { cancelDelayMs: 3_600_000 });
    await giveUp(sale);
    expect((await pickupJob(sale)).state).toBe("unknown");
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    await moveParcel(sale, "processed");
    await work(sale);
    expect((await atCourier(sale))?.status_code).toBe(350);
  });

  it("is left to come where the seller means that very parcel", async () => {
    const sale = await waiting();
    await send(sale, "SALAH-KETIK");
    await send(sale, (await atCourier(sale))?.awb ?? "");
    const { asked, ctx } = counting();
    expect(await work(sale, ctx)).toEqual(["success"]);
    expect(asked).toEqual([]);
  });

  it("ends where the courier fetched it all the same, and both sides hear of it", async () => {
    const sale = await waiting();
    await giveUp(sale);
    await moveParcel(sale, "shipped");
    const { asked, ctx } = counting();
    expect(await work(sale, ctx)).toEqual(["success"]);
    expect(asked).toEqual([]);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "refunded", status: "in_transit" });
  });

  it("leaves the courier his fee who fetched it all the same from a seller who says that he sends it himself", async () => {
    const [told, silent, late] = await Promise.all([waiting(), waiting(), waiting()]);
    // The courier has fetched it, and nobody has told us.
    await moveParcel(silent, "shipped");
    for (const sale of [told, silent, late]) await send(sale, `SENDIRI-${sale.number}`);
    await news(told, "shipped", "shipped_packages");
    expect(await work(silent)).toEqual(["success"]);
    for (const sale of [told, silent, late]) {
      await confirmReceived({ ...courierContext(), actor: sale.buyer }, sale.orderId);
    }
    for (const sale of [told, silent]) expect(await moneyOf(sale)).toEqual(PAID_OUT);
    await moveParcel(late, "shipped");
    expect(await work(late)).toEqual(["success"]);
    expect(await moneyOf(late)).toEqual({ seller: 47_500 + 18_000, escrow: 0 });
    expect((await jobsOf(late)).filter((key) => key.includes("alert"))).toEqual([
      "mail/alert/courier-fee/*",
    ]);
  });

  it.each([
    ["refuses", { refuse: 503 }, 25, "unavailable"],
    ["never decides", { cancelDelayMs: 864_000_000 }, 61, "not decided"],
  ])("is the operator's where the courier %s", async (_, dial, hours, words) => {
    const sale = await waiting();
    await courierDial(sale.number, dial);
    await giveUp(sale);
    expect(await work(sale)).toEqual(["queued"]);
    const [job] = await callBacksOf(sale);
    await testContext().db.run(
      rows(
        sql`update jobs set created_at = created_at - make_interval(hours => ${hours}::int) where id = ${job?.id}`,
        z.unknown(),
      ),
    );
    expect(await work(sale)).toEqual(["failed"]);
    const [failed] = await callBacksOf(sale);
    expect(failed?.error).toContain(`pickup of ${sale.number}: ${words}`);
    expect(await findJob(`mail/alert/job/${job?.id}`)).not.toBeNull();
  });

  it("is not asked about where none was asked for", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    await giveUp(sale);
    expect(await callBacksOf(sale)).toEqual([]);
  });

  it("is called back by the running platform", async () => {
    const sale = await waiting();
    await courierDial(sale.number, { cancelDelayMs: 1 });
    const path = `/api/seller/orders/${sale.orderId}/cancel`;
    const call = { method: "POST", token: sale.seller.token, json: { reason: "Stok habis" } };
    expect((await api(path, call)).status).toBe(200);
    await expect.poll(async () => (await atCourier(sale))?.status_code).toBe(300);
  });
});
