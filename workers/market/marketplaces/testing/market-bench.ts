import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { clientOf } from "../../../../shared/db/client.ts";
import { Database } from "../../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../../shared/db/errors.ts";
import { rows, type Statement } from "../../../../shared/db/statement.ts";
import { type JobHandler, runJob } from "../../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../../shared/jobs/test-queues.ts";
import type { MarketplaceClient, Platform } from "../../../../shared/providers/marketplace.ts";
import { jpegOf } from "../../../../shared/providers/testing/marketplace.ts";
import { settleBackground } from "../../../testing/api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
} from "../../../testing/factories.ts";
import { connectShop } from "../connections/connect.ts";
import { listingsJob } from "../listings/job.ts";
import { ordersJob } from "../orders/poll.ts";
import { pushChanges } from "../pushes.ts";
import { syncProducts } from "../sync.ts";
import { FakeShop } from "./fake-shop.ts";

/** A store of its own and a shop of its own on a fake marketplace. */
export interface Market {
  seller: TestUser;
  store: TestStore;
  fake: FakeShop;
  ctx: Ctx;
}

/** A context that acts as the seller and meets these marketplaces; its wake-ups go nowhere. */
export function contextWith(actor: TestUser | null, ...shops: MarketplaceClient[]): Ctx {
  const base = contextWithQueues().ctx;
  const marketplaces = { shopee: null, lazada: null, tokopedia: null };
  for (const shop of shops) Object.assign(marketplaces, { [shop.platform]: shop });
  return { ...base, actor, providers: { ...base.providers, marketplaces } };
}

export async function openMarket(platform: Platform = "shopee"): Promise<Market> {
  const seller = await createUser(["buyer", "seller"]);
  const store = await createStore(seller);
  const fake = new FakeShop(platform);
  await forgetCategories(platform);
  return { seller, store, fake, ctx: contextWith(seller, fake) };
}

/** Every fake has categories of its own, and what a platform has told is kept for a day. */
export async function forgetCategories(platform: Platform): Promise<void> {
  await change(sql`delete from market_remote_trees where platform = ${platform}`);
  await change(sql`delete from market_remote_categories where platform = ${platform}`);
}

export async function connect({ ctx, fake }: Market): Promise<void> {
  await connectShop(ctx, { platform: fake.platform, code: fake.grant() });
}

export async function connectedMarket(platform: Platform = "shopee"): Promise<Market> {
  const market = await openMarket(platform);
  await connect(market);
  return market;
}

const Connection = z.object({
  id: z.string(),
  status: z.string(),
  status_reason: z.string().nullable(),
  generation: z.number(),
  pump_seq: z.number(),
  pump_idle: z.boolean(),
  access_token_enc: z.string().nullable(),
  refresh_token_enc: z.string().nullable(),
});

export async function connectionOf({ ctx, store, fake }: Market) {
  const query = sql`select id, status, status_reason, generation, pump_seq, pump_idle, access_token_enc,
    refresh_token_enc from market_connections where store_id = ${store.id} and platform = ${fake.platform}`;
  const [found] = await fresh(ctx).db.run(rows(query, Connection));
  if (!found) throw new Error("no connection");
  return found;
}

/** The same context with a database of its own, whatever was done to the other's. */
const fresh = (ctx: Ctx): Ctx => ({ ...ctx, db: contextWithQueues().ctx.db });

export const change = (query: ReturnType<typeof sql>) =>
  contextWithQueues().ctx.db.run(rows(query, z.unknown()));

/** A product that every fake platform takes: on sale, with a picture that lies in the bucket. */
export async function listable(
  market: Market,
  fields: Parameters<typeof createProduct>[1] = {},
): Promise<TestProduct> {
  const product = await createProduct(market.store, fields);
  await picture(market, [product.id]);
  return product;
}

/** Gives each of these products a picture that lies in the bucket. */
export async function picture({ ctx, seller }: Market, productIds: string[]): Promise<void> {
  const key = `products/${seller.userId}/${"a".repeat(32)}.jpg`;
  await ctx.assets.put(key, PICTURE);
  await change(sql`insert into market_product_images (product_id, url, is_primary)
    select p.id::uuid, ${`${ctx.config.APP_URL}/uploads/${key}`}, true
    from jsonb_array_elements_text(${JSON.stringify(productIds)}::jsonb) p(id)`);
}

/** A connected shop that has these many products in step, before anything is counted. */
export async function listedMarket(
  count = 1,
  fields: Parameters<typeof createProduct>[1] = {},
): Promise<{ market: Market; products: TestProduct[] }> {
  const market = await connectedMarket();
  const products: TestProduct[] = [];
  for (let n = 0; n < count; n += 1) products.push(await createProduct(market.store, fields));
  await picture(
    market,
    products.map(({ id }) => id),
  );
  await syncProducts(market.ctx, { platform: market.fake.platform });
  await pumpDry(market);
  market.fake.calls.length = 0;
  return { market, products };
}

/** Puts products (null: all that are on sale) to work as a sync does, and works on none. */
export const beginSync = ({ seller, fake }: Market, productIds: string[] | null = null) =>
  change(
    sql`select market_marketplace_sync(${JSON.stringify({
      run_id: crypto.randomUUID(),
      user_id: seller.userId,
      platform: fake.platform,
      product_ids: productIds,
      most: 99,
    })}::jsonb)`,
  );

