import { sql } from "drizzle-orm";
import { expect, it, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import type { MarketFault } from "../../../../shared/providers/marketplace.ts";
import { testContext } from "../../../testing/api.ts";
import { createProduct } from "../../../testing/factories.ts";
import { type Dice, dice } from "../../testing/dice.ts";
import { pushChanges } from "../pushes.ts";
import { fault } from "../testing/faults.ts";
import {
  beginSync,
  change,
  connect,
  connectedMarket,
  connectionOf,
  later,
  letTimePass,
  type Market,
  mortal,
  picture,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";

const PRODUCTS = 8;
const ROUNDS = 6;
const BROKEN: MarketFault[] = [
  "unavailable",
  "rate_limited",
  "rejected",
  "locked",
  "token_expired",
];

/** Products of which half are listed already, at a shop that takes two lines at once. */
async function open() {
  const market = await connectedMarket();
  Object.assign(market.fake.limits, { priceBatch: 2, stockBatch: 2, shelfBatch: 2 });
  const ids: string[] = [];
  for (let n = 0; n < PRODUCTS; n += 1) ids.push((await createProduct(market.store)).id);
  await picture(market, ids);
  await beginSync(market, ids.slice(0, PRODUCTS / 2));
  await pumpDry(market);
  return { market, ids };
}

/** The seller connects again where he must, brings everything back and asks for all of it. */
async function revive(market: Market, ids: string[]): Promise<void> {
  market.fake.faults = {};
  if ((await connectionOf(market)).status === "error") await connect(market);
  await change(
    sql`update market_products set deleted_at = null where store_id = ${market.store.id}`,
  );
  await beginSync(market, ids);
}

/** What a seller or a buyer does to a product: to few values, so that what was there before comes back. */
function edit(id: string, roll: Dice) {
  const fields = [
    sql`price = ${20_000 + 1_000 * roll(2)}`,
    sql`stock = ${roll(3)}`,
    sql`stock = ${roll(3)}, price = ${20_000 + 1_000 * roll(2)}`,
    sql`status = ${roll(2) ? "active" : "archived"}`,
    sql`status = ${roll(2) ? "active" : "archived"}, stock = ${roll(3)}`,
    sql`deleted_at = case when ${roll(2)} = 1 then now() end`,
    sql`name = ${`Produk ${roll(2)}`}`,
  ];
  return change(sql`update market_products set ${fields[roll(fields.length)]} where id = ${id}`);
}

/**
 * Each call may fail before it acts, lose its answer, refuse a line, or see the product change under it. Renewals of
 * tokens have tests of their own, and wait for seconds.
 */
function spoil({ fake }: Market, ids: string[], roll: Dice): void {
  const pick = () => ids[roll(ids.length)] ?? "";
  fake.faults.before = async ({ name }) => {
    if (name === "refresh") return;
    if (roll(6) === 0) await edit(pick(), roll);
    if (roll(5) === 0) throw fault(BROKEN[roll(BROKEN.length)] ?? "unavailable", "acak", 1);
  };
  fake.faults.after = async ({ name }) => {
    if (name === "refresh") return;
    if (roll(6) === 0) await edit(pick(), roll);
    if (roll(4) === 0) throw fault("unknown");
  };
  fake.faults.line = () =>
    roll(6) === 0 ? { fault: roll(2) ? "rejected" : "locked", reason: "acak" } : null;
}

/** Of a batch that takes several calls the shop has had enough after the first, at times. */
function halve({ fake }: Market, roll: Dice): void {
  const halved =
    <A, C, R>(send: (auth: A, changes: C[]) => Promise<R>) =>
    async (auth: A, changes: C[]): Promise<R> => {
      if (changes.length < 2 || roll(4) > 0) return await send(auth, changes);
      await send(auth, changes.slice(0, 1));
      throw fault("rate_limited", "acak", 1);
    };
  fake.setPrices = halved(fake.setPrices);
  fake.setStocks = halved(fake.setStocks);
}

async function round(market: Market, ids: string[], roll: Dice): Promise<void> {
  for (const id of ids) if (roll(2)) await edit(id, roll);
  if (roll(3) === 0) await revive(market, ids);
  spoil(market, ids, roll);
  await pushChanges(market.ctx);
  if (roll(3) === 0) {
    const dying = mortal(market, roll(14), roll(2) ? "before" : "after");
    await Promise.race([pumpOnce(market, dying.ctx), dying.killed]);
    // No call outlasts the claim that it is made under.
    await vi.waitUntil(() => market.fake.underWay === 0, { interval: 1, timeout: 10_000 });
  } else {
    // Delivered twice, and run by both.
    await Promise.all([pumpOnce(market), pumpOnce(market)]);
  }
  if (roll(2)) await letTimePass(market);
  const settled = (await ours(market)).filter(({ dirty, status }) => !dirty && status === "synced");
  expect(settled.map((told) => theirs(market, told))).toEqual(settled);
}

const Shown = z.object({
  id: z.string(),
  shown: z.object({ price: z.number(), stock: z.number(), name: z.string() }).nullable(),
  status: z.string(),
  dirty: z.boolean(),
});
type Shown = z.output<typeof Shown>;

/** What buyers should see there of each product, and what our listings say of that. */
async function ours(market: Market) {
  const { id } = await connectionOf(market);
  const query = sql`select p.id, l.sync_status as status, l.dirty, case when p.status = 'active' and p.deleted_at is null
      then jsonb_build_object('price', p.price, 'stock', p.stock - p.reserved, 'name', p.name) end as shown
    from market_listings l join market_products p on p.id = l.product_id where l.connection_id = ${id}`;
  return await testContext().db.run(rows(query, Shown));
}

/** The same as they do see it; a second copy of a product would be one too many. */
function theirs({ fake }: Market, told: Shown): Shown {
  const [there, ...copies] = [...fake.items.values()].filter(({ sku }) => sku === told.id);
  expect(copies).toEqual([]);
  if (!there) return { ...told, shown: null };
  const { priceIdr: price, stock, name } = there;
  return { ...told, shown: there.status === "live" ? { price, stock, name } : null };
}

it.each([3, 80, 199])(
  "whatever happens to listings at once, in seed %i, what is told to be in step is, and all is once it is quiet",
  async (seed) => {
    const roll = dice(seed);
    const { market, ids } = await open();
    halve(market, roll);
    for (let n = 0; n < ROUNDS; n += 1) await round(market, ids, roll);
    market.fake.faults = {};
    if ((await connectionOf(market)).status === "error") await connect(market);
    await later(market);
    // What was refused waits for a change of its product.
    await change(sql`update market_listings l set dirty = true, changes = changes + 1
      from market_connections c where c.id = l.connection_id and c.store_id = ${market.store.id} and l.sync_status = 'error'`);
    await later(market);
    const listings = await ours(market);
    expect(listings.map((told) => theirs(market, told))).toEqual(listings);
    const there = (id: string) => market.fake.item(id) !== undefined;
    expect(listings.map(({ id, status, dirty }) => [there(id), status, dirty])).toEqual(
      listings.map(({ id }) => [there(id), there(id) ? "synced" : "error", false]),
    );
  },
);
