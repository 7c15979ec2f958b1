import { z } from "zod";
import { call } from "../../shared/db/statement.ts";
import { extendLease, type JobHandler } from "../../shared/jobs/jobs.ts";

/** Services a transaction: some tens of milliseconds for which an order of one of them may wait. */
const BATCH = 1_000;
const LEASE_SECONDS = 120;

const Done = z.object({ changed: z.number(), last: z.uuid().nullable() });

/**
 * Puts the catalogue's prices in line with the margin rules after one was changed. Whatever died in between: what is in
 * line already is not written again.
 */
export const repriceJob: JobHandler = {
  kind: "topup.reprice",
  queue: "topup",
  async run(ctx, job) {
    let after: string | null = null;
    let changed = 0;
    do {
      if (!(await extendLease(ctx, job, LEASE_SECONDS))) return { state: "retry", error: "lease" };
      const input: Record<string, unknown> = { after, limit: BATCH };
      const done = await ctx.db.run(call("topup_reprice_some", input, Done));
      changed += done.changed;
      after = done.last;
    } while (after !== null);
    ctx.log.info("catalogue re-priced", { changed });
    return { state: "success", result: { changed } };
  },
};
