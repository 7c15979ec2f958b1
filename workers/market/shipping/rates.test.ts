import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createProduct, createUser } from "../../testing/factories.ts";
import { COURIER_AREA, DESTINATION_AREA, order, readStock } from "../../testing/orders.ts";
import { failure, refusesStrangers, run } from "../testing/catalogue.ts";
import { courierContext, courierDial } from "../testing/parcels.ts";
import { openShop, type Shop } from "../testing/sales.ts";
import { listRates } from "./rates.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

const ratesOf = (fields: Record<string, string | number> = {}, token = shop.buyer.token) => {
  const query = new URLSearchParams({
    store_id: shop.store.id,
    destination_area_id: DESTINATION_AREA,
    weight: "700",
  });
  for (const [name, value] of Object.entries(fields)) query.set(name, String(value));
  return api(`/api/buyer/shipping?${query}`, { token });
};

describe("GET /api/buyer/shipping", () => {
  it("lists what couriers ask, cheapest first, in the contract's shape", async () => {
    const { status, body } = await ratesOf();
    expect([status, body.error]).toEqual([200, null]);
    expect(body.data.length).toBeGreaterThan(3);
    const prices = body.data.map(({ price }: { price: number }) => price);
    expect(prices).toEqual(prices.toSorted((a: number, b: number) => a - b));
    expect(body.data[0]).toEqual({
      id: expect.any(String),
      courier_code: expect.any(String),
      courier_name: expect.any(String),
      courier_service_code: expect.any(String),
      courier_service_name: expect.any(String),
      description: expect.any(String),
      duration: expect.any(String),
      price: expect.any(Number),
      type: expect.any(String),
    });
  });

  it("weighs the buyer's cart at this store when no weight is given", async () => {
    const buyer = await createUser();
    const heavy = await createProduct(shop.store, { weightGram: 4_000 });
    const empty = `/api/buyer/shipping?store_id=${shop.store.id}&destination_area_id=${DESTINATION_AREA}`;
    const nothing = await api(empty, { token: buyer.token });
    expect([nothing.status, nothing.body.data]).toEqual([400, null]);
    await api("/api/buyer/cart", {
      method: "POST",
      token: buyer.token,
      json: { product_id: heavy.id, quantity: 2 },
    });
    const cart = await api(empty, { token: buyer.token });
    const light = await ratesOf({ weight: 8_000 }, buyer.token);
    const prices = (answer: typeof cart) =>
      answer.body.data.map((rate: { price: number }) => rate.price);
    expect(prices(cart)).toEqual(prices(light));
  });

  it("offers the couriers that the store sends with", async () => {
    const own = await openShop();
    await run(
      sql`update market_stores set shipping_couriers = '{sicepat}' where id = ${own.store.id}`,
    );
    const { body } = await ratesOf({ store_id: own.store.id });
    expect(new Set(body.data.map((rate: { courier_code: string }) => rate.courier_code))).toEqual(
      new Set(["sicepat"]),
    );
  });

  it("offers a courier who goes by the map only where the store is on it", async () => {
    const own = await openShop();
    const codes = async () => {
      const { body } = await ratesOf({ store_id: own.store.id });
      return body.data.map((rate: { courier_code: string }) => rate.courier_code);
    };
    expect(await codes()).not.toContain("lion");
    await run(
      sql`update market_stores set lat = -8.0954, lng = 112.1609 where id = ${own.store.id}`,
    );
    expect(await codes()).toContain("lion");
  });

  it.each(["phone", "address", "area_id"])("refuses a store without %s", async (field) => {
    const own = await openShop();
    await run(
      sql`update market_stores set ${sql.identifier(field)} = null where id = ${own.store.id}`,
    );
    const { status, body } = await ratesOf({ store_id: own.store.id });
    expect([status, body]).toEqual([409, failure("Toko belum mengatur alamat pengiriman", {})]);
    const product = await createProduct(own.store);
    const placed = await order(shop.buyer, own.store, [[product, 1]], {
      originAreaId: COURIER_AREA,
    });
    expect([placed.status, placed.body.error]).toEqual([
      409,
      "Toko belum mengatur alamat pengiriman",
    ]);
    expect(await readStock(product)).toMatchObject({ reserved: 0 });
  });

  it.each([
    ["an unknown district", { destination_area_id: "99999999" }, 400],
    ["a district that is no number", { destination_area_id: "jakarta" }, 400],
    ["SQL for a district", { destination_area_id: "1;drop table x" }, 400],
    ["an unknown store", { store_id: crypto.randomUUID() }, 404],
    ["a store that is no id", { store_id: "x" }, 400],
    ["no weight at all", { weight: 0 }, 400],
    ["more than a parcel", { weight: 1_000_001 }, 400],
    ["words for a weight", { weight: "berat" }, 400],
  ])("refuses %s in clear words", async (_, fields, expected) => {
    const { status, body } = await ratesOf(fields);
    expect([status, body]).toEqual([expected, failure(expect.any(String))]);
  });

  it("refuses strangers", async () => {
    await refusesStrangers(
      `/api/buyer/shipping?store_id=${shop.store.id}&destination_area_id=1`,
      {},
      "buyer",
    );
  });

  it.each([
    ["down", { refuse: 503 }],
    ["answering rubbish", { rubbish: true }],
    ["too slow", { delayMs: 1_500 }],
    ["refusing our key", { refuse: 401 }],
  ])("says so when the courier is %s", async (_, dials) => {
    // A weight of its own, so that the fault meets this request alone.
    const weight = 100_000 + Math.floor(Math.random() * 800_000);
    await courierDial(`"weight":${weight},`, dials);
    const ctx = { ...courierContext(300), actor: shop.buyer };
    await expect(
      listRates(ctx, {
        storeId: shop.store.id,
        destinationAreaId: DESTINATION_AREA,
        weightGram: weight,
      }),
    ).rejects.toMatchObject({
      code: "provider_unavailable",
      status: 503,
      message: "Layanan kurir sedang terganggu. Coba lagi sebentar lagi.",
    });
    await courierDial(`"weight":${weight},`);
  });
});

describe("GET /api/buyer/areas", () => {
  it("finds districts by name, for anybody", async () => {
    const { status, body } = await api("/api/buyer/areas?input=sananwetan");
    expect([status, body.data]).toEqual([
      200,
      [{ area_id: COURIER_AREA, name: "Sananwetan, Kota Blitar, Jawa Timur" }],
    ]);
    expect((await api("/api/buyer/areas?input=tidak-ada-sama-sekali")).body.data).toEqual([]);
  });

  it.each(["", "?input=", "?input=ab", `?input=${"x".repeat(61)}`, "?input=%00%00%00"])(
    "refuses %s",
    async (query) => {
      const { status, body } = await api(`/api/buyer/areas${query}`);
      expect([status, body]).toEqual([400, failure(expect.any(String))]);
    },
  );
});
