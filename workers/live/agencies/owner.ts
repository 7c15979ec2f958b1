import { actorOf, type Ctx } from "../../../shared/context.ts";
import type { Statement } from "../../../shared/db/statement.ts";

/** Holds only for the owner of that approved agency; goes first in the batch of whatever the agency asks. */
export function requireAgency(ctx: Ctx, agencyId: number): Statement<unknown> {
  return {
    sql: "select live_require_agency($1::bigint, $2::bigint)",
    params: [actorOf(ctx).userId, agencyId],
    arrayMode: true,
    map: () => undefined,
  };
}

/** Answers whatever the agency's own statement answers, in the same transaction as the check. */
export async function asAgency<T>(ctx: Ctx, agencyId: number, work: Statement<T>): Promise<T> {
  const [, result] = await ctx.db.batch([requireAgency(ctx, agencyId), work]);
  return result;
}
