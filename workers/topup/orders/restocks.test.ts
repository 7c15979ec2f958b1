import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { theOrderOf } from "../testing/outcomes.ts";
import {
  customer,
  dial,
  newPhone,
  SERVICES,
  shelve,
  stockOf,
  stockShelves,
} from "../testing/shop.ts";
import { newSupplier, syncWith, withSupplier } from "../testing/supplier.ts";
import { advance } from "./advance.ts";
import { settleByHand } from "./by-hand.ts";
import type { Order } from "./order.ts";
import { placeGame } from "./place.ts";
import { processOrder } from "./process.ts";
import { type Outcome, silenceOf } from "./purchase.ts";

beforeAll(stockShelves);
beforeEach(() => shelve(item, { stock: 5 }));

const item = SERVICES.voucher;

async function order(dials: Record<string, unknown>): Promise<Order> {
  const target = newPhone();
  await dial(target, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 400 });
  const placed = await placeGame(ctx, { service: item.code, gameId: target });
  await processOrder(ctx, { orderNumber: placed.number });
  await settle();
  return await theOrderOf(target);
}

/** A sync for which the supplier has so many (undefined: it does not tell), and what happens while it is asked. */
async function told(stock: number | undefined, meanwhile = async () => {}): Promise<void> {
  const first = sql`update topup_services set stock_checked_at = null where code = ${item.code}`;
  await testContext().db.run(rows(first, z.unknown()));
  const supplier = newSupplier();
  if (stock !== undefined) supplier.stocks[item.code] = stock;
  const question = `game-feature service-stock ${item.code}`;
  supplier.before = async (asked) => {
    if (asked === question) await meanwhile();
  };
  await syncWith(withSupplier(supplier), "sync-stock");
  expect(supplier.asked).toContain(question);
}

async function hear({ id, trxid }: Order, outcome: Outcome): Promise<void> {
  await advance(bench().ctx, [{ ...silenceOf(id, trxid ?? "", "untold"), outcome }]);
}

describe("a counted stock of which an order under way has taken a piece", () => {
  it.each([
    ["more than was left: what failed is back already", 5, 5],
    ["many more", 50, 50],
    ["what was left", 4, 5],
    ["less than was left", 2, 3],
    ["nothing", undefined, 5],
  ])("has the piece once after its failure, where the supplier told %s", async (_, count, left) => {
    const bought = await order({});
    expect(await stockOf(item)).toEqual({ stock: 4, reserved: 0 });
    await told(count);
    expect(await stockOf(item)).toEqual({ stock: count ?? 4, reserved: 0 });
    for (const outcome of ["failed", "failed"] as const) await hear(bought, outcome);
    expect(await theOrderOf(bought.target)).toMatchObject({ state: "failed" });
    expect(await stockOf(item)).toEqual({ stock: left, reserved: 0 });
  });

  it("sells its last piece again after a failure, and none that is counted where nothing is any more", async () => {
    await shelve(item, { stock: 1 });
    const last = await order({});
    expect(await stockOf(item)).toEqual({ stock: 0, reserved: 0 });
    await hear(last, "failed");
    expect(await stockOf(item)).toEqual({ stock: 1, reserved: 0 });
    const again = await order({});
    await shelve(item);
    await hear(again, "failed");
    const kind = sql`select stock_type, stock, reserved from topup_services where code = ${item.code}`;
    expect(await testContext().db.run(rows(kind, z.unknown()))).toEqual([
      { stock_type: "UNLIMITED", stock: null, reserved: 0 },
    ]);
  });

  it("is as it was told after its success", async () => {
    const bought = await order({});
    await told(9);
    await hear(bought, "success");
    expect(await theOrderOf(bought.target)).toMatchObject({ state: "success" });
    expect(await stockOf(item)).toEqual({ stock: 9, reserved: 0 });
  });

  it("keeps what an order in doubt has reserved, whatever is told", async () => {
    const { id: orderId } = await order({ timeOut: { value: true, count: 1 } });
    expect(await stockOf(item)).toEqual({ stock: 5, reserved: 1 });
    await told(9);
    expect(await stockOf(item)).toEqual({ stock: 9, reserved: 1 });
    const { ctx } = bench({ actor: await customer() });
    await settleByHand(ctx, { orderId, as: "refunded", reason: "kata penyedia" });
    expect(await stockOf(item)).toEqual({ stock: 9, reserved: 0 });
  });
});

describe("a piece that is bought while the supplier is asked how many it has", () => {
  it("is not there any more, though the supplier counted it", async () => {
    await order({});
    await told(4, async () => void (await order({})));
    expect(await stockOf(item)).toEqual({ stock: 3, reserved: 0 });
    await told(3);
    expect(await stockOf(item)).toEqual({ stock: 3, reserved: 0 });
  });

  it("is not there any more, though its order has ended meanwhile", async () => {
    await told(5, async () => hear(await order({}), "success"));
    expect(await stockOf(item)).toEqual({ stock: 4, reserved: 0 });
  });

  it.each([
    ["as many as were left", 5, 5],
    ["more than was left", 50, 50],
  ])("is back once after its failure, where the supplier told %s", async (_, count, left) => {
    const bought = Promise.withResolvers<Order>();
    await told(count, async () => bought.resolve(await order({})));
    const during = await bought.promise;
    expect(await stockOf(item)).toEqual({ stock: count - 1, reserved: 0 });
    for (const outcome of ["failed", "failed"] as const) await hear(during, outcome);
    expect(await stockOf(item)).toEqual({ stock: left, reserved: 0 });
  });

  it("was never gone where it failed before the count came", async () => {
    await told(5, async () => hear(await order({}), "failed"));
    expect(await stockOf(item)).toEqual({ stock: 5, reserved: 0 });
  });

  it("is never sold again, whichever of many comes first, the counts or the orders", async () => {
    const supplied = 12;
    await shelve(item, { stock: supplied });
    let open: Promise<Order>[] = [];
    for (const before of [0, 3, 6]) {
      await told(supplied - before, async () => {
        open = Array.from({ length: 3 }, () => order({}));
        await open[0];
      });
      await Promise.all(open);
      const { stock } = await stockOf(item);
      expect(stock).toBeLessThanOrEqual(supplied - before - open.length);
    }
  });
});

// Last: such an order may have been bought until its attempt is over, so counts leave room for it.
describe("the history of a counted stock", () => {
  it("takes no piece for an order that a count had taken away before", async () => {
    const { id: orderId } = await order({ timeOut: { value: true, count: 1 } });
    await told(0);
    expect(await stockOf(item)).toEqual({ stock: 0, reserved: 1 });
    const { ctx } = bench({ actor: await customer() });
    const word = { as: "success", trxid: `VP${newPhone()}`, reason: "kata penyedia" } as const;
    await settleByHand(ctx, { orderId, ...word });
    expect(await stockOf(item)).toEqual({ stock: 0, reserved: 0 });
    const change = z.object({ quantity: z.number(), was: z.number(), is: z.number() });
    const written = sql`select quantity::int, old_stock as was, new_stock as is from topup_stock_history
      where order_id = ${orderId}`;
    expect(await testContext().db.run(rows(written, change))).toEqual([
      { quantity: 0, was: 0, is: 0 },
    ]);
  });
});
