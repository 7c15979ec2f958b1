import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { likePattern } from "../../shared/http/answers.ts";
import { type Service, type ServiceQuery, ServiceShape } from "./schemas/services.ts";

/** How many matches are counted and can be paged through; a larger result says so instead of being walked. */
export const MAX_MATCHES = 1_000;

export interface ServicePageResult {
  rows: Service[];
  page: number;
  limit: number;
  total: number;
  capped: boolean;
}

const Found = z.object({ total: z.number(), rows: z.array(ServiceShape) });

/** `s` is a service, as anybody may see it; at this price. */
const serviceJson = (
  price: SQL,
) => sql`json_build_object('id', s.id, 'service', s.code, 'code', s.code, 'family', s.family,
  'name', s.name, 'brand', s.brand, 'category', s.category, 'type', s.type, 'note', s.note, 'price', ${price},
  'unit', case s.family when 'social' then 1000 else 1 end, 'min', s.min_quantity, 'max', s.max_quantity,
  'status', ${statusNow()}, 'needsZone', s.needs_zone, 'targetKind', s.target_kind,
  'maintenance', s.maintenance)`;

/** As `topup_order_cost`: the catalogue's price is a plain member's. */
const priceFor = (userId: number) => sql`case when topup_level(${userId}) = 'member' then s.price
  else topup_price(s.supplier_price, s.family, s.brand, topup_level(${userId})) end`;

/** What counts as available: the supplier's word, and enough of a counted stock that no open order has reserved. */
function statusNow(): SQL {
  return sql`case when s.status = 'available' and s.stock_type <> 'OUT_OF_STOCK'
    and (s.stock_type <> 'LIMITED' or s.stock > s.reserved) then 'available' else 'empty' end`;
}

const ORDERS = {
  name: sql`s.name, s.id`,
  price: sql`s.price, s.id`,
  "-price": sql`s.price desc, s.id desc`,
} as const;

/**
 * A page of the services on sale that fit every filter. Who is known sees the prices that his orders pay; they are sorted
 * by the catalogue's, as for everybody.
 */
export async function listServices(ctx: Ctx, query: ServiceQuery): Promise<ServicePageResult> {
  const { page, limit } = query;
  const offset = (page - 1) * limit;
  const shown = Math.max(0, Math.min(limit, MAX_MATCHES - offset));
  const matches = sql`topup_services s where ${matching(query)}`;
  const order = ORDERS[query.sort ?? "name"];
  const json = serviceJson(ctx.actor ? priceFor(ctx.actor.userId) : sql`s.price`);
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from (select from ${matches} limit ${MAX_MATCHES + 1}) m) as total,
        (select coalesce(json_agg(${json} order by ${order}), '[]')
          from (select s.* from ${matches} order by ${order}
            limit ${shown} offset ${Math.min(offset, MAX_MATCHES)}) s) as rows`,
      Found,
    ),
  );
  const total = found?.total ?? 0;
  return {
    rows: found?.rows ?? [],
    page,
    limit,
    total: Math.min(total, MAX_MATCHES),
    capped: total > MAX_MATCHES,
  };
}

function matching(query: ServiceQuery): SQL {
  const conditions = [sql`s.status <> 'gone' and s.active`];
  if (query.family) conditions.push(sql`s.family = ${query.family}`);
  if (query.brand) conditions.push(sql`lower(s.brand) = lower(${query.brand})`);
  if (query.category) conditions.push(sql`lower(s.category) = lower(${query.category})`);
  if (query.status) conditions.push(sql`${statusNow()} = ${query.status}`);
  for (const word of query.q ?? query.search ?? []) {
    conditions.push(sql`s.brand || ' ' || s.name ilike ${likePattern(word)}`);
  }
  return sql.join(conditions, sql` and `);
}
