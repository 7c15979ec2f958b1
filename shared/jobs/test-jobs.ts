import { sql } from "drizzle-orm";
import { z } from "zod";
import { unique } from "../../workers/testing/factories.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { enqueue, type Job, type JobHandler, type JobOutcome, type NewJob } from "./jobs.ts";

const jobRow = z.object({
  state: z.string(),
  attempts: z.number(),
  progress: z.number(),
  result: z.unknown(),
  error: z.string().nullable(),
  wait_seconds: z.number(),
});
export type JobRow = z.output<typeof jobRow>;

export async function createJob(ctx: Ctx, changes: Partial<NewJob> = {}): Promise<string> {
  const made = await ctx.db.run(
    enqueue({ kind: "test", queue: "provisioning", dedupeKey: unique(), payload: {}, ...changes }),
  );
  if (!made) throw new Error("no job was made");
  return made.id;
}

export async function readJob(ctx: Ctx, id: string): Promise<JobRow> {
  const query = sql`select state, attempts, progress, result, error,
    extract(epoch from run_at - now())::float8 as wait_seconds from jobs where id = ${id}`;
  const [row] = await ctx.db.run(rows(query, jobRow));
  if (!row) throw new Error("no such job");
  return row;
}

/** Lets an hour pass for one job: it is due, its lease has run out, and nobody has touched it lately. */
export async function age(ctx: Ctx, id: string): Promise<void> {
  await ctx.db.run(
    rows(
      sql`update jobs set run_at = run_at - interval '1 hour', lease_until = lease_until - interval '1 hour',
        updated_at = updated_at - interval '1 hour' where id = ${id}`,
      z.unknown(),
    ),
  );
}

/** A handler of kind "test" that notes the jobs it was given and answers in turn, the last answer for ever. */
export function recordingHandler(...answers: (JobOutcome | Error)[]): JobHandler & { ran: Job[] } {
  const ran: Job[] = [];
  return {
    kind: "test",
    queue: "provisioning",
    ran,
    async run(_ctx, job) {
      const answer = answers[Math.min(ran.length, answers.length - 1)] ?? { state: "success" };
      ran.push(job);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}
