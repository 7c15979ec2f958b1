import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { runJob } from "../../../../shared/jobs/jobs.ts";
import { fault } from "../testing/faults.ts";
import {
  change,
  connectionOf,
  later,
  listed,
  listedMarket,
  listingOf,
  type Market,
} from "../testing/market-bench.ts";
import { beginLooks, dailyLookJob } from "./daily-look.ts";

const BLOCKED = { sync_status: "error", reason: "Produk diblokir oleh marketplace" };
const SHOWN = { sync_status: "synced", reason: null };

/** A whole day of the cron, and all that comes of it for this shop; answers how many jobs that took. */
async function day(market: Market): Promise<number> {
  for (let hour = 0; hour < 24; hour += 1) await beginLooks(market.ctx, hour);
  const { id: connection } = await connectionOf(market);
  const query = sql`select id from jobs where kind = 'market.look' and payload->>'connection_id' = ${connection}
    and finished_at is null and run_at <= now()`;
  for (let ran = 0; ; ran += 1) {
    const [due] = await market.ctx.db.run(rows(query, z.object({ id: z.uuid() })));
    if (!due) return ran;
    await runJob(market.ctx, due.id, [dailyLookJob]);
  }
}

const tomorrow = (market: Market) =>
  connectionOf(market).then(({ id }) =>
    change(sql`delete from jobs where kind = 'market.look' and payload->>'connection_id' = ${id}`),
  );

describe("what a shop shows is looked at once a day", () => {
  it("so that what was blocked there without a word is told, and that it is shown again", async () => {
    const { market, product } = await listed();
    Object.assign(market.fake.item(product.id) ?? {}, { status: "blocked" });
    expect(await day(market)).toBe(1);
    expect(await listingOf(market, product)).toMatchObject(BLOCKED);
    Object.assign(market.fake.item(product.id) ?? {}, { status: "live" });
    expect(await day(market)).toBe(0);
    await tomorrow(market);
    await day(market);
    await later(market);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
  });

  it("so that what was deleted there without a word is told, and not put back", async () => {
    const { market, product } = await listed();
    Object.assign(market.fake.item(product.id) ?? {}, { status: "deleted" });
    await day(market);
    await later(market);
    expect(await listingOf(market, product)).toMatchObject({
      item_id: null,
      sync_status: "error",
      reason: "Produk sudah dihapus di Shopee. Sinkronkan lagi untuk memasangnya kembali",
    });
    expect(market.fake.items.size).toBe(1);
  });

  it("and what the shop's search alone does not know stays in step", async () => {
    const { market, product } = await listed();
    market.fake.findBySku = async () => null;
    await day(market);
    await later(market);
    expect(await listingOf(market, product)).toMatchObject({ ...SHOWN, dirty: false });
    expect(market.fake.calls.map(({ name }) => name)).toEqual(["setStocks"]);
  });

  it("so that what was blocked beside a copy that is shown is told", async () => {
    const { market, product } = await listed();
    const ours = market.fake.item(product.id);
    if (!ours) throw new Error("not listed");
    market.fake.items.set("I-copy", { ...ours, itemId: "I-copy" });
    ours.status = "blocked";
    await day(market);
    expect(await listingOf(market, product)).toMatchObject({ ...BLOCKED, item_id: ours.itemId });
  });

  it("and nothing is sent there, whatever its seller has changed by hand", async () => {
    const { market, product } = await listed();
    const byHand = { status: "unlisted", priceIdr: 1, stock: 1 };
    Object.assign(market.fake.item(product.id) ?? {}, byHand);
    await day(market);
    await later(market);
    expect(market.fake.item(product.id)).toMatchObject(byHand);
    expect(market.fake.calls.map(({ name }) => name)).toEqual(["findBySku"]);
    expect(await listingOf(market, product)).toMatchObject({ ...SHOWN, dirty: false });
  });

  it("page by page, each listing once", async () => {
    const { market, products } = await listedMarket(51);
    expect(await day(market)).toBe(2);
    const asked = market.fake.calls.map(({ sku }) => sku);
    expect(asked.toSorted()).toEqual(products.map(({ id }) => id).toSorted());
  });

  it("also behind one of them that the shop cannot tell of", async () => {
    const { market, products } = await listedMarket(3);
    const [odd, ...others] = products.map(({ id }) => id).toSorted();
    market.fake.faults.before = ({ sku }) => {
      if (sku === odd) throw fault("unavailable");
    };
    for (const id of others) Object.assign(market.fake.item(id) ?? {}, { status: "blocked" });
    await day(market);
    for (const product of products) {
      expect(await listingOf(market, product)).toMatchObject(product.id === odd ? SHOWN : BLOCKED);
    }
  });

  it("goes on later where the shop cannot be asked, and gives up for the day without a failed job", async () => {
    const { market, product } = await listed();
    Object.assign(market.fake.item(product.id) ?? {}, { status: "blocked" });
    market.fake.faults.before = () => {
      throw fault("unavailable");
    };
    expect(await day(market)).toBe(1);
    const { id } = await connectionOf(market);
    const jobs = sql`jobs where kind = 'market.look' and payload->>'connection_id' = ${id}`;
    const stateOf = async () =>
      await market.ctx.db.run(
        rows(sql`select state from ${jobs}`, z.object({ state: z.string() })),
      );
    expect(await stateOf()).toEqual([{ state: "queued" }]);
    await change(sql`update jobs set run_at = now(), attempts = 11
      where kind = 'market.look' and payload->>'connection_id' = ${id}`);
    await day(market);
    expect(await stateOf()).toEqual([{ state: "success" }]);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
  });
});
