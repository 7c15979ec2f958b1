import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../testing/receiver.ts";
import { pushSign } from "./signature.ts";
import { appKey, appSecret, type Lazada, type Seller, startLazada } from "./testing.ts";

let lazada: Lazada;
let receiver: Receiver;
let seller: Seller;

beforeAll(async () => {
  receiver = await startReceiver();
  lazada = await startLazada({ pushUrl: receiver.url });
});
afterAll(async () => {
  await lazada.stop();
  await receiver.stop();
});

const change = (path: string, skus: unknown[]) => {
  const payload = JSON.stringify({ Request: { Product: { Skus: { Sku: skus } } } });
  return lazada.ask("POST", path, { seller, with: { payload } });
};
const find = async (sku: string) => {
  const query = { filter: "all", sku_seller_list: JSON.stringify([sku]) };
  return (await lazada.ask("GET", "/products/get", { seller, with: query })).body.data.products;
};

describe("prices and stock", () => {
  it("change SKU by SKU: what cannot is told of in the detail, the rest is done", async () => {
    seller = await lazada.seller();
    const { itemId, skuId } = await lazada.create(seller, "A-1");
    const good = { ItemId: itemId, SkuId: skuId, SellerSku: "A-1", Price: "50000", Quantity: "7" };
    const answer = await change("/product/price_quantity/update", [good, { ...good, SkuId: 1 }]);
    expect(answer).toMatchObject({ status: 200, body: { code: "501" } });
    expect(answer.body.detail).toEqual([expect.objectContaining({ sku_id: "1" })]);
    expect((await find("A-1"))[0].skus[0]).toMatchObject({ price: 50_000, quantity: 7 });
  });

  it("count what open orders hold in Quantity, and not in SellableQuantity", async () => {
    seller = await lazada.seller();
    const { itemId, skuId } = await lazada.create(seller, "B-1");
    await lazada.hand("buy", { shop_id: seller.shopId, seller_sku: "B-1", quantity: 4 });
    const one = { ItemId: itemId, SkuId: skuId };
    const set = (quantity: number) =>
      change("/product/price_quantity/update", [{ ...one, Quantity: String(quantity) }]);
    expect((await set(3)).body.code).toBe("501");
    expect((await set(6)).body.code).toBe("0");
    const stock = async () => (await find("B-1"))[0].skus[0].multiWarehouseInventories[0];
    expect(await stock()).toMatchObject({ occupyQuantity: 4, sellableQuantity: 2 });
    const sellable = await change("/product/stock/sellable/update", [
      { ...one, SellableQuantity: "6" },
    ]);
    expect(sellable.body.code).toBe("0");
    expect(await stock()).toMatchObject({ totalQuantity: 10, sellableQuantity: 6 });
  });

  it("of more than fifty SKUs are refused as a whole", async () => {
    seller = await lazada.seller();
    const many = Array.from({ length: 51 }, () => ({ ItemId: 1, SkuId: 1, Quantity: "1" }));
    expect((await change("/product/price_quantity/update", many)).body.code).toBe("4171");
  });

  it("fail by halves when that is dialled", async () => {
    seller = await lazada.seller();
    const made = [await lazada.create(seller, "C-1"), await lazada.create(seller, "C-2")];
    await lazada.dial(seller.shopId, { halfBatch: true });
    const skus = made.map(({ itemId, skuId }) => ({ ItemId: itemId, SkuId: skuId, Quantity: "3" }));
    const { body } = await change("/product/price_quantity/update", skus);
    expect(body.detail).toHaveLength(1);
    expect((await find("C-1"))[0].skus[0].quantity).toBe(3);
    expect((await find("C-2"))[0].skus[0].quantity).toBe(10);
  });
});

it("hides a product by XML as the official sample has it, and shows it again by an update", async () => {
  seller = await lazada.seller();
  const { itemId, skuId } = await lazada.create(seller, "D-1");
  const apiRequestBody = `<Request><Product><ItemId>${itemId}</ItemId><Skus><SkuId>${skuId}</SkuId></Skus></Product></Request>`;
  const away = () =>
    lazada.ask("POST", "/product/deactivate", { seller, with: { apiRequestBody } });
  expect((await away()).body.code).toBe("0");
  expect((await find("D-1"))[0].status).toBe("InActive");
  expect((await away()).body.code).toBe("E0004");
  const payload = JSON.stringify({
    Request: { Product: { ItemId: itemId, Skus: { Sku: [{ SkuId: skuId, Status: "active" }] } } },
  });
  expect(
    (await lazada.ask("POST", "/product/update", { seller, with: { payload } })).body.code,
  ).toBe("0");
  expect((await find("D-1"))[0].status).toBe("Active");
});

