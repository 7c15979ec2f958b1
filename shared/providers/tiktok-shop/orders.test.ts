import { afterEach, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { auth } from "../testing/marketplace.ts";
import { address, CIPHER, fakeTikTokShop, no, ok } from "../testing/tiktok-shop.ts";

const network = new FakeNetwork();
const client = () => fakeTikTokShop(network);
const shop = auth({ shopCipher: CIPHER });
const at = (seconds: number) => new Date(seconds * 1000);
const span = { since: at(1_699_900_000), until: at(1_700_000_000) };

afterEach(() => {
  network.verify();
});

const search = (token?: string) =>
  address("/order/202309/orders/search", {
    query: {
      page_size: "100",
      sort_field: "update_time",
      sort_order: "ASC",
      ...(token === undefined ? {} : { page_token: token }),
    },
    json: { update_time_ge: 1_699_900_000, update_time_lt: 1_700_000_000 },
  });

test("orders are listed by their last change; the page token is signed as it was given", async () => {
  const orders = [
    { id: "576486316948490001", status: "AWAITING_SHIPMENT", update_time: 1_699_950_000 },
  ];
  const token = "aDU2MDU9PQ==+/";
  network.on("POST", await search(), answer(200, ok({ orders, next_page_token: token })));
  network.on("POST", await search(token), answer(200, ok({ orders: [], next_page_token: "" })));
  const first = await client().listOrders(shop, span);
  expect(first).toEqual({
    orders: [{ orderId: "576486316948490001", status: "to_ship", updatedAt: at(1_699_950_000) }],
    cursor: token,
  });
  const second = await client().listOrders(shop, { ...span, cursor: first.cursor });
  expect(second).toEqual({ orders: [], cursor: null });
});

test("orders have a line for each piece, and nothing of the buyer", async () => {
  const item = (id: string, display_status: string) => ({
    id,
    product_id: "1729592969712203232",
    sku_id: "1729592969712207008",
    seller_sku: "BLT-001",
    product_name: "Keripik",
    sale_price: "75000",
    display_status,
  });
  const order = {
    id: "576486316948490001",
    status: "AWAITING_SHIPMENT",
    create_time: 1_699_940_000,
    update_time: 1_699_950_000,
    buyer_email: "x@example.com",
    recipient_address: { name: "N" },
    payment: { total_amount: "160000", currency: "IDR" },
    line_items: [item("1", "AWAITING_SHIPMENT"), item("2", "CANCELLED")],
  };
  const url = await address("/order/202309/orders", { query: { ids: "576486316948490001,9" } });
  network.on("GET", url, answer(200, ok({ orders: [order] })));
  expect(await client().getOrders(shop, ["576486316948490001", "9"])).toEqual([
    {
      orderId: "576486316948490001",
      status: "to_ship",
      statusText: "AWAITING_SHIPMENT",
      createdAt: at(1_699_940_000),
      updatedAt: at(1_699_950_000),
      totalIdr: 160_000,
      lines: [
        {
          lineId: "1",
          itemId: "1729592969712203232",
          skuId: "1729592969712207008",
          sku: "BLT-001",
          name: "Keripik",
          quantity: 1,
          priceIdr: 75_000,
          status: "to_ship",
        },
        expect.objectContaining({ lineId: "2", status: "cancelled" }),
      ],
    },
  ]);
});

test("ids that were printed as numbers keep their last digits", async () => {
  const text = `{"code":0,"message":"","data":{"orders":[{"id":576486316948490001,"status":"UNPAID"}]}}`;
  const url = await address("/order/202309/orders", { query: { ids: "576486316948490001" } });
  network.on("GET", url, answer(200, text));
  const [order] = await client().getOrders(shop, ["576486316948490001"]);
  expect(order).toMatchObject({ orderId: "576486316948490001", status: "unpaid", lines: [] });
});

test("one that cannot be read does not hide the others", async () => {
  const orders = [
    { id: "1", status: "UNPAID", line_items: [{ product_id: "1729592969712203232" }] },
    { id: "2", status: "UNPAID" },
  ];
  const url = await address("/order/202309/orders", { query: { ids: "1,2" } });
  network.on("GET", url, answer(200, ok({ orders })));
  const read = await client().getOrders(shop, ["1", "2"]);
  expect(read.map(({ orderId }) => orderId)).toEqual(["2"]);
});

test("an expired token is told apart", async () => {
  network.on("POST", await search(), answer(401, no(105002, "expired")));
  expect(await marketFailureOf(client().listOrders(shop, span))).toMatchObject({
    fault: "token_expired",
  });
});
