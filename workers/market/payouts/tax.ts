import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { seal } from "../../../shared/crypto/seal.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { told } from "../admin/told.ts";
import {
  type TaxStatement,
  type TaxStatementInput,
  TaxStatementShape,
} from "../schemas/payouts.ts";

/** Up to here a year's sales of a person are free of PPh 22, if he states so (PMK 37/2025). */
const FREE_IDR = 500_000_000;

/**
 * Files the actor's statement that he sells for less than Rp 500 million in a year: from then on PPh 22 is withheld
 * only of what exceeds it. Filed again, the tax id is the new one. Refused once the sales here say otherwise.
 */
export async function fileTaxStatement(ctx: Ctx, input: TaxStatementInput): Promise<TaxStatement> {
  const sellerId = actorOf(ctx).userId;
  const { year, tax_id } = input;
  const thisYear = Number(jakartaDay(ctx.now()).slice(0, 4));
  if (year !== thisYear && year !== thisYear + 1) {
    throw new AppError("invalid_input", `year: hanya ${thisYear} atau ${thisYear + 1}`);
  }
  const sealed = await seal(ctx.config, `market-tax/${sellerId}/${year}`, tax_id);
  const trace = told(ctx, {
    action: "market.tax_statement.file",
    subject: "user",
    changed: sql`t`,
    id: sql`t.seller_id`,
    after: sql`jsonb_build_object('year', t.year)`,
  });
  const [filed] = await ctx.db.run(
    rows(
      sql`with t as (
          insert into market_tax_statements as t (seller_id, year, sealed_tax_id, tax_id_last4)
          select ${sellerId}::bigint, ${year}::int, ${sealed}, ${tax_id.slice(-4)}
          where not exists (select from market_turnovers o
            where o.seller_id = ${sellerId} and o.year = ${year} and o.amount > ${FREE_IDR})
          on conflict on constraint market_tax_statements_year_key do update
            set sealed_tax_id = excluded.sealed_tax_id, tax_id_last4 = excluded.tax_id_last4
          returning *
        ), told as (${trace})
        select t.year, t.tax_id_last4, market_iso(t.filed_at) as filed_at from t, told`,
      TaxStatementShape,
    ),
  );
  if (!filed) {
    throw new AppError("conflict", "Penjualan Anda tahun ini sudah melebihi Rp 500.000.000", {
      meta: { year, limit: FREE_IDR },
    });
  }
  return filed;
}

/** A page of the statements that the actor has filed, newest first. */
export async function listTaxStatements(
  ctx: Ctx,
  { page, limit }: { page: number; limit: number },
) {
  const mine = sql`market_tax_statements t where t.seller_id = ${actorOf(ctx).userId}`;
  const [[count], found] = await ctx.db.batch([
    rows(sql`select count(*)::int as total from ${mine}`, z.object({ total: z.number() })),
    rows(
      sql`select t.year, t.tax_id_last4, market_iso(t.filed_at) as filed_at from ${mine}
        order by t.year desc limit ${limit} offset ${(page - 1) * limit}`,
      TaxStatementShape,
    ),
  ]);
  return { rows: found, page, limit, total: count?.total ?? 0 };
}
