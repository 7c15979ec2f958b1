import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { claimOf } from "../../shared/http/idempotency.ts";
import { asAgency, requireAgency } from "./agencies/owner.ts";
import { offsetOf, type Page } from "./paging.ts";
import { ListedSalary, type SalaryForm, SalaryShape } from "./schemas/agencies.ts";

export type SalaryRequest = z.output<typeof SalaryShape>;

/** A host asks his agency for his salary of a week, this one or one that is over; lives and minutes are counted here. */
export async function askSalary(
  ctx: Ctx,
  form: SalaryForm,
  idempotencyKey?: string,
): Promise<SalaryRequest> {
  const input = {
    host_id: actorOf(ctx).userId,
    year: form.year ?? null,
    week_number: form.weekNumber ?? null,
    salary_amount: form.salaryAmount,
    claim: await claimOf(ctx, idempotencyKey, form),
  };
  return await ctx.db.run(call("live_salary_ask", input, SalaryShape));
}

/**
 * The agency's answer, once. An approval moves the coins from the owner's wallet to the host's in the same transaction;
 * with too few of them (`insufficient_balance`) the request stays as it was. `agencyId`: the agency that the path names.
 */
export async function decideSalary(
  ctx: Ctx,
  { requestId, approve, agencyId }: { requestId: number; approve: boolean; agencyId?: number },
  idempotencyKey?: string,
): Promise<SalaryRequest> {
  const input = {
    request_id: requestId,
    owner_id: actorOf(ctx).userId,
    approve,
    claim: await claimOf(ctx, idempotencyKey, { requestId, approve }),
  };
  const decide = call("live_salary_decide", input, SalaryShape);
  if (agencyId === undefined) return await ctx.db.run(decide);
  const [, decided] = await ctx.db.batch([requireAgency(ctx, agencyId), decide]);
  return decided;
}

/** Requests that were made to an agency, newest first. */
export async function listSalaries(
  ctx: Ctx,
  { agencyId, ...page }: Page & { agencyId: number },
): Promise<z.output<typeof ListedSalary>[]> {
  const found = await asAgency(
    ctx,
    agencyId,
    rows(
      sql`select live_salary_row(r) || jsonb_build_object('host_name', u.name) as row
        from live_salary_requests r join identity_users u on u.id = r.host_id
        where r.agency_id = ${agencyId} order by r.id desc limit ${page.limit} offset ${offsetOf(page)}`,
      z.object({ row: ListedSalary }),
    ),
  );
  return found.map(({ row }) => row);
}
