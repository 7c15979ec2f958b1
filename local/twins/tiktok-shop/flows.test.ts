import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../testing/receiver.ts";
import { pushSign } from "./signature.ts";
import {
  appKey,
  appSecret,
  type Seller,
  startTiktok,
  type Tiktok,
  warehouseId,
} from "./testing.ts";

let tiktok: Tiktok;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  tiktok = await startTiktok({ pushUrl: receiver.url });
});
afterAll(async () => {
  await tiktok.stop();
  await receiver.stop();
});

const products = "/product/202309/products";
const find = async (seller: Seller, sku: string) => {
  const input = { seller, query: { page_size: "10" }, body: { seller_skus: [sku] } };
  return (await tiktok.ask("POST", "/product/202502/products/search", input)).body.data.products;
};

describe("a product", () => {
  it("is looked at before it is live, and the seller is told", async () => {
    const seller = await tiktok.seller();
    await tiktok.dial(seller.shopId, { reviewMs: 5 });
    const body = await tiktok.product(seller, { idempotency_key: "same" });
    const make = () => tiktok.ask("POST", products, { seller, body });
    const { product_id: id } = (await make()).body.data;
    const [push] = await receiver.until(1, ({ body: one }) => one.data.product_id === id);
    expect(push?.body).toMatchObject({ type: 5, shop_id: seller.shopId });
    expect((await find(seller, "KOPI-1"))[0]).toMatchObject({
      id,
      status: "ACTIVATE",
      integrated_platform_statuses: [{ platform: "TOKOPEDIA" }],
    });
    await make();
    expect(await find(seller, "KOPI-1")).toHaveLength(2);
  });

  it("takes prices and stock; what fails is listed under a success", async () => {
    const seller = await tiktok.seller();
    const { id, skuId } = await tiktok.create(seller, "A");
    const inventory = (quantity: number) => [{ warehouse_id: warehouseId, quantity }];
    const stock = (skus: unknown[]) =>
      tiktok.ask("POST", `${products}/${id}/inventory/update`, { seller, body: { skus } });
    const { body } = await stock([
      { id: skuId, inventory: inventory(4) },
      { id: "1", inventory: inventory(4) },
    ]);
    expect(body).toMatchObject({ code: 0, data: { errors: [{ detail: { sku_id: "1" } }] } });
    const much = await stock([{ id: skuId, inventory: inventory(100_000) }]);
    expect(much.body.data.errors).toHaveLength(1);
    const price = { amount: "50000", currency: "IDR" };
    const input = { seller, body: { skus: [{ id: skuId, price }] } };
    expect((await tiktok.ask("POST", `${products}/${id}/prices/update`, input)).body).toMatchObject(
      { code: 0, data: {} },
    );
    expect((await find(seller, "A"))[0].skus[0]).toMatchObject({
      price: { sale_price: "50000" },
      inventory: [{ quantity: 4 }],
    });
  });

  it("is hidden twenty at a time, and each stands alone", async () => {
    const seller = await tiktok.seller();
    const made = [await tiktok.create(seller, "B-1"), await tiktok.create(seller, "B-2")];
    await tiktok.dial(seller.shopId, { halfBatch: { path: "/products/deactivate" } });
    const ids = made.map(({ id }) => id);
    const away = (product_ids: string[]) =>
      tiktok.ask("POST", `${products}/deactivate`, {
        seller,
        body: { product_ids, listing_platforms: ["TOKOPEDIA"] },
      });
    const many = Array.from({ length: 21 }, () => "1");
    expect((await away(many)).body.code).not.toBe(0);
    await tiktok.dial(seller.shopId, { halfBatch: true });
    expect((await away(ids)).body).toMatchObject({
      code: 0,
      data: { errors: [{ detail: { product_id: ids[1] } }] },
    });
    expect((await find(seller, "B-1"))[0].status).toBe("SELLER_DEACTIVATED");
    expect((await find(seller, "B-2"))[0].status).not.toBe("SELLER_DEACTIVATED");
  });

  it("of somebody else is named as such", async () => {
    const { id } = await tiktok.create(await tiktok.seller(), "C");
    const seller = await tiktok.seller();
    const answer = await tiktok.ask("POST", `${products}/${id}/partial_edit`, { seller, body: {} });
    expect(answer.body.code).toBe(12_052_048);
  });

  it("keeps by a partial edit what is not sent", async () => {
    const seller = await tiktok.seller();
    const { id } = await tiktok.create(seller, "D");
    const title = "Kopi Arabika Kelud bubuk kasar 250 gram";
    const answer = await tiktok.ask("POST", `${products}/${id}/partial_edit`, {
      seller,
      body: { title },
    });
    expect(answer.body.code).toBe(0);
    expect((await find(seller, "D"))[0]).toMatchObject({
      title,
      skus: [{ inventory: [{ quantity: 10 }] }],
    });
  });
});

