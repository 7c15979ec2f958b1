import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { COURIER_AREA, DESTINATION_AREA } from "../../testing/orders.ts";
import { shipOrder } from "../orders/seller.ts";
import { run } from "../testing/catalogue.ts";
import {
  atCourier,
  courierContext,
  courierDial,
  handOver,
  parcelOfSale,
  pickupJob,
  runPickup,
} from "../testing/parcels.ts";
import {
  dyingContext,
  jobsOf,
  type Kill,
  openShop,
  type Sale,
  type Shop,
  sell,
  settle,
  takeIn,
} from "../testing/sales.ts";
import { signQuote } from "./quotes.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

async function paidSale(own = shop): Promise<Sale> {
  const sale = await sell(own);
  await settle(sale);
  return sale;
}

const PICKUP = "/request_pickup";
const TRACKING = "/tracking";

describe("the pickup of a paid order", () => {
  it("is asked for with the order's own parcel, and the order is in process", async () => {
    const sale = await paidSale();
    expect(await runPickup(sale)).toBe("success");
    expect(await parcelOfSale(sale)).toMatchObject({
      order: "processing",
      status: "pending",
      requested: true,
    });
    expect((await atCourier(sale))?.given).toMatchObject({
      order_id: sale.number,
      destination_name: "Pembeli Uji",
      destination_kecamatan_id: Number(DESTINATION_AREA),
      weight: 700,
      // The box that the rate was asked for: couriers count volume too.
      length: 1,
      width: 1,
      height: 1,
      qty: 2,
      item_value: 50_000,
      shipping_cost: 18_000,
      service: "jne",
      service_type: "REG23",
      cod: 0,
    });
  });

  it("is asked for once, however often and however many at once run it", async () => {
    const sale = await paidSale();
    await courierDial(sale.number, { repeatOrder: true });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => runPickup(sale)));
    expect(outcomes.filter((outcome) => outcome !== "skipped")).toEqual(["success"]);
    const parcel = await atCourier(sale);
    expect(await runPickup(sale, courierContext(), true)).toBe("skipped");
    expect((await atCourier(sale))?.kj_order_id).toBe(parcel?.kj_order_id);
  });

  it("is found by asking when the courier took it and its answer was lost", async () => {
    const sale = await paidSale();
    await courierDial(sale.number, { timeOut: { count: 1 }, repeatOrder: true }, PICKUP);
    expect(await runPickup(sale, courierContext(300))).toBe("unknown");
    const parcel = await atCourier(sale);
    expect(parcel).not.toBeNull();
    expect(await runPickup(sale)).toBe("skipped");
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    expect((await atCourier(sale))?.kj_order_id).toBe(parcel?.kj_order_id);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", requested: true });
  });

  it("is known by the courier's own news when that overtakes the lost answer", async () => {
    const sale = await paidSale();
    await courierDial(sale.number, { timeOut: { count: 1 }, repeatOrder: true }, PICKUP);
    expect(await runPickup(sale, courierContext(300))).toBe("unknown");
    const body = { method: "processed_packages", data: [{ order_id: sale.number }] };
    await takeIn("kiriminaja", JSON.stringify(body));
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", requested: true });
    const parcel = await atCourier(sale);
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    expect((await atCourier(sale))?.kj_order_id).toBe(parcel?.kj_order_id);
  });

  it("is asked for again after an outage that took nothing", async () => {
    const sale = await paidSale();
    await courierDial(sale.number, { refuse: { value: 503, count: 1 } }, PICKUP);
    expect(await runPickup(sale)).toBe("unknown");
    expect(await atCourier(sale)).toBeNull();
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    expect(await atCourier(sale)).not.toBeNull();
  });

  it.each([403, 404, 422, 503])(
    "is not asked for a second time while the courier's answer about it is a bare %i",
    async (status) => {
      const sale = await paidSale();
      await courierDial(sale.number, { refuse: { value: 503, count: 1 } }, PICKUP);
      expect(await runPickup(sale)).toBe("unknown");
      await courierDial(sale.number, { refuse: status }, TRACKING);
      expect(await runPickup(sale, courierContext(), true)).toBe("unknown");
      expect(await atCourier(sale)).toBeNull();
      await courierDial(sale.number, {}, TRACKING);
      expect(await runPickup(sale, courierContext(), true)).toBe("success");
    },
  );

  /** The claim, the parcel, the record, the end of the job. */
  const deaths = [0, 1, 2, 3].flatMap((at) => [[at, "before"] as const, [at, "after"] as const]);
  it.each<readonly [number, Kill]>(deaths)(
    "is one parcel when the Worker dies at its call %i of the database, %s it runs",
    async (at, kill) => {
      const sale = await paidSale();
      await courierDial(sale.number, { repeatOrder: true });
      await runPickup(sale, dyingContext(courierContext(), at, kill).ctx).catch(() => undefined);
      const parcel = await atCourier(sale);
      await runPickup(sale, courierContext(), true);
      expect(await pickupJob(sale)).toMatchObject({ state: "success" });
      expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", requested: true });
      const now = await atCourier(sale);
      expect(now).not.toBeNull();
      if (parcel) expect(now?.kj_order_id).toBe(parcel.kj_order_id);
    },
  );
});

