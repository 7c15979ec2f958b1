import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";

const whole = (name: string, min: number, max: number) => {
  const words = `invalid ${name}`;
  return z.number().int(words).min(min, words).max(max, words);
};

/** What may be changed of a server's policy; all of it is optional. */
export const policyChange = z.strictObject({
  enabled: z.boolean().optional(),
  /** Which kinds are made each day. */
  state: z.boolean().optional(),
  sites: z.boolean().optional(),
  databases: z.boolean().optional(),
  /** Of the day in Jakarta. */
  hour: whole("hour", 0, 23).optional(),
  keep_daily: whole("keep_daily", 1, 365).optional(),
  keep_weekly: whole("keep_weekly", 0, 260).optional(),
  keep_monthly: whole("keep_monthly", 0, 120).optional(),
  to_r2: z.boolean().optional(),
  /** Each backup is proven again after so many days, and the operator is told after so many without a proof. */
  prove_days: whole("prove_days", 1, 90).optional(),
  unproven_days: whole("unproven_days", 2, 180).optional(),
});

export const policyView = z.object({
  server_id: z.string(),
  ...{ enabled: z.boolean(), state: z.boolean(), sites: z.boolean(), databases: z.boolean() },
  ...{ hour: z.number(), keep_daily: z.number(), keep_weekly: z.number() },
  ...{ keep_monthly: z.number(), to_r2: z.boolean() },
  ...{ prove_days: z.number(), unproven_days: z.number() },
});

export async function getPolicy(ctx: Ctx, server: string | null) {
  return await ctx.db.run(call("panel_backup_policy_get", { server }, policyView));
}

/** Changes what is given; retention acts with the next minute's run. */
export async function changePolicy(
  ctx: Ctx,
  server: string | null,
  policy: z.output<typeof policyChange>,
) {
  const input = { server, policy, audit: auditContext(ctx) };
  return await ctx.db.run(call("panel_backup_policy_put", input, policyView));
}
