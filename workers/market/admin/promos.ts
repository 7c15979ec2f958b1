import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { allOf, promoJson } from "../catalogue-rows.ts";
import { PROMO_ERRORS, promoChange, promoEnd } from "../promos.ts";
import { promoId, promoNotFound } from "../refusals.ts";
import { type NewPromo, type Promo, type PromoChanges, PromoShape } from "../schemas/promos.ts";
import { told } from "./told.ts";

/**
 * Codes of the whole market (`store_id` null). They count in every store, and the market pays for them: the discount
 * is booked from promo/market into the order's escrow, so that the seller and the commission lose nothing by it.
 */
const Row = z.object({ promo: PromoShape });

interface PromosQuery {
  page: number;
  limit: number;
  store_id?: string | undefined;
  search?: string[] | undefined;
}

/** A page of the market's codes, or of one store's, newest first. */
export async function listAllPromos(ctx: Ctx, query: PromosQuery) {
  const { page, limit, store_id: store = null, search = [] } = query;
  const conditions = [
    sql`c.deleted_at is null`,
    store === null ? sql`c.store_id is null` : sql`c.store_id = ${store}::uuid`,
    ...search.map((word) => sql`position(upper(${word}) in c.code) > 0`),
  ];
  const matches = sql`market_promo_codes c where ${allOf(conditions)}`;
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from ${matches}) as total,
          (select coalesce(json_agg(${promoJson} order by c.created_at desc, c.id desc), '[]')
            from (select c.* from ${matches} order by c.created_at desc, c.id desc
              limit ${limit} offset ${(page - 1) * limit}) c) as rows`,
      z.object({ total: z.number(), rows: z.array(PromoShape) }),
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return { ...found, page, limit };
}

const trace = (ctx: Ctx, verb: string) =>
  told(ctx, {
    action: `market.promo.${verb}`,
    subject: "market_promo",
    changed: sql`c`,
    after: sql`jsonb_build_object('code', t.code, 'type', t.type, 'value', t.value, 'is_active', t.is_active,
      'max_uses', t.max_uses, 'min_purchase', t.min_purchase, 'ends_at', t.ends_at)`,
  });

/** Adds a code for every store. */
export async function createMarketPromo(ctx: Ctx, input: NewPromo): Promise<Promo> {
  const fields = { ...input, starts_at: input.starts_at ?? ctx.now().toISOString() };
  const [created] = await ctx.db.run(
    rows(
      sql`with c as (
          insert into market_promo_codes
            (store_id, created_by, code, type, value, min_purchase, max_uses, starts_at, ends_at, is_active)
          select null, ${actorOf(ctx).userId}, n.code, n.type, n.value, n.min_purchase, n.max_uses, n.starts_at,
            n.ends_at, n.is_active
          from jsonb_populate_record(null::market_promo_codes, ${JSON.stringify(fields)}::jsonb) n
          returning *
        ), told as (${trace(ctx, "create")})
        select ${promoJson} as promo from c, told`,
      Row,
    ),
    PROMO_ERRORS,
  );
  if (!created) throw new Error("an insert without a row");
  return created.promo;
}

/** Changes what is given of a code of the market; a store's code is its seller's. */
export async function updateMarketPromo(ctx: Ctx, { id, ...fields }: PromoChanges): Promise<Promo> {
  const [updated] = await ctx.db.run(
    rows(
      sql`with c as (
          update market_promo_codes c
          set ${promoChange(fields)}
          where c.id = ${promoId(id)} and c.store_id is null and c.deleted_at is null
          returning c.*
        ), told as (${trace(ctx, "update")})
        select ${promoJson} as promo from c, told`,
      Row,
    ),
    PROMO_ERRORS,
  );
  if (!updated) throw promoNotFound();
  return updated.promo;
}

/** Ends a code, a store's too: an admin may stop any. */
export async function endPromo(ctx: Ctx, id: string): Promise<{ id: string }> {
  const [ended] = await ctx.db.run(
    rows(
      sql`with c as (
          update market_promo_codes c
          set ${promoEnd}
          where c.id = ${promoId(id)} and c.deleted_at is null
          returning c.*
        ), told as (${trace(ctx, "delete")})
        select c.id from c, told`,
      z.object({ id: z.string() }),
    ),
  );
  if (!ended) throw promoNotFound();
  return ended;
}
