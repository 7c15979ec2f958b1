import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { TestProduct } from "../../../testing/factories.ts";
import { readStock } from "../../../testing/orders.ts";
import { pushChanges } from "../pushes.ts";
import { syncProducts } from "../sync.ts";
import { channelOf, move, ordersOf, place, shelf } from "../testing/channel.ts";
import { change, type Market, poll, pumpDry } from "../testing/market-bench.ts";

/** Ten pieces here, and ten shown by the shop. */
async function listed(): Promise<{ market: Market; product: TestProduct }> {
  const { market, product } = await shelf(10);
  await syncProducts(market.ctx, { platform: "lazada" });
  await pumpDry(market);
  return { market, product };
}

/** What the shop counts by itself. */
function sellThere({ fake }: Market, { id }: TestProduct, pieces: number): void {
  const item = fake.item(id);
  if (!item) throw new Error("not listed");
  item.stock -= pieces;
}

async function push(market: Market): Promise<void> {
  await pushChanges(market.ctx);
  await pumpDry(market);
}

describe("the stock that a shop shows", () => {
  it("is ours again after a sale there, also where it comes back to what was pushed last", async () => {
    const { market, product } = await listed();
    sellThere(market, product, 1);
    place(market, [[product, 1]]);
    await poll(market);
    await change(sql`update market_products set stock = stock + 1 where id = ${product.id}`);
    await push(market);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
    expect(market.fake.item(product.id)?.stock).toBe(10);
  });

  it("is ours again after a sale there while our stock was being pushed", async () => {
    const { market, product } = await listed();
    await change(sql`update market_products set stock = 8 where id = ${product.id}`);
    market.fake.faults.after = async ({ name }) => {
      if (name !== "setStocks") return;
      market.fake.faults = {};
      // Pushed, sold there, taken in and bought back here, all before the push is written down.
      sellThere(market, product, 1);
      place(market, [[product, 1]]);
      await poll(market);
      await change(sql`update market_products set stock = stock + 1 where id = ${product.id}`);
    };
    await push(market);
    await push(market);
    expect(await readStock(product)).toEqual({ stock: 8, reserved: 0 });
    expect(market.fake.item(product.id)?.stock).toBe(8);
  });

  it("is ours again after a cancellation there that gives nothing back here", async () => {
    const { market, product } = await listed();
    sellThere(market, product, 2);
    const made = place(market, [[product, 2]], "shipped");
    await poll(market);
    await push(market);
    sellThere(market, product, -2);
    move(made, "cancelled");
    await poll(market);
    await push(market);
    expect(await readStock(product)).toEqual({ stock: 8, reserved: 0 });
    expect(market.fake.item(product.id)?.stock).toBe(8);
  });
});

describe("a line that is cancelled in part", () => {
  it.each([
    ["unpaid", { stock: 10, reserved: 3 }],
    ["to_ship", { stock: 7, reserved: 0 }],
  ] as const)("while %s gives that part back, once", async (status, left) => {
    const { market, product } = await shelf(10);
    const made = place(market, [[product, 5]], status);
    await poll(market);
    for (const line of made.lines) line.quantity = 3;
    for (let again = 0; again < 2; again += 1) {
      move(made, status);
      await poll(market);
    }
    expect(await readStock(product)).toEqual(left);
    expect((await ordersOf(market))[0]).toMatchObject({ subtotal: 36_000, quantities: [3] });
    move(made, "cancelled");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
  });

  it("gives up first what was never there", async () => {
    const { market, product } = await shelf(2);
    const made = place(market, [[product, 5]]);
    await poll(market);
    for (const line of made.lines) line.quantity = 3;
    move(made, "to_ship");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 0, reserved: 0 });
    expect(await channelOf(made)).toMatchObject([{ short: 1 }]);
  });

  it("gives nothing back of a parcel that is on its way, and is not pushed again and again", async () => {
    const { market, product } = await listed();
    const made = place(market, [[product, 5]], "shipped");
    await poll(market);
    await push(market);
    const pushes = market.fake.count("setStocks");
    for (const line of made.lines) line.quantity = 3;
    for (let again = 0; again < 2; again += 1) {
      move(made, "shipped");
      await poll(market);
      await push(market);
    }
    expect(await readStock(product)).toEqual({ stock: 5, reserved: 0 });
    expect(market.fake.count("setStocks")).toBe(pushes);
  });
});

it("an order that cannot be kept holds up no other", async () => {
  const { market, product } = await shelf(10);
  const odd = place(market, [[product, 2_000_000_000]]);
  for (const line of odd.lines) line.priceIdr = 900_000_000_000;
  place(market, [[product, 1]]);
  expect(await poll(market)).toEqual({ state: "success" });
  expect(await readStock(product)).toEqual({ stock: 9, reserved: 0 });
  expect(await ordersOf(market)).toHaveLength(1);
});
