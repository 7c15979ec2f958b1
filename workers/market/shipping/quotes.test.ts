import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { api, testContext } from "../../testing/api.ts";
import { createProduct, createStore, createUser } from "../../testing/factories.ts";
import {
  COURIER_AREA,
  DESTINATION_AREA,
  order,
  orderBody,
  readOrder,
  readStock,
} from "../../testing/orders.ts";
import { failure, run } from "../testing/catalogue.ts";
import { courierDial } from "../testing/parcels.ts";
import { openShop, type Shop } from "../testing/sales.ts";
import { type Quote, signQuote } from "./quotes.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

describe("the rate of an order", () => {
  const quote = (changes: Partial<Quote> = {}): Quote => ({
    storeId: shop.store.id,
    originAreaId: COURIER_AREA,
    destinationAreaId: DESTINATION_AREA,
    weightGram: 50_000,
    priceIdr: 18_000,
    courierCode: "jne",
    courierName: "JNE",
    serviceCode: "REG23",
    serviceName: "Reguler",
    duration: "2-3",
    type: "regular",
    ...changes,
  });

  const place = async (courier: unknown, key?: string, product = createProduct(shop.store)) => {
    const goods = await product;
    const options = { courier, ...(key ? { key } : {}) };
    return { goods, answer: await order(shop.buyer, shop.store, [[goods, 1]], options) };
  };

  it("may be one that was shown", async () => {
    const shown = (
      await api(
        `/api/buyer/shipping?store_id=${shop.store.id}&destination_area_id=${DESTINATION_AREA}&weight=700`,
        { token: shop.buyer.token },
      )
    ).body.data[0];
    const { answer } = await place(shown.id);
    expect(answer.status).toBe(201);
    expect(await readOrder(answer.body.data.order_id)).toMatchObject({
      total: 25_000 + shown.price,
    });
  });

  it("may be a courier and service, which are priced now", async () => {
    const { goods, answer } = await place({ courier_code: "jne", courier_service_code: "REG23" });
    expect(answer.status).toBe(201);
    expect(await readOrder(answer.body.data.order_id)).toMatchObject({ total: 43_000 });
    expect(await readStock(goods)).toMatchObject({ reserved: 1 });
  });

  it.each([
    ["a service that does not go there", { courier_code: "jne", courier_service_code: "NOPE" }],
    ["an unknown courier", { courier_code: "burung", courier_service_code: "REG23" }],
    ["a made-up id", "eyJwcmljZUlkciI6MH0.forged"],
    ["an id of nothing", "x"],
    ["an empty one", ""],
    ["a number", 1],
    ["none", null],
  ])("may not be %s", async (_, courier) => {
    const goods = await createProduct(shop.store);
    const json = { ...(await orderBody(shop.store, [[goods, 1]])), courier };
    const answer = await api("/api/buyer/orders", {
      method: "POST",
      token: shop.buyer.token,
      json,
    });
    expect([answer.status, answer.body]).toEqual([400, failure(expect.any(String))]);
    expect(await readStock(goods)).toMatchObject({ reserved: 0 });
  });

  it("may not be one whose price was altered", async () => {
    const [body = "", signature = ""] = (await signQuote(testContext(), quote())).split(".");
    const cheaper = btoa(atob(body).replace("18000", "10000")).replace(/=+$/, "");
    const { answer } = await place(`${cheaper}.${signature}`);
    expect([answer.status, answer.body.data]).toEqual([400, null]);
  });

  it.each([
    ["of another store", { storeId: crypto.randomUUID() }],
    ["from where the store is no more", { originAreaId: "1000" }],
    ["to another district", { destinationAreaId: "1140" }],
    ["for a lighter parcel", { weightGram: 349 }],
  ])("may not be one %s", async (_, changes) => {
    const { goods, answer } = await place(await signQuote(testContext(), quote(changes)));
    expect([answer.status, answer.body]).toEqual([409, failure(expect.any(String), {})]);
    expect(await readStock(goods)).toMatchObject({ reserved: 0 });
  });

  it("may not be one of a courier that the store hands nothing any more", async () => {
    const { store } = await openShop();
    const goods = await createProduct(store);
    const courier = await signQuote(testContext(), quote({ storeId: store.id }));
    const take = (couriers: string) =>
      run(
        sql`update market_stores set shipping_couriers = ${couriers}::text[] where id = ${store.id}`,
      );
    await take("{jne}");
    const listed = await order(shop.buyer, store, [[goods, 1]], { courier });
    expect([listed.status, listed.body.error]).toEqual([201, null]);
    await take("{jnt,sicepat}");
    const answer = await order(shop.buyer, store, [[goods, 1]], { courier });
    expect([answer.status, answer.body]).toEqual([
      409,
      failure("Kurir ini tidak lagi dilayani toko. Silakan hitung ulang ongkos kirim.", {}),
    ]);
    expect(await readStock(goods)).toMatchObject({ reserved: 1 });
  });

  it("may not be one that was shown too long ago, save for the repeat of an order that was in time", async () => {
    const ago = (minutes: number) => ({
      ...testContext(),
      now: () => new Date(Date.now() - minutes * 60_000),
    });
    const old = await place(await signQuote(ago(121), quote()));
    expect([old.answer.status, old.answer.body.error]).toEqual([
      409,
      "Ongkos kirim sudah kedaluwarsa. Silakan hitung ulang.",
    ]);
    expect((await place(await signQuote(ago(119), quote()))).answer.status).toBe(201);
  });

  it("is not asked for again when an order is repeated", async () => {
    const key = crypto.randomUUID();
    // A weight of its own, so that the fault meets this order's rates alone.
    const weightGram = 100_000 + Math.floor(Math.random() * 800_000);
    const goods = createProduct(shop.store, { weightGram });
    const courier = { courier_code: "jne", courier_service_code: "REG23" };
    const first = await place(courier, key, goods);
    expect(first.answer.status).toBe(201);
    await courierDial(`"weight":${weightGram},`, { refuse: 503 });
    const again = await place(courier, key, goods);
    expect([again.answer.status, again.answer.body.data.order_id]).toEqual([
      201,
      first.answer.body.data.order_id,
    ]);
    const other = await place({ ...courier, courier_service_code: "YES23" }, key, goods);
    expect(other.answer.status).toBe(422);
    await courierDial(`"weight":${weightGram},`);
  });

  it("is refused for more than a parcel may weigh, not broken by it", async () => {
    const goods = await createProduct(shop.store, { weightGram: 1_000_000, stock: 1_000_000 });
    for (const courier of [
      { courier_code: "jne", courier_service_code: "REG23" },
      await signQuote(testContext(), quote({ weightGram: 1_000_000 })),
    ]) {
      const answer = await order(shop.buyer, shop.store, [[goods, 999]], { courier });
      expect([answer.status, answer.body.error]).toEqual([400, "Berat pesanan melebihi 1.000 kg"]);
    }
    const many = await order(
      shop.buyer,
      shop.store,
      [
        [goods, 999],
        [goods, 999],
      ],
      { courier: "x" },
    );
    expect([many.status, many.body.error]).toEqual([
      400,
      "items: Paling banyak 999 dari satu produk",
    ]);
  });

  it("holds for one product however its id is written", async () => {
    const goods = await createProduct(shop.store);
    const shouted = { ...goods, id: goods.id.toUpperCase() };
    const courier = await signQuote(testContext(), quote());
    const answer = await order(
      shop.buyer,
      shop.store,
      [
        [goods, 1],
        [shouted, 2],
      ],
      { courier },
    );
    expect(answer.status).toBe(201);
    expect(await readStock(goods)).toEqual({ stock: 10, reserved: 3 });
  });

  it("is refused for products of another store, in the same words as for missing ones", async () => {
    const other = await createProduct(await createStore(await createUser(["seller"])));
    const missing = { ...other, id: crypto.randomUUID() };
    for (const goods of [other, missing]) {
      const courier = { courier_code: "jne", courier_service_code: "REG23" };
      const answer = await order(shop.buyer, shop.store, [[goods, 1]], { courier });
      expect([answer.status, answer.body.error]).toEqual([
        404,
        "Produk tidak ditemukan di toko ini",
      ]);
    }
  });
});