describe("a pickup that cannot be", () => {
  const told = ["alert/pickup-refused", "pickup_refused"];
  const tellings = async (sale: Sale) =>
    (await jobsOf(sale))
      .map((key) => key.replace(/^mail\/(.*)\/\*.*$/, "$1"))
      .filter((key) => told.includes(key));

  it("for a store without an address is told once to seller and operator, and made up for when it has one", async () => {
    const own = await openShop();
    const sale = await paidSale(own);
    await run(
      sql`update market_stores set phone = null, address = null where id = ${own.store.id}`,
    );
    expect(await runPickup(sale)).toBe("queued");
    expect(await runPickup(sale, courierContext(), true)).toBe("queued");
    expect(await tellings(sale)).toEqual(told);
    expect((await pickupJob(sale)).error).toBe("toko tanpa nomor telepon, alamat");
    await run(sql`update market_stores set phone = '081234567890', address = 'Jl. Merdeka No. 12, Blitar'
      where id = ${own.store.id}`);
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing" });
  });

  it("by a courier who goes by the map waits until the store is on it", async () => {
    const own = await openShop();
    const quote = {
      storeId: own.store.id,
      originAreaId: COURIER_AREA,
      destinationAreaId: DESTINATION_AREA,
      weightGram: 50_000,
      priceIdr: 18_000,
      courierCode: "lion",
      courierName: "Lion Parcel",
      serviceCode: "REGPACK",
      serviceName: "Lion REGPACK",
      duration: "2-3",
      type: "regular",
    };
    const sale = await sell(own, { courier: await signQuote(testContext(), quote) });
    await settle(sale);
    expect(await runPickup(sale)).toBe("queued");
    expect((await pickupJob(sale)).error).toBe("toko tanpa titik lokasi di peta");
    await run(
      sql`update market_stores set lat = -8.0954, lng = 112.1609 where id = ${own.store.id}`,
    );
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    expect((await atCourier(sale))?.given).toMatchObject({ service: "lion" });
  });

  it("by the courier's refusal is told, and ends when the seller sends the parcel himself", async () => {
    const quote = {
      storeId: shop.store.id,
      originAreaId: COURIER_AREA,
      destinationAreaId: DESTINATION_AREA,
      weightGram: 50_000,
      priceIdr: 18_000,
      courierCode: "jne",
      courierName: "JNE",
      serviceCode: "GONE99",
      serviceName: "Sudah tidak ada",
      duration: "2-3",
      type: "regular",
    };
    const sale = await sell(shop, { courier: await signQuote(testContext(), quote) });
    await settle(sale);
    const phoneOf = (phone: string | null) =>
      run(sql`update market_stores set phone = ${phone} where id = ${shop.store.id}`);
    await phoneOf(null);
    expect(await runPickup(sale)).toBe("queued");
    expect(await tellings(sale)).toEqual(told);
    await phoneOf("081234567890");
    // What is mended shows what else is wrong: each is told, once.
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await runPickup(sale, courierContext(), true)).toBe("queued");
      expect(await pickupJob(sale)).toMatchObject({ error: "kiriminaja invalid 422" });
    }
    expect((await tellings(sale)).toSorted()).toEqual([...told, ...told].toSorted());
    const input = { order_id: sale.orderId, courier: "pos", tracking_code: "POS12345" };
    const ctx = { ...courierContext(), actor: sale.seller };
    await shipOrder(ctx, { ...input, status: "in_transit" });
    expect(await runPickup(sale, courierContext(), true)).toBe("success");
    expect(await atCourier(sale)).toBeNull();
  });

  it("because its bill is unpaid is told to the operator, since the courier waits for the money", async () => {
    const sale = await sell(shop);
    await courierDial(sale.number, { prepaid: true });
    await handOver(sale);
    expect(await parcelOfSale(sale)).toMatchObject({ order: "processing", tracking: null });
    expect(await jobsOf(sale)).toContain("mail/alert/pickup-unpaid/*");
  });

  it("is not asked for once the order needs none", async () => {
    const sale = await paidSale();
    await run(sql`update market_orders set status = 'refunded' where id = ${sale.orderId}`);
    expect(await runPickup(sale)).toBe("success");
    expect(await atCourier(sale)).toBeNull();
  });
});
