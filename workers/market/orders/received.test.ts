import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { monthPasses } from "../testing/parcel-walks.ts";
import {
  atCourier,
  courierContext,
  courierDial,
  handedOver,
  moneyOf,
  moveParcel,
  news,
  PAID_OUT,
  parcelOfSale,
  runCallBack,
} from "../testing/parcels.ts";
import type { Sale } from "../testing/sales.ts";
import { confirmReceived } from "./buyer.ts";

const received = (sale: Sale) => {
  const headers = { "idempotency-key": `has-${sale.number}` };
  const path = `/api/buyer/orders/${sale.orderId}/received`;
  return api(path, { method: "POST", token: sale.buyer.token, headers });
};

/** A parcel that the courier was asked to fetch, and of which nobody has said anything for a month. */
async function unheardOf(): Promise<Sale> {
  const sale = await handedOver();
  await news(sale, "processed", "processed_packages");
  await monthPasses(sale);
  await courierDial(sale.number, { cancelDelayMs: 1 });
  return sale;
}

/** Its job may have met a busy courier and wait for hours: they pass. */
async function statusAtCourier(sale: Sale): Promise<number | undefined> {
  await runCallBack(sale);
  return (await atCourier(sale))?.status_code;
}

const FEE_TO_SELLER = { seller: 47_500 + 18_000, escrow: 0 };

describe("a buyer's word that he has a parcel which was given up", () => {
  it("calls its waiting pickup back at the courier, and pays the seller once", async () => {
    const sale = await unheardOf();
    for (let click = 0; click < 2; click += 1) {
      const { status, body } = await received(sale);
      expect([status, body.error]).toEqual([200, null]);
    }
    await expect.poll(() => statusAtCourier(sale)).toBe(300);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "delivered", status: "delivered" });
    expect(await moneyOf(sale)).toEqual(FEE_TO_SELLER);
  });

  it("also where the waybill is only known once the courier is asked", async () => {
    const sale = await handedOver();
    await monthPasses(sale);
    await moveParcel(sale, "processed");
    await courierDial(sale.number, { cancelDelayMs: 1 });
    expect((await received(sale)).status).toBe(200);
    await expect.poll(() => statusAtCourier(sale)).toBe(300);
    expect(await moneyOf(sale)).toEqual(FEE_TO_SELLER);
  });

  it("leaves the courier his fee who has fetched it, though nobody told us", async () => {
    const sale = await unheardOf();
    await moveParcel(sale, "shipped");
    expect((await received(sale)).status).toBe(200);
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
    expect((await atCourier(sale))?.status_code).toBe(106);
  });

  it("counts where the courier then says that he never came, or nothing at all", async () => {
    const [cancelled, silent] = [await unheardOf(), await unheardOf()];
    await moveParcel(cancelled, "canceled");
    expect((await received(cancelled)).status).toBe(200);
    await courierDial(silent.number, { refuse: 503 });
    await confirmReceived({ ...courierContext(), actor: silent.buyer }, silent.orderId);
    for (const sale of [cancelled, silent]) expect(await moneyOf(sale)).toEqual(FEE_TO_SELLER);
  });

  it("is not taken of a parcel that still waits and was not given up", async () => {
    const sale = await handedOver();
    const { status, body } = await received(sale);
    expect([status, body.error]).toEqual([409, "Pesanan ini belum dikirim"]);
    expect((await atCourier(sale))?.status_code).toBeLessThan(300);
  });
});
