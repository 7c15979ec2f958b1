import { sql } from "drizzle-orm";
import { expect, vi } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { enqueue, runJob } from "../../../shared/jobs/jobs.ts";
import { repriceJob } from "../reprice.ts";

const PATIENCE = { interval: 10, timeout: 20_000 };

/** Has the catalogue put in line with the margin rules, as the job does that a change of a rule leaves. */
export async function reprice(ctx: Ctx): Promise<void> {
  const job = { kind: repriceJob.kind, queue: repriceJob.queue, dedupeKey: null, payload: {} };
  const made = await ctx.db.run(enqueue(job));
  await repriced(ctx, made?.id ?? "");
}

/** Until that job is done, here or by the queue's consumer, whoever is first. */
export async function repriced(ctx: Ctx, jobId: string): Promise<void> {
  await runJob(ctx, jobId, [repriceJob]);
  const State = z.object({ state: z.string() });
  const state = () => ctx.db.run(rows(sql`select state from jobs where id = ${jobId}`, State));
  await vi.waitFor(async () => expect(await state()).toEqual([{ state: "success" }]), PATIENCE);
}

/** For tests that made rules by the API: none is left, nor a job that would re-price another test's services. */
export async function endRepricing(ctx: Ctx): Promise<void> {
  const under = sql`with ended as (
      update jobs set state = 'cancelled', finished_at = now() where kind = ${repriceJob.kind} and state = 'queued'),
    gone as (delete from topup_margin_rules)
    select count(*)::int as n from jobs where kind = ${repriceJob.kind} and state = 'running'`;
  const running = () => ctx.db.run(rows(under, z.object({ n: z.number() })));
  await vi.waitFor(async () => expect(await running()).toEqual([{ n: 0 }]), PATIENCE);
}
