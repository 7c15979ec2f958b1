import type { Ctx } from "../../../shared/context.ts";
import { extendLease, type Job } from "../../../shared/jobs/jobs.ts";

/** Longer than any one request to the supplier lasts with its repetitions. */
const LEASE_SECONDS = 300;
const EVERY_MS = 60_000;

/**
 * Keeps a job's lease for as long as it is asked to, at a round trip a minute: a supplier that answers slowly would have
 * the work begun anew by somebody else, and by the next after him. False: it is somebody else's now, so stop.
 */
export function keepLease(ctx: Ctx, job: Job): () => Promise<boolean> {
  let keptAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (Date.now() - keptAt < EVERY_MS) return true;
    keptAt = Date.now();
    return await extendLease(ctx, job, LEASE_SECONDS);
  };
}
