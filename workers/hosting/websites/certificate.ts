import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import type { JobHandler, JobOutcome } from "../../../shared/jobs/jobs.ts";
import { siteRef } from "./site.ts";
import { lostTurn, type Turn, withTurn } from "./turn.ts";

const Payload = z.object({ website_id: z.uuid() });

const MINUTE_MS = 60_000;
/** A new domain points to us when its owner gets to it. Its issuer counts failures, five an hour at most. */
const PAUSES_MINUTES = [5, 15, 30, 60, 120, 240, 480, 720, 1_440, 1_440, 1_440];

/**
 * Gets a site its certificate. That the domain does not point to the server yet is the usual case and nobody's fault: it
 * is tried for a week, ever more seldom, and then left until its owner asks.
 */
export const issueCertificateJob: JobHandler = {
  kind: "hosting.issue-certificate",
  queue: "provisioning",
  async run(ctx, job) {
    const { website_id: websiteId } = Payload.parse(job.payload);
    const input = { websiteId, purpose: { purpose: "visit" } } as const;
    return await withTurn(ctx, job, input, (turn) => issue(ctx, turn));
  },
};

async function issue(ctx: Ctx, turn: Turn): Promise<JobOutcome> {
  const { driver, site } = turn;
  const ref = siteRef(site);
  if (!ref) return { state: "failed", error: "an active site that lies nowhere" };
  const known = await driver.findCertificate(ref);
  // The server is away: that is none of the tries.
  if (known.state !== "done") return { state: "retry", error: known.detail };
  if (!known.value) {
    const issued = await driver.issueCertificate(ref);
    if (issued.state !== "done") return await later(turn, issued.detail);
  }
  const seen = known.value ? known : await driver.findCertificate(ref);
  if (seen.state !== "done") return await later(turn, seen.detail);
  if (!seen.value) return await later(turn, "issued, but not served");
  const until = seen.value.notAfter?.toISOString() ?? null;
  await ctx.db.run(
    rows(
      sql`update hosting_websites set certificate_until = ${until}, updated_at = now() where id = ${site.id}`,
      z.unknown(),
    ),
  );
  return { state: "success", result: { certificate: true } };
}

async function later(turn: Turn, error: string): Promise<JobOutcome> {
  const tries = await turn.refused();
  if (tries === 0) return lostTurn();
  const minutes = PAUSES_MINUTES[tries - 1];
  if (minutes === undefined) return { state: "success", result: { certificate: false, error } };
  return { state: "retry", error, afterMs: minutes * MINUTE_MS };
}
