import { afterEach, describe, expect, test } from "vitest";
import { marketFailureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { auth } from "../testing/marketplace.ts";
import { address, fakeShopee, no, ok } from "../testing/shopee.ts";
import { statusOf } from "./orders.ts";

const network = new FakeNetwork();
const client = () => fakeShopee(network);

afterEach(() => {
  network.verify();
});

const DAY = 86_400;
const START = 1_655_000_000;
const at = (seconds: number) => new Date(seconds * 1000);
const list = (from: number, to: number, cursor = "") =>
  address("order/get_order_list", {
    time_range_field: "update_time",
    time_from: String(from),
    time_to: String(to),
    page_size: "100",
    cursor,
    response_optional_fields: "order_status",
  });
const page = (ids: string[], next_cursor = "") =>
  answer(
    200,
    ok({
      more: next_cursor !== "",
      next_cursor,
      order_list: ids.map((order_sn) => ({ order_sn, order_status: "READY_TO_SHIP" })),
    }),
  );

describe("listing orders", () => {
  test("cuts a long span into windows of 15 days and follows the cursor within each", async () => {
    const end = START + 20 * DAY;
    network.on("GET", await list(START, START + 15 * DAY), page(["A"], "100"));
    network.on("GET", await list(START, START + 15 * DAY, "100"), page(["B"]));
    network.on("GET", await list(START + 15 * DAY, end), page(["C"]));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const span = { since: at(START), until: at(end), cursor };
      const read = await client().listOrders(auth(), span);
      seen.push(...read.orders.map(({ orderId }) => orderId));
      cursor = read.cursor;
    } while (cursor !== null);
    expect(seen).toEqual(["A", "B", "C"]);
  });

  test("tells each order's state", async () => {
    network.on("GET", await list(START, START + DAY), page(["A"]));
    const read = await client().listOrders(auth(), { since: at(START), until: at(START + DAY) });
    expect(read).toEqual({
      orders: [{ orderId: "A", status: "to_ship", updatedAt: null }],
      cursor: null,
    });
  });

  test("knows the words of every state, and acts on no other", () => {
    expect(
      [
        "UNPAID",
        "READY_TO_SHIP",
        "PROCESSED",
        "IN_CANCEL",
        "SHIPPED",
        "COMPLETED",
        "CANCELLED",
        "TO_RETURN",
        "NEW",
      ].map(statusOf),
    ).toEqual([
      "unpaid",
      "to_ship",
      "to_ship",
      "to_ship",
      "shipped",
      "delivered",
      "cancelled",
      "returned",
      "unknown",
    ]);
  });
});

describe("orders with their lines", () => {
  const detail = (ids: string) =>
    address("order/get_order_detail", {
      order_sn_list: ids,
      response_optional_fields: "item_list,total_amount",
    });
  const order = (order_sn: string) => ({
    order_sn,
    order_status: "READY_TO_SHIP",
    create_time: START,
    update_time: START + 60,
    total_amount: 160_000,
    buyer_username: "pembeli",
    recipient_address: { name: "****" },
    item_list: [
      {
        item_id: 3000142341,
        item_name: "Keripik",
        item_sku: "BLT-001",
        model_id: 0,
        model_sku: "",
        model_quantity_purchased: 3,
        model_discounted_price: 75_000,
        model_original_price: 80_000,
        line_item_id: 9,
        cancelled_qty: 1,
      },
    ],
  });

  test("name each line of a bundle by what it is, whatever stands before it", async () => {
    const [item] = order("A").item_list;
    const piece = (item_id: number, model_id: number) => ({
      ...item,
      item_id,
      model_id,
      line_item_id: undefined,
      order_item_id: 77,
    });
    const pieces = [piece(1, 5), piece(1, 6), piece(2, 0), piece(2, 0)];
    const linesOf = async (item_list: unknown[]) => {
      const body = ok({ order_list: [{ ...order("A"), item_list }] });
      network.on("GET", await detail("A"), answer(200, body));
      const [read] = await client().getOrders(auth(), ["A"]);
      return read?.lines.map(({ lineId }) => lineId);
    };
    expect(await linesOf(pieces)).toEqual(["77/1/5", "77/1/6", "77/2/0", "77/2/0/1"]);
    expect(await linesOf(pieces.slice(1).toReversed())).toEqual(["77/2/0", "77/2/0/1", "77/1/6"]);
  });

  test("name our SKU, what is still wanted, and nothing of the buyer", async () => {
    network.on("GET", await detail("A,B"), answer(200, ok({ order_list: [order("A")] })));
    const read = await client().getOrders(auth(), ["A", "B"]);
    expect(read).toEqual([
      {
        orderId: "A",
        status: "to_ship",
        statusText: "READY_TO_SHIP",
        createdAt: at(START),
        updatedAt: at(START + 60),
        totalIdr: 160_000,
        lines: [
          {
            lineId: "9",
            itemId: "3000142341",
            skuId: null,
            sku: "BLT-001",
            name: "Keripik",
            quantity: 2,
            priceIdr: 75_000,
            status: "to_ship",
          },
        ],
      },
    ]);
  });

  test("one unknown number does not hide the others", async () => {
    network.on("GET", await detail("A,X"), answer(200, no("error_not_found", "Wrong parameters")));
    network.on("GET", await detail("A"), answer(200, ok({ order_list: [order("A")] })));
    network.on("GET", await detail("X"), answer(200, no("error_not_found", "Wrong parameters")));
    const read = await client().getOrders(auth(), ["A", "X"]);
    expect(read.map(({ orderId }) => orderId)).toEqual(["A"]);
  });

  test("one that cannot be read does not hide the others", async () => {
    const [item] = order("A").item_list;
    const broken = { ...order("B"), item_list: [{ ...item, model_quantity_purchased: 0 }] };
    const body = ok({ order_list: [broken, order("A")] });
    network.on("GET", await detail("A,B"), answer(200, body));
    const read = await client().getOrders(auth(), ["A", "B"]);
    expect(read.map(({ orderId }) => orderId)).toEqual(["A"]);
  });

  test("none of several is passed by where not one can be read: the platform has changed", async () => {
    const changed = ["A", "B"].map((sn) => ({ ...order(sn), item_list: "see v3" }));
    for (let time = 0; time < 3; time += 1) {
      network.on("GET", await detail("A,B"), answer(200, ok({ order_list: changed })));
    }
    expect(await marketFailureOf(client().getOrders(auth(), ["A", "B"]))).toMatchObject({
      fault: "unavailable",
    });
  });

  test("none are asked for nothing, and more than fifty not at once", async () => {
    expect(await client().getOrders(auth(), [])).toEqual([]);
    const many = Array.from({ length: 51 }, (_, index) => `A${index}`);
    expect(await marketFailureOf(client().getOrders(auth(), many))).toMatchObject({
      code: "batch_size",
    });
  });
});
