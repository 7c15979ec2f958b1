import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { createKiriminAja } from "../../../shared/providers/kiriminaja.ts";
import { createMidtrans } from "../../../shared/providers/midtrans.ts";
import { api, settleBackground, standIns, testContext } from "../../testing/api.ts";
import {
  createProduct,
  createUser,
  type TestProduct,
  type TestUser,
} from "../../testing/factories.ts";
import {
  COURIER_AREA,
  DESTINATION_AREA,
  order,
  orderBody,
  readOrder,
  readStock,
} from "../../testing/orders.ts";
import { placeOrder } from "../orders/checkout.ts";
import { CheckoutInput } from "../schemas/orders.ts";
import { failure, run } from "../testing/catalogue.ts";
import { courierDial } from "../testing/parcels.ts";
import { openShop, quietContext, type Shop } from "../testing/sales.ts";
import { listRates } from "./rates.ts";
import { purgeShownQuotes } from "./shown-quotes.ts";

const BY_NAME = { courier_code: "jne", courier_service_code: "REG23" };
const GOODS = 25_000;
/** What the courier twin asks for one piece, and what nobody asks. */
const ASKED = 18_000;
const SHOWN = 7;

let shop: Shop;
let product: TestProduct;

beforeAll(async () => {
  shop = await openShop();
});

beforeEach(async () => {
  product = await createProduct(shop.store);
});

/** Writes what the buyer was shown, at a price by which an order that takes it is known. */
async function show(changes: Partial<Record<"store" | "from" | "to", string>> = {}, row = {}) {
  const { buyer, weight, price, minutes } = {
    buyer: shop.buyer.userId,
    weight: 350,
    price: SHOWN,
    minutes: 1,
    ...row,
  };
  const { store = shop.store.id, from = COURIER_AREA, to = DESTINATION_AREA } = changes;
  const rate = {
    courier_name: "JNE",
    courier_service_name: "Reguler",
    duration: "2",
    type: "regular",
  };
  const rates = JSON.stringify([
    { ...rate, ...BY_NAME, courier_service_code: "YES23", price: 3 },
    { ...rate, ...BY_NAME, price },
  ]);
  await run(sql`insert into market_shipping_quotes
      (buyer_id, store_id, origin_area_id, destination_area_id, weight_gram, rates, expires_at)
    values (${buyer}, ${store}, ${from}, ${to}, ${weight}, ${rates}::jsonb, now() + make_interval(mins => ${minutes}))`);
}

/** A buyer of his own, so that no other test's showing is his. */
async function newBuyer(): Promise<TestUser> {
  const buyer = await createUser();
  shop = { ...shop, buyer };
  return buyer;
}

async function shippingOf(orderId: string): Promise<number> {
  return (await readOrder(orderId)).total - GOODS;
}

async function place(courier: unknown = BY_NAME, key?: string) {
  return await order(shop.buyer, shop.store, [[product, 1]], { courier, ...(key ? { key } : {}) });
}

/** Where a checkout asks outside: by that time so many round trips have been made. */
function watched(ctx: Ctx) {
  const asked: { courier: number; tripsBefore: number[] } = { courier: 0, tripsBefore: [] };
  const { config } = ctx;
  const patient = { timeoutMs: 5_000, sleep: async () => undefined };
  const kiriminaja = createKiriminAja({
    ...patient,
    apiKey: config.KIRIMINAJA_API_KEY,
    baseUrl: config.KIRIMINAJA_URL,
    fetch: (input, init) => {
      asked.courier += 1;
      return fetch(input, init);
    },
  });
  const midtrans = createMidtrans({
    ...patient,
    serverKey: config.MIDTRANS_SERVER_KEY,
    coreUrl: config.MIDTRANS_CORE_URL,
    snapUrl: config.MIDTRANS_SNAP_URL,
    fetch: async (input, init) => {
      asked.tripsBefore.push(await tripsOf(ctx));
      return await fetch(input, init);
    },
  });
  return { ctx: { ...ctx, providers: { ...ctx.providers, kiriminaja, midtrans } }, asked };
}

/** Round trips that the database's endpoint has counted for a request. */
async function tripsOf({ requestId }: Ctx): Promise<number> {
  const answer = await fetch(`${standIns().databaseHttpUrl}/_counts?request_id=${requestId}`);
  return z.object({ count: z.number() }).parse(await answer.json()).count;
}

