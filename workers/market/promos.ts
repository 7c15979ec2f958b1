import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import type { ConstraintErrors } from "../../shared/db/errors.ts";
import { rows } from "../../shared/db/statement.ts";
import { AppError, notFound, wrongField } from "../../shared/http/errors.ts";
import { promoJson } from "./catalogue-rows.ts";
import { promoId, promoNotFound } from "./refusals.ts";
import { type NewPromo, type Promo, type PromoChanges, PromoShape } from "./schemas/promos.ts";

export const PROMO_ERRORS: ConstraintErrors = {
  market_promo_codes_code_key: () => new AppError("conflict", "Kode promo sudah dipakai"),
  market_promo_codes_value_sane: () => wrongField("value", "Potongan persen paling besar 100"),
  market_promo_codes_dates: () => wrongField("ends_at", "Harus sesudah starts_at"),
  market_promo_codes_uses: () =>
    wrongField("max_uses", "Tidak boleh kurang dari yang sudah digunakan"),
};

/** Sets what is given of a code `c`; how often it was used is nobody's to say (TB-5). */
export const promoChange = (fields: Omit<PromoChanges, "id">) => sql`
  (code, type, value, min_purchase, max_uses, starts_at, ends_at, is_active, updated_at) = (
    select n.code, n.type, n.value, n.min_purchase, n.max_uses, n.starts_at, n.ends_at, n.is_active, now()
    from jsonb_populate_record(c, ${JSON.stringify(fields)}::jsonb) n)`;

/** Ends a code `c`. The row stays for the orders that used it and gives its name back. */
export const promoEnd = sql`deleted_at = now(), updated_at = now(), is_active = false,
  code = c.code || '~' || upper(c.id::text)`;

const Row = z.object({ promo: PromoShape });

/** Codes of the actor's own store that are not deleted; `c` joins its store `s`. */
const own = (ctx: Ctx) =>
  sql`s.id = c.store_id and s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null and c.deleted_at is null`;

/** A page of the actor's promo codes, newest first. */
export async function listPromos(ctx: Ctx, query: { page: number; limit: number }) {
  const { page, limit } = query;
  const matches = sql`market_promo_codes c where c.store_id = s.id and c.deleted_at is null`;
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from ${matches}) as total,
          (select coalesce(json_agg(${promoJson} order by c.created_at desc, c.id desc), '[]')
            from (select c.* from ${matches} order by c.created_at desc, c.id desc
              limit ${limit} offset ${(page - 1) * limit}) c) as rows
        from market_stores s where s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null`,
      z.object({ total: z.number(), rows: z.array(PromoShape) }),
    ),
  );
  if (!found) throw notFound("Store not found");
  return { ...found, page, limit };
}

/** Adds a code to the actor's store; under `id`, where its maker needs to know it. Codes are unique over all stores. */
export async function createPromo(
  ctx: Ctx,
  input: NewPromo,
  id: string | null = null,
): Promise<Promo> {
  const { userId } = actorOf(ctx);
  const fields = { ...input, starts_at: input.starts_at ?? ctx.now().toISOString() };
  const [created] = await ctx.db.run(
    rows(
      sql`with c as (
          insert into market_promo_codes
            (id, store_id, created_by, code, type, value, min_purchase, max_uses, starts_at, ends_at, is_active)
          select coalesce(${id}::uuid, uuidv7()), s.id, s.user_id, n.code, n.type, n.value, n.min_purchase, n.max_uses, n.starts_at, n.ends_at, n.is_active
          from market_stores s, jsonb_populate_record(null::market_promo_codes, ${JSON.stringify(fields)}::jsonb) n
          where s.user_id = ${userId} and s.deleted_at is null
          returning *
        )
        select ${promoJson} as promo from c`,
      Row,
    ),
    PROMO_ERRORS,
  );
  if (!created) throw notFound("Store not found");
  return created.promo;
}

/** Changes what is given of the actor's code. */
export async function updatePromo(ctx: Ctx, { id, ...fields }: PromoChanges): Promise<Promo> {
  const [updated] = await ctx.db.run(
    rows(
      sql`with c as (
          update market_promo_codes c
          set ${promoChange(fields)}
          from market_stores s where c.id = ${promoId(id)} and ${own(ctx)}
          returning c.*
        )
        select ${promoJson} as promo from c`,
      Row,
    ),
    PROMO_ERRORS,
  );
  if (!updated) throw promoNotFound();
  return updated.promo;
}

/** Ends the actor's code. */
export async function deletePromo(ctx: Ctx, id: string): Promise<{ id: string }> {
  const [deleted] = await ctx.db.run(
    rows(
      sql`update market_promo_codes c
        set ${promoEnd}
        from market_stores s where c.id = ${promoId(id)} and ${own(ctx)}
        returning c.id`,
      z.object({ id: z.string() }),
    ),
  );
  if (!deleted) throw promoNotFound();
  return deleted;
}
