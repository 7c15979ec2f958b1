import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { likePattern } from "../../../shared/http/answers.ts";
import { allOf, storeJson } from "../catalogue-rows.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { storeId, storeNotFound } from "../refusals.ts";
import { type AdminStore, AdminStoreShape, type AdminStoresQuery } from "../schemas/admin.ts";
import { type Store, StoreShape } from "../schemas/stores.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { told } from "./told.ts";

const adminStoreJson = (ctx: Ctx) => sql`(${storeJson(ctx)})::jsonb || jsonb_build_object(
  'owner', (select jsonb_build_object('id', u.id, 'full_name', u.name, 'email', u.email)
    from identity_users u where u.id = s.user_id),
  'product_count', (select count(*) from market_products p where p.store_id = s.id and p.deleted_at is null),
  'open_orders', market_open_orders(s.id),
  'deletion_pending', exists (select from market_store_deletions d where d.store_id = s.id))`;

function conditionsOf({ search, q, status, featured, deleted }: AdminStoresQuery): SQL {
  const conditions = [deleted ? sql`s.deleted_at is not null` : sql`s.deleted_at is null`];
  if (status) conditions.push(sql`s.status = ${status}`);
  if (featured !== undefined) conditions.push(sql`s.is_featured = ${featured}`);
  for (const word of search ?? q ?? []) {
    const like = likePattern(word);
    conditions.push(sql`(s.name ilike ${like} or s.slug ilike ${like} or exists (
      select from identity_users u where u.id = s.user_id and (u.email ilike ${like} or u.name ilike ${like})))`);
  }
  return allOf(conditions);
}

/** A page of all stores, newest first, with their owners; each word of `search` is in a name, slug or address. */
export async function listStores(ctx: Ctx, query: AdminStoresQuery) {
  const { page, limit } = query;
  const matches = sql`market_stores s where ${conditionsOf(query)}`;
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from ${matches}) as total,
          (select coalesce(jsonb_agg(${adminStoreJson(ctx)} order by s.created_at desc, s.id desc), '[]')
            from (select s.* from ${matches} order by s.created_at desc, s.id desc
              limit ${limit} offset ${(page - 1) * limit}) s) as rows`,
      z.object({ total: z.number(), rows: z.array(AdminStoreShape) }),
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return { ...found, page, limit };
}

async function oneStore(ctx: Ctx, id: string): Promise<AdminStore> {
  const query = sql`select ${adminStoreJson(ctx)} as store from market_stores s where s.id = ${id}`;
  const [found] = await ctx.db.run(rows(query, z.object({ store: AdminStoreShape })));
  if (!found) throw storeNotFound();
  return found.store;
}

/** Puts a store on the market's front page, or takes it off. */
export async function featureStore(ctx: Ctx, id: string, featured: boolean): Promise<Store> {
  const audit = told(ctx, {
    action: "market.store.feature",
    subject: "market_store",
    changed: sql`s`,
    after: sql`jsonb_build_object('is_featured', t.is_featured)`,
  });
  const [changed] = await ctx.db.run(
    rows(
      sql`with s as (
          update market_stores s set is_featured = ${featured}, updated_at = now()
          where s.id = ${storeId(id)} and s.deleted_at is null returning s.*
        ), told as (${audit})
        select ${storeJson(ctx)} as store from s, told`,
      z.object({ store: StoreShape }),
    ),
  );
  if (!changed) throw storeNotFound();
  refreshStorefront(ctx, changed.store.slug);
  return changed.store;
}

/** Opens or closes a store: a closed one takes no new orders, and its pages say so. */
export async function setStoreStatus(
  ctx: Ctx,
  id: string,
  change: { status: string; reason: string },
): Promise<AdminStore> {
  const input = { store_id: storeId(id), ...change, audit: auditContext(ctx) };
  const { slug } = await ctx.db.run(
    call("market_admin_store_status", input, z.object({ slug: z.string() })),
  );
  refreshStorefront(ctx, slug);
  pushSoon(ctx, input.store_id);
  return await oneStore(ctx, id);
}

const Deleted = z.object({
  id: z.string(),
  slug: z.string(),
  deleted: z.boolean(),
  open_orders: z.number(),
});

/**
 * Deletes a store softly. While it has open orders: `conflict` {open_orders}, or with `defer` it closes now and is
 * deleted with the end of the last one.
 */
export async function deleteStore(ctx: Ctx, id: string, defer: boolean) {
  const input = {
    store_id: storeId(id),
    defer,
    actor_id: actorOf(ctx).userId,
    audit: auditContext(ctx),
  };
  const { slug, ...deleted } = await ctx.db.run(call("market_admin_store_delete", input, Deleted));
  refreshStorefront(ctx, slug);
  pushSoon(ctx, deleted.id);
  return deleted;
}

const DUE_AT_ONCE = 50;

/** For the hourly cron: stores whose deletion waited for their last order. */
export async function finishStoreDeletions(ctx: Ctx): Promise<void> {
  const output = z.object({ slugs: z.array(z.string()) });
  const { slugs } = await ctx.db.run(
    call("market_admin_deletions_due", { most: DUE_AT_ONCE }, output),
  );
  for (const slug of slugs) refreshStorefront(ctx, slug);
}