/** A shop with one product in step. */
export async function listed(fields: Parameters<typeof createProduct>[1] = {}) {
  const { market, products } = await listedMarket(1, fields);
  const [product] = products;
  if (!product) throw new Error("nothing is listed");
  return { market, product };
}

/** Cron, after whatever pause: what was left or under way is found again and worked off. */
export async function later(market: Market): Promise<void> {
  await letTimePass(market);
  await pushChanges(market.ctx);
  await pumpDry(market);
}

/** As large as every platform wants one. */
const PICTURE = jpegOf(600, 600);

const Listing = z.object({
  item_id: z.string().nullable(),
  sync_status: z.string(),
  reason: z.string().nullable(),
  dirty: z.boolean(),
  attempts: z.number(),
});

export async function listingOf({ store, fake }: Market, product: TestProduct) {
  const query = sql`select l.item_id, l.sync_status, l.reason, l.dirty, l.attempts from market_listings l
    join market_connections c on c.id = l.connection_id
    where c.store_id = ${store.id} and c.platform = ${fake.platform} and l.product_id = ${product.id}`;
  const [found] = await contextWithQueues().ctx.db.run(rows(query, Listing));
  return found ?? null;
}

/** Runs the shop's pump as it stands; null: it has none. */
export async function pumpOnce(market: Market, ctx: Ctx = market.ctx, job?: JobHandler) {
  const { id, pump_seq: seq } = await connectionOf(market);
  const query = sql`select id from jobs where dedupe_key = ${`market.listings/${id}/${seq}`}`;
  const [found] = await fresh(ctx).db.run(rows(query, z.object({ id: z.string() })));
  return found ? await runJob(ctx, found.id, [job ?? listingsJob()]) : null;
}

/** Lets the waiting time of everything of this shop pass: pauses, claims, leases, jobs to come. */
export async function letTimePass(market: Market): Promise<void> {
  const { id } = await connectionOf(market);
  await change(sql`update market_listings set retry_at = now(), claim_until = now(),
    doubt_at = doubt_at - interval '1 hour' where connection_id = ${id}`);
  await change(sql`update market_connections set blocked_until = null, refresh_retry_at = null,
    refresh_lease_until = now(), read_next_at = null, write_next_at = null, pace_factor = 1 where id = ${id}`);
  await change(sql`update jobs set run_at = now() - interval '1 hour', updated_at = now() - interval '1 hour',
      lease_until = lease_until - interval '1 hour'
    where payload->>'connection_id' = ${id} and finished_at is null`);
}

/** Works everything off, however long it would take in life; what its seller is told of is tried on only hourly. */
export async function pumpDry(market: Market, ctx: Ctx = market.ctx): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    const { id, pump_idle: isIdle } = await connectionOf(market);
    if (isIdle || (round > 0 && !(await hasWork(id)))) return;
    await letTimePass(market);
    await pumpOnce(market, ctx);
  }
  throw new Error("the pump never ends");
}

async function hasWork(connectionId: string): Promise<boolean> {
  const query = sql`select from market_listings l where l.connection_id = ${connectionId} and l.dirty
    and not (l.sync_status = 'error' and coalesce(l.retry_at > now() + interval '30 minutes', false))`;
  return (await contextWithQueues().ctx.db.run(rows(query, z.unknown()))).length > 0;
}

/** Asks the shop for orders, as its turn would. */
export async function poll(market: Market, ctx: Ctx = market.ctx) {
  const { id } = await connectionOf(market);
  const job = {
    id: crypto.randomUUID(),
    kind: "market.orders",
    payload: { connection_id: id },
    state: "queued" as const,
    attempts: 1,
    leaseId: crypto.randomUUID(),
    createdAt: new Date(),
  };
  return await ordersJob.run(ctx, job);
}

export interface Mortal {
  ctx: Ctx;
  steps: () => number;
  /** Resolves when the process was killed; nothing of it acts afterwards. */
  killed: Promise<"killed">;
}

/** The market's context in a process that dies at its `killAt`th call of the database or the platform (from 0). */
export function mortal(market: Market, killAt: number, kill: "before" | "after"): Mortal {
  const never = new Promise<never>(() => undefined);
  const { promise: killed, resolve: die } = Promise.withResolvers<"killed">();
  let steps = 0;
  let dead = false;
  const end = (): Promise<never> => {
    dead = true;
    die("killed");
    return never;
  };
  async function step<T>(act: () => Promise<T>): Promise<T> {
    if (dead) return await never;
    const dies = steps === killAt;
    steps += 1;
    if (dies && kill === "before") return await end();
    const result = await act();
    return dies || dead ? await end() : result;
  }
  const shop = new Proxy(market.fake, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => step(async () => await Reflect.apply(value, target, args));
    },
  });
  const base = contextWith(market.seller, shop);
  const db = new SteppedDatabase(base, step);
  return { ctx: { ...base, db }, steps: () => steps, killed };
}

class SteppedDatabase extends Database {
  readonly #step: <T>(act: () => Promise<T>) => Promise<T>;

  constructor(ctx: Ctx, step: <T>(act: () => Promise<T>) => Promise<T>) {
    const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
    super(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId);
    this.#step = step;
  }

  override batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    return this.#step(() => super.batch(queries, constraints));
  }
}

export { settleBackground };
