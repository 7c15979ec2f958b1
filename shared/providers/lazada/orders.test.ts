import { afterEach, describe, expect, test } from "vitest";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { fakeLazada, no, ok, readAddress } from "../testing/lazada.ts";
import { auth } from "../testing/marketplace.ts";

const network = new FakeNetwork();
const client = () => fakeLazada(network);

afterEach(() => {
  network.verify();
});

const SINCE = new Date("2026-11-20T00:00:00Z");
const UNTIL = new Date("2026-11-21T00:00:00Z");
const list = (after: string, offset: string) =>
  readAddress("/orders/get", {
    update_after: after,
    update_before: "2026-11-21T00:00:00+00:00",
    sort_by: "updated_at",
    sort_direction: "ASC",
    offset,
    limit: "100",
  });
const rows = (count: number, updated_at: string) =>
  Array.from({ length: count }, (_, index) => ({
    order_id: `2604229001${updated_at.slice(11, 13)}${index}`,
    statuses: ["pending"],
    updated_at,
  }));
const page = (orders: object[]) => answer(200, ok({ count: orders.length, orders }));

describe("listing orders", () => {
  test("goes on at the last row's time, so that none is passed over while others change", async () => {
    network.on(
      "GET",
      await list("2026-11-20T00:00:00+00:00", "0"),
      page(rows(100, "2026-11-20 15:00:00 +0700")),
    );
    network.on(
      "GET",
      await list("2026-11-20T08:00:00+00:00", "0"),
      page(rows(3, "2026-11-20 16:00:00 +0700")),
    );
    const first = await client().listOrders(auth(), { since: SINCE, until: UNTIL });
    expect(first.orders).toHaveLength(100);
    expect(first.orders[0]).toEqual({
      orderId: "2604229001150",
      status: "to_ship",
      updatedAt: new Date("2026-11-20T08:00:00Z"),
    });
    const { cursor } = first;
    const second = await client().listOrders(auth(), { since: SINCE, until: UNTIL, cursor });
    expect(second).toMatchObject({ cursor: null });
    expect(second.orders).toHaveLength(3);
  });

  test("counts rows only where a whole page changed within one second", async () => {
    const same = "2026-11-20 07:00:00 +0700";
    network.on("GET", await list("2026-11-20T00:00:00+00:00", "0"), page(rows(100, same)));
    network.on("GET", await list("2026-11-20T00:00:00+00:00", "100"), page(rows(1, same)));
    const { cursor } = await client().listOrders(auth(), { since: SINCE, until: UNTIL });
    const second = await client().listOrders(auth(), { since: SINCE, until: UNTIL, cursor });
    expect(second).toMatchObject({ cursor: null });
  });

  test("an order is as far as its least advanced line that stands", async () => {
    const order = (order_id: string, ...statuses: string[]) => ({ order_id, statuses });
    const orders = [
      order("1", "canceled", "shipped"),
      order("2", "canceled"),
      order("3", "delivered", "pending"),
      order("4", "unpaid"),
      order("5", "shipped_back_success"),
      order("6", "lost_by_3pl"),
    ];
    network.on("GET", await list("2026-11-20T00:00:00+00:00", "0"), page(orders));
    const read = await client().listOrders(auth(), { since: SINCE, until: UNTIL });
    expect(read.orders.map(({ status }) => status)).toEqual([
      "shipped",
      "cancelled",
      "to_ship",
      "unpaid",
      "returned",
      "unknown",
    ]);
  });
});

describe("orders with their lines", () => {
  const details = (ids: string) => readAddress("/orders/items/get", { order_ids: `[${ids}]` });
  const item = (changes: object) => ({
    order_item_id: 900001,
    name: "Keripik",
    sku: "BLT-001",
    shop_sku: "740600001_ID-1001",
    sku_id: "1001",
    status: "pending",
    item_price: "80000.00",
    paid_price: "75000.00",
    created_at: "2026-11-20 09:00:00 +0700",
    updated_at: "2026-11-20 09:05:00 +0700",
    buyer_id: 5,
    ...changes,
  });

  test("have a line for each piece, with every name of its SKU", async () => {
    const order_items = [item({}), item({ order_item_id: 900002, status: "canceled" })];
    const data = [{ order_id: 260422900198363, order_items }];
    network.on("GET", await details("260422900198363"), answer(200, ok(data)));
    const [order] = await client().getOrders(auth(), ["260422900198363"]);
    expect(order).toEqual({
      orderId: "260422900198363",
      status: "to_ship",
      statusText: "pending, canceled",
      createdAt: new Date("2026-11-20T02:00:00Z"),
      updatedAt: new Date("2026-11-20T02:05:00Z"),
      totalIdr: 150_000,
      lines: [
        {
          lineId: "900001",
          itemId: "740600001",
          skuId: "1001",
          sku: "BLT-001",
          name: "Keripik",
          quantity: 1,
          priceIdr: 75_000,
          status: "to_ship",
        },
        expect.objectContaining({ lineId: "900002", status: "cancelled" }),
      ],
    });
  });

  test("ids that do not fit into a number of ours keep their last digits", async () => {
    const text = `{"code":"0","request_id":"r","data":[{"order_id":98765432109876543,"order_items":[]}]}`;
    const url = await details("98765432109876543");
    network.on("GET", url, answer(200, text));
    const [order] = await client().getOrders(auth(), ["98765432109876543"]);
    expect(order?.orderId).toBe("98765432109876543");
  });

  test("one that cannot be read does not hide the others", async () => {
    const data = [
      { order_id: 1, order_items: [item({ order_item_id: null })] },
      { order_id: 2, order_items: [item({})] },
    ];
    network.on("GET", await details("1,2"), answer(200, ok(data)));
    const read = await client().getOrders(auth(), ["1", "2"]);
    expect(read.map(({ orderId }) => orderId)).toEqual(["2"]);
  });

  test("one unknown number does not hide the others; words that are no number are not sent", async () => {
    const wrong = answer(200, no("37", "One or more order id in the list are incorrect"));
    network.on("GET", await details("1,2"), wrong);
    network.on(
      "GET",
      await details("1"),
      answer(200, ok([{ order_id: 1, order_items: [item({})] }])),
    );
    network.on("GET", await details("2"), wrong);
    const read = await client().getOrders(auth(), ["1", "2", "1] or true"]);
    expect(read.map(({ orderId }) => orderId)).toEqual(["1"]);
  });
});