describe("a checkout by rates that were shown", () => {
  async function shownRates() {
    const ctx = { ...quietContext(), actor: await newBuyer() };
    const rates = await listRates(ctx, {
      storeId: shop.store.id,
      destinationAreaId: DESTINATION_AREA,
      weightGram: 350,
    });
    await settleBackground();
    expect(await tripsOf(ctx)).toBe(2);
    const rate = rates.find(({ courier_service_code: code }) => code === "REG23");
    if (!rate) throw new Error("JNE does not go there");
    return rate;
  }

  it.each(["its id", "courier and service"])(
    "named by %s is one database round trip and no question to the courier before the payment is asked for",
    async (form) => {
      const rate = await shownRates();
      const { id, courier_code, courier_service_code } = rate;
      const courier = form === "its id" ? id : { courier_code, courier_service_code };
      const input = CheckoutInput.parse(await orderBody(shop.store, [[product, 1]], { courier }));
      const { ctx, asked } = watched({ ...quietContext(), actor: shop.buyer });
      const placed = await placeOrder(ctx, input, crypto.randomUUID());
      expect(placed.qr_code).toEqual(expect.any(String));
      expect(asked).toEqual({ courier: 0, tripsBefore: [1, 1] });
      await settleBackground();
      // The other one keeps the provider's answer, behind ours.
      expect(await tripsOf(ctx)).toBe(2);
      expect(await shippingOf(placed.order_id)).toBe(rate.price);
    },
  );

  it("named without having been shown asks the courier and the database once more", async () => {
    const buyer = await newBuyer();
    const input = CheckoutInput.parse(
      await orderBody(shop.store, [[product, 1]], { courier: BY_NAME }),
    );
    const { ctx, asked } = watched({ ...quietContext(), actor: buyer });
    const placed = await placeOrder(ctx, input);
    expect(asked).toEqual({ courier: 1, tripsBefore: [2, 2] });
    expect(await shippingOf(placed.order_id)).toBe(ASKED);
  });

  it("right behind the answer that showed them is an order at the same price, kept or not yet", async () => {
    const buyer = await newBuyer();
    const query = `store_id=${shop.store.id}&destination_area_id=${DESTINATION_AREA}&weight=350`;
    const shown = await api(`/api/buyer/shipping?${query}`, { token: buyer.token });
    const answer = await place();
    const { price } = shown.body.data.find(
      (rate: { courier_service_code: string }) => rate.courier_service_code === "REG23",
    );
    expect(await shippingOf(answer.body.data.order_id)).toBe(price);
  });
});

describe("the rate that was shown", () => {
  beforeEach(newBuyer);

  it("is what an order by courier and service costs, whatever price its body claims", async () => {
    await show();
    const answer = await place({ ...BY_NAME, price: 1 });
    expect(answer.status).toBe(201);
    expect(await shippingOf(answer.body.data.order_id)).toBe(SHOWN);
    const path = `/api/buyer/orders/${answer.body.data.order_id}`;
    const { body } = await api(path, { token: shop.buyer.token });
    expect(body.data.courier).toEqual({
      ...BY_NAME,
      courier_name: "JNE",
      courier_service_name: "Reguler",
      duration: "2",
      type: "regular",
    });
  });

  it("is that of a parcel of the order's own weight", async () => {
    await show({}, { weight: 349, price: 1 });
    await show({}, { weight: 351, price: 2 });
    await show();
    expect(await shippingOf((await place()).body.data.order_id)).toBe(SHOWN);
  });

  it.each([
    ["to somebody else", {}, { buyer: 1 }],
    ["of another store", { store: crypto.randomUUID() }, {}],
    ["from where the store is no more", { from: "1000" }, {}],
    ["to another district", { to: "1140" }, {}],
    ["for a lighter parcel", {}, { weight: 349 }],
    ["for a heavier parcel", {}, { weight: 20_000, price: 320_000 }],
    ["too long ago", {}, { minutes: -1 }],
  ])("is not taken when it was one %s: the courier is asked", async (_, changes, row) => {
    await show(changes, row);
    const answer = await place();
    expect(answer.status).toBe(201);
    expect(await shippingOf(answer.body.data.order_id)).toBe(ASKED);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 1 });
  });

  it("is refused, as one that is out of date, once the store hands that courier nothing any more", async () => {
    await show();
    const take = (couriers: string) =>
      run(
        sql`update market_stores set shipping_couriers = ${couriers}::text[] where id = ${shop.store.id}`,
      );
    await take("{jne,sicepat}");
    expect((await place()).status).toBe(201);
    await take("{sicepat}");
    const answer = await place();
    await take("{}");
    expect([answer.status, answer.body]).toEqual([
      409,
      failure("Kurir ini tidak lagi dilayani toko. Silakan hitung ulang ongkos kirim.", {}),
    ]);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 1 });
  });

  it("is forgotten within the hour after it ran out, and not before", async () => {
    await show({}, { weight: 350, minutes: -1 });
    await show({}, { weight: 351 });
    await purgeShownQuotes(testContext());
    const left = await testContext().db.run(
      rows(
        sql`select weight_gram from market_shipping_quotes where buyer_id = ${shop.buyer.userId}`,
        z.object({ weight_gram: z.number() }),
      ),
    );
    expect(left).toEqual([{ weight_gram: 351 }]);
  });
});

describe("a courier and service that were not shown", () => {
  beforeEach(newBuyer);

  it("claim no key and hold nothing until the courier has answered", async () => {
    // A weight of its own, so that the fault meets this order alone.
    const weightGram = 100_000 + Math.floor(Math.random() * 800_000);
    product = await createProduct(shop.store, { weightGram });
    const key = crypto.randomUUID();
    await courierDial(`"weight":${weightGram},`, { refuse: 503 });
    const down = await place(BY_NAME, key);
    expect([down.status, down.body]).toEqual([503, failure(expect.any(String))]);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
    await courierDial(`"weight":${weightGram},`);
    expect((await place(BY_NAME, key)).status).toBe(201);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 1 });
  });

  it("make one order of many clicks at once", async () => {
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => place(BY_NAME, key)));
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    const again = await place(BY_NAME, key);
    const orders = [...answers, again].filter(({ status }) => status === 201);
    expect(new Set(orders.map(({ body }) => body.data.order_id)).size).toBe(1);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 1 });
  });
});