describe("an order", () => {
  it("is pushed signed with a notification id that a repeat keeps", async () => {
    const seller = await tiktok.seller();
    await tiktok.create(seller, "E");
    await tiktok.dial(seller.shopId, { duplicate: true });
    const { body: order } = await tiktok.hand("buy", {
      shop_id: seller.shopId,
      seller_sku: "E",
      quantity: 2,
    });
    const pushes = await receiver.until(2, ({ body }) => body.data.order_id === order.id);
    const [first, second] = pushes;
    expect(first?.headers.authorization).toBe(pushSign(appSecret, appKey, first?.raw ?? ""));
    expect(first?.body).toMatchObject({
      type: 1,
      shop_id: seller.shopId,
      data: { order_status: "AWAITING_SHIPMENT" },
    });
    expect(first?.body.tts_notification_id).toBe(second?.body.tts_notification_id);
    const one = await tiktok.ask("GET", "/order/202309/orders", {
      seller,
      query: { ids: order.id },
    });
    expect(
      one.body.data.orders[0].line_items.map((line: { seller_sku: string }) => line.seller_sku),
    ).toEqual(["E", "E"]);
    const other = await tiktok.seller();
    const hidden = await tiktok.ask("GET", "/order/202309/orders", {
      seller: other,
      query: { ids: order.id },
    });
    expect(hidden.body.data.orders).toEqual([]);
  });

  it("is listed page by page with a token that must be signed as it is", async () => {
    const seller = await tiktok.seller();
    await tiktok.create(seller, "F");
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      ids.push(
        (await tiktok.hand("buy", { shop_id: seller.shopId, seller_sku: "F", quantity: 1 })).body
          .id,
      );
    }
    const list = async (query: Record<string, string>) => {
      const path = "/order/202309/orders/search";
      const input = {
        seller,
        query: { page_size: "2", sort_order: "ASC", ...query },
        body: { create_time_ge: 0 },
      };
      return (await tiktok.ask("POST", path, input)).body;
    };
    const first = await list({});
    expect(first.data.orders.map((one: { id: string }) => one.id)).toEqual(ids.slice(0, 2));
    expect(first.data.next_page_token).toMatch(/[=/+]/);
    const rest = await list({ page_token: first.data.next_page_token });
    expect(rest.data).toMatchObject({ next_page_token: "", orders: [{ id: ids[2] }] });
    expect((await list({ page_size: "101" })).code).not.toBe(0);
  });
});

describe("limits and faults", () => {
  it("writes have a lower rate than reads, and the refusal says when to come back", async () => {
    const now = Date.now();
    const slow = await startTiktok({ callsPerSecond: 2, keepPushes: true, clock: () => now });
    const seller = await slow.seller();
    const read = () => slow.ask("GET", "/logistics/202309/warehouses", { seller });
    await read();
    const answer = await read();
    expect(answer).toMatchObject({ status: 429, body: { code: 36_009_002 } });
    expect(answer.headers.get("retry-after")).toBe("1");
    const body = { product_ids: ["1"] };
    const write = await slow.ask("POST", `${products}/deactivate`, { seller, body });
    expect(write.status).toBe(200);
    expect(slow.twin.market.platform.rates).toEqual({ write: 3, read: 10 });
    await slow.stop();
  });

  it("a create that fails inside 200 after it has acted has made its product", async () => {
    const seller = await tiktok.seller();
    await tiktok.dial(seller.shopId, {
      errorInside: { value: 36_009_003, acts: true, path: "/products" },
    });
    const body = await tiktok.product(seller);
    const answer = await tiktok.ask("POST", products, { seller, body });
    expect(answer).toMatchObject({ status: 200, body: { code: 36_009_003 } });
    await tiktok.dial(seller.shopId, { match: seller.shopId, path: "/products" });
    expect(await find(seller, "KOPI-1")).toHaveLength(1);
  });
});
