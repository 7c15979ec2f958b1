import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import { createUser, unique } from "../../../testing/factories.ts";
import { order, readStock } from "../../../testing/orders.ts";
import { orderSummary } from "../../assistant/order-summary.ts";
import { sumOfLedger } from "../../testing/sales.ts";
import { syncProducts } from "../sync.ts";
import { channelOf, move, ordersOf, place, pushOrder, shelf } from "../testing/channel.ts";
import { fault } from "../testing/faults.ts";
import {
  connectedMarket,
  connectionOf,
  contextWith,
  listable,
  mortal,
  poll,
} from "../testing/market-bench.ts";

describe("an order that a marketplace took", () => {
  it("holds stock while unpaid, takes it when paid, and shows in the store's list without touching the books", async () => {
    const { market, product } = await shelf();
    const made = place(market, [[product, 3]], "unpaid");
    const books = await sumOfLedger();
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 3 });
    expect(await ordersOf(market)).toEqual([
      { source: "marketplace", status: "pending", subtotal: 36_000, quantities: [3] },
    ]);
    move(made, "to_ship");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 7, reserved: 0 });
    for (const [status, shown] of [
      ["shipped", "shipped"],
      ["delivered", "delivered"],
    ] as const) {
      move(made, status);
      await poll(market);
      expect((await ordersOf(market))[0]?.status).toBe(shown);
    }
    expect(await readStock(product)).toEqual({ stock: 7, reserved: 0 });
    expect(await sumOfLedger()).toBe(books);
    const transfers = sql`select 1 from ledger_transfers t join ledger_accounts a
      on a.id in (t.debit_account_id, t.credit_account_id) where a.owner_id = ${market.store.id}`;
    expect(await testContext().db.run(rows(transfers, z.unknown()))).toEqual([]);
  });

  it.each([["unpaid"], ["to_ship"]] as const)(
    "cancelled while %s gives back once",
    async (status) => {
      const { market, product } = await shelf();
      const made = place(market, [[product, 4]], status);
      await poll(market);
      for (let again = 0; again < 3; again += 1) {
        move(made, "cancelled");
        await poll(market);
      }
      expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
      expect((await ordersOf(market))[0]?.status).toBe("cancelled");
      // What has ended never comes back to life.
      move(made, "to_ship");
      await poll(market);
      expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
    },
  );

  it("that came back after it was sent is for its seller to count", async () => {
    const { market, product } = await shelf();
    const made = place(market, [[product, 2]], "shipped");
    await poll(market);
    move(made, "cancelled");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 8, reserved: 0 });
  });

  it("of which one line is cancelled gives back that line", async () => {
    const { market, product } = await shelf();
    const other = await listable(market, { stock: 5 });
    const made = place(market, [
      [product, 2],
      [other, 2],
    ]);
    await poll(market);
    move(made, "to_ship");
    if (made.lines[0]) made.lines[0].status = "cancelled";
    await poll(market);
    expect([await readStock(product), await readStock(other)]).toEqual([
      { stock: 10, reserved: 0 },
      { stock: 3, reserved: 0 },
    ]);
  });

  it("counts no line that was cancelled, of a product on lines of a piece each too; ended, it shows all", async () => {
    const { market, product } = await shelf();
    const other = await listable(market, { stock: 5 });
    const made = place(market, [
      [product, 1],
      [product, 1],
      [other, 1],
    ]);
    await poll(market);
    const cancel = async (n: number) => {
      const before = made.lines.map(({ status }) => status);
      move(made, "to_ship");
      for (const [i, line] of made.lines.entries()) line.status = before[i] ?? "to_ship";
      if (made.lines[n]) made.lines[n].status = "cancelled";
      await poll(market);
    };
    await cancel(1);
    expect(await ordersOf(market)).toMatchObject([{ subtotal: 24_000, quantities: [1, 1] }]);
    await cancel(2);
    expect(await ordersOf(market)).toMatchObject([{ subtotal: 12_000, quantities: [1] }]);
    const summary = await orderSummary(market.ctx, 1);
    expect(summary).toMatchObject({ revenue: 12_000, best_sellers: [{ quantity: 1 }] });
    move(made, "cancelled");
    await poll(market);
    expect(await ordersOf(market)).toMatchObject([
      { status: "cancelled", subtotal: 36_000, quantities: [2, 1] },
    ]);
  });

  it("taken in by many at once, by push and by poll, takes once", async () => {
    const { market, product } = await shelf();
    place(market, [[product, 1]]);
    place(market, [[product, 2]], "unpaid");
    await Promise.all(
      Array.from({ length: 6 }, () => poll(market, contextWith(null, market.fake))),
    );
    expect(await readStock(product)).toEqual({ stock: 9, reserved: 2 });
    expect(await ordersOf(market)).toHaveLength(2);
  });

  it("told in the wrong order ends where it is", async () => {
    const { market, product } = await shelf();
    const made = place(market, [[product, 1]]);
    const old = structuredClone(made);
    Object.assign(made, { updatedAt: new Date(Date.now() + 60_000) });
    made.status = "cancelled";
    if (made.lines[0]) made.lines[0].status = "cancelled";
    const { key } = { key: unique("k") };
    await pushOrder(market, made, key);
    market.fake.orders.set(made.orderId, old);
    await pushOrder(market, old, unique("k"));
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
    expect((await ordersOf(market))[0]?.status).toBe("cancelled");
  });

  it("for more than there is is kept, holds what is there, and its seller is told once", async () => {
    const { market, product } = await shelf(3);
    const made = place(market, [[product, 5]]);
    await poll(market);
    move(made, "shipped");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 0, reserved: 0 });
    expect(await channelOf(made)).toEqual([
      { status: "shipped", short: 2, problem: "Stok di sini kurang 2" },
    ]);
    const { id } = await connectionOf(market);
    const mails = sql`select payload->'data'->'lines' as lines from jobs
      where dedupe_key like ${`mail/marketplace_oversold/${id}/%`}`;
    expect(await testContext().db.run(rows(mails, z.unknown()))).toEqual([
      { lines: [{ name: "Barang", quantity: 5, short: 2 }] },
    ]);
    expect(await ordersOf(market)).toHaveLength(1);
  });

  it("and a buyer here who want the last piece do not both get it", async () => {
    const { market, product } = await shelf(1);
    place(market, [[product, 1]]);
    const buyer = await createUser();
    const [bought] = await Promise.all([
      order(buyer, market.store, [[product, 1]]),
      poll(market, contextWith(null, market.fake)),
    ]);
    const { stock, reserved } = await readStock(product);
    expect([stock - reserved, reserved]).toEqual([0, bought.status === 201 ? 1 : 0]);
    expect([201, 409]).toContain(bought.status);
  });

  it("of an unknown SKU is written down with the reason and holds nothing", async () => {
    const { market, product } = await shelf();
    const foreign = await listable(await connectedMarket("tokopedia"));
    const made = place(market, [
      ["SKU-LAMA", 1],
      [foreign, 1],
      [product, 1],
    ]);
    await poll(market);
    expect(await readStock(foreign)).toEqual({ stock: 10, reserved: 0 });
    expect((await channelOf(made))[0]?.problem).toContain("SKU tidak dikenal");
    expect(await ordersOf(market)).toEqual([
      { source: "marketplace", status: "paid", subtotal: 12_000, quantities: [1] },
    ]);
  });

  it("of before the shop was connected changes nothing", async () => {
    const { market, product } = await shelf();
    const made = place(market, [[product, 1]]);
    made.createdAt = new Date(Date.now() - 86_400_000);
    await poll(market);
    expect(await ordersOf(market)).toEqual([]);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
  });

  it("with the same product on two lines is one line here, at whole rupiah that add up", async () => {
    const { market, product } = await shelf();
    const made = place(market, [
      [product, 1],
      [product, 2],
    ]);
    if (made.lines[0]) made.lines[0].priceIdr = 10_000;
    await poll(market);
    expect(await ordersOf(market)).toMatchObject([{ quantities: [3], subtotal: 33_999 }]);
    expect(await readStock(product)).toEqual({ stock: 7, reserved: 0 });
  });

  it("is told to the other marketplaces as less stock", async () => {
    const { market, product } = await shelf();
    await syncProducts(market.ctx, { platform: "lazada" });
    place(market, [[product, 4]]);
    await poll(market);
    const listing = sql`select dirty from market_listings where product_id = ${product.id}`;
    expect(await testContext().db.run(rows(listing, z.unknown()))).toEqual([{ dirty: true }]);
  });

  const deaths = Array.from(
    { length: 9 },
    (_, at) =>
      [
        [at, "before"],
        [at, "after"],
      ] as const,
  ).flat();

  it.each(deaths)(
    "is taken in once although its worker dies at call %i, %s it acts",
    async (at, kill) => {
      const { market, product } = await shelf();
      for (let n = 0; n < 3; n += 1) place(market, [[product, 1]]);
      const dying = mortal(market, at, kill);
      expect(await Promise.race([poll(market, dying.ctx), dying.killed])).toBe("killed");
      await poll(market);
      expect(await readStock(product)).toEqual({ stock: 7, reserved: 0 });
      expect(await ordersOf(market)).toHaveLength(3);
    },
  );
});

describe("a poll", () => {
  it.each([1, 2])(
    "that is led in a circle of %i ends, and has taken in what it saw",
    async (pages) => {
      const { market, product } = await shelf(10);
      place(market, [[product, 1]]);
      const { listOrders } = market.fake;
      market.fake.listOrders = async (auth, span) => {
        const page = await listOrders(auth, { ...span, cursor: null });
        return { ...page, cursor: String((Number(span.cursor ?? 0) % pages) + 1) };
      };
      expect(await poll(market)).toMatchObject({
        state: "success",
        result: { postponed: "unknown" },
      });
      expect(await readStock(product)).toEqual({ stock: 9, reserved: 0 });
    },
  );

  it("asks only for what is news, and misses nothing after a platform was away", async () => {
    const { market, product } = await shelf();
    place(market, [[product, 1]]);
    market.fake.faults.before = ({ name }) => {
      if (name === "getOrders") throw fault("unavailable");
    };
    expect(await poll(market)).toMatchObject({
      state: "success",
      result: { postponed: "unavailable" },
    });
    market.fake.faults = {};
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 9, reserved: 0 });
    const before = market.fake.count("getOrders");
    await poll(market);
    expect(market.fake.count("getOrders")).toBe(before);
  });
});