describe("an order", () => {
  it("is pushed signed, listed in its window and has an item for each unit", async () => {
    seller = await lazada.seller();
    await lazada.create(seller, "E-1");
    const { body: order } = await lazada.hand("buy", {
      shop_id: seller.shopId,
      seller_sku: "E-1",
      quantity: 2,
    });
    const [push] = await receiver.until(1, ({ body }) => body.data.trade_order_id === order.id);
    expect(push?.headers.authorization).toBe(pushSign(appSecret, appKey, push?.raw ?? ""));
    expect(push?.body).toMatchObject({
      seller_id: seller.shopId,
      message_type: 0,
      site: "lazada_id",
      data: { order_status: "pending" },
    });
    const query = {
      update_after: "2026-01-01T00:00:00+07:00",
      sort_by: "updated_at",
      sort_direction: "ASC",
      limit: "100",
    };
    const list = await lazada.ask("GET", "/orders/get", { seller, with: query });
    expect(list.body.data).toMatchObject({
      count: 1,
      countTotal: 1,
      orders: [{ order_id: Number(order.id), statuses: ["pending"], items_count: 2 }],
    });
    const items = await lazada.ask("GET", "/order/items/get", {
      seller,
      with: { order_id: order.id },
    });
    expect(items.body.data.map((one: { sku: string }) => one.sku)).toEqual(["E-1", "E-1"]);
    const other = await lazada.seller();
    const hidden = await lazada.ask("GET", "/order/get", {
      seller: other,
      with: { order_id: order.id },
    });
    expect(hidden.body.code).toBe("16");
  });

  it.each([
    ["without a bound", {}, "17"],
    ["with a date without zone", { update_after: "2026-01-01T00:00:00" }, "17"],
    ["with a limit over 100", { update_after: "2026-01-01T00:00:00Z", limit: "101" }, "19"],
    ["with an unknown status", { update_after: "2026-01-01T00:00:00Z", status: "paid" }, "36"],
  ])("list %s is refused", async (_name, given, code) => {
    seller = await lazada.seller();
    expect((await lazada.ask("GET", "/orders/get", { seller, with: given })).body.code).toBe(code);
  });
});

describe("limits and faults", () => {
  it("prices and stock have a rate of their own", async () => {
    const now = Date.now();
    const strict = await startLazada({ callsPerSecond: 2, keepPushes: true, clock: () => now });
    seller = await strict.seller();
    const ask = () => strict.ask("GET", "/products/get", { seller, with: { filter: "all" } });
    const all: string[] = [];
    for (let n = 0; n < 4; n += 1) all.push((await ask()).body.code);
    expect(all).toEqual(["0", "0", "ApiCallLimit", "ApiCallLimit"]);
    const payload = JSON.stringify({ Request: { Product: { Skus: { Sku: [{ ItemId: 1 }] } } } });
    const stock = await strict.ask("POST", "/product/price_quantity/update", {
      seller,
      with: { payload },
    });
    expect(stock.body.code).toBe("501");
    await strict.stop();
  });

  it("a create that is never answered has made its product", async () => {
    seller = await lazada.seller();
    const payload = await lazada.product(seller, {}, { SellerSku: "LOST" });
    await lazada.dial(seller.shopId, { down: { acts: true, path: "/product/create" } });
    await expect(
      lazada.ask("POST", "/product/create", { seller, with: { payload } }),
    ).rejects.toThrow();
    expect(await find("LOST")).toHaveLength(1);
  });

  it("a product is found by its SKU late when that is dialled", async () => {
    seller = await lazada.seller();
    await lazada.dial(seller.shopId, { lateIndexMs: 60_000 });
    await lazada.create(seller, "LATE");
    expect(await find("LATE")).toEqual([]);
  });

  it("an error inside 200 has the code that was dialled", async () => {
    seller = await lazada.seller();
    await lazada.dial(seller.shopId, { errorInside: "SellerNotActive" });
    const answer = await lazada.ask("GET", "/products/get", { seller, with: { filter: "all" } });
    expect(answer).toMatchObject({ status: 200, body: { code: "SellerNotActive" } });
  });
});
