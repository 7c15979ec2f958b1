import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { runJob, type Wake, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { isUuid } from "../schemas/fields.ts";
import {
  Listing,
  type ListingsQuery,
  MOST_PRODUCTS,
  SyncFailure,
  type SyncInput,
  SyncProgress,
} from "../schemas/marketplace.ts";
import { listingsJob } from "./listings/job.ts";

/** So long an answer waits for a run, and only for one that has a chance. */
const WAIT_MS = 2_000;
const SMALL = 25;
/** Begins nothing that the answer would not wait for. */
const INLINE_SLICE_MS = 1_700;
const LOOK_STEPS_MS = [200, 300, 500, 500, 450];

const Run = SyncProgress.omit({ failures: true });
const Begun = z.object({ run: Run, wake: wakeSchema });

/**
 * Brings products of the actor's store to a marketplace: all of them, or those named. A small run is worked on while
 * the caller waits, up to two seconds; what is `pending` then goes on by itself under `job_id`. Errors: `invalid_input`
 * (not connected, nothing to sync), `not_found` (a product of somebody else). Under `runId` it can be taken back
 * (SQL function `market_assistant_undo_sync`).
 * Source: spec/tokoblitar.md, POST /api/seller/marketplace/sync.
 */
export async function syncProducts(
  ctx: Ctx,
  { platform, product_ids: ids }: SyncInput,
  runId = uuidv7(ctx.now()),
) {
  const input = {
    run_id: runId,
    user_id: actorOf(ctx).userId,
    platform,
    product_ids: ids ?? null,
    most: MOST_PRODUCTS,
  };
  const { run, wake: wakes } = await ctx.db.run(call("market_marketplace_sync", input, Begun));
  const isSmall = run.total <= SMALL;
  const done = isSmall ? await waitFor(ctx, run.job_id, wakes[0]) : run;
  if (!isSmall) wake(ctx, wakes);
  const { job_id, synced, failed, pending } = done;
  return { synced, failed, pending, job_id };
}

/** Works here where no pump is at work yet; its wake-up by cron is the net under this isolate. */
async function waitFor(ctx: Ctx, runId: string, pump: Wake | undefined) {
  if (pump) {
    const job = listingsJob({ sliceMs: INLINE_SLICE_MS });
    const working = runJob(ctx, pump.id, [job]).then(() => undefined);
    ctx.waitUntil(working);
    await Promise.race([working, pause(WAIT_MS)]);
    return await readRun(ctx, runId);
  }
  for (const ms of LOOK_STEPS_MS) {
    await pause(ms);
    const run = await readRun(ctx, runId);
    if (run.pending === 0) return run;
  }
  return await readRun(ctx, runId);
}

async function readRun(ctx: Ctx, runId: string) {
  const query = sql`select market_marketplace_run(${runId}) as run`;
  const [found] = await ctx.db.run(rows(query, z.object({ run: Run.nullable() })));
  if (!found?.run) throw notFound("Sinkronisasi tidak ditemukan");
  return found.run;
}

/** How far a run of the actor's store is, and why products of it could not be listed. */
export async function getRun(ctx: Ctx, runId: string): Promise<z.output<typeof SyncProgress>> {
  const missing = () => notFound("Sinkronisasi tidak ditemukan");
  if (!isUuid(runId)) throw missing();
  const [found] = await ctx.db.run(
    rows(
      sql`select market_marketplace_run(r.id) as run, (
          select coalesce(jsonb_agg(jsonb_build_object('product_id', f.id, 'name', f.name, 'reason', f.reason)), '[]')
          from (select p.id, p.name, i.reason from market_sync_items i
            join market_listings l on l.id = i.listing_id join market_products p on p.id = l.product_id
            where i.run_id = r.id and i.outcome = 'failed' order by p.name, p.id limit 100) f) as failures
        from market_sync_runs r
        join market_connections c on c.id = r.connection_id
        join market_stores s on s.id = c.store_id and s.deleted_at is null
        where r.id = ${runId} and s.user_id = ${actorOf(ctx).userId}`,
      z.object({ run: Run, failures: z.array(SyncFailure) }),
    ),
  );
  if (!found) throw missing();
  return { ...found.run, failures: found.failures };
}

/** A page of the actor's listings, those that need him first. */
export async function listListings(
  ctx: Ctx,
  query: z.output<z.ZodObject<typeof ListingsQuery.shape>>,
) {
  const { page, limit, platform = null, status = null } = query;
  const matches = sql`from market_listings l
    join market_connections c on c.id = l.connection_id
    join market_stores s on s.id = c.store_id and s.deleted_at is null
    join market_products p on p.id = l.product_id
    where s.user_id = ${actorOf(ctx).userId} and (${platform}::text is null or c.platform = ${platform})
      and (${status}::text is null or l.sync_status = ${status})`;
  const [[count], found] = await ctx.db.batch([
    rows(sql`select count(*)::int as total ${matches}`, z.object({ total: z.number() })),
    rows(
      sql`select l.id, c.platform, p.id as product_id, p.name, l.item_id as platform_product_id, l.sync_status,
          case when l.wanted or l.sync_status = 'error' then l.reason
            else 'Tidak ditayangkan: sinkronisasinya dibatalkan' end as reason,
          market_iso(l.last_synced_at) as last_synced_at ${matches}
        order by l.sync_status = 'error' desc, l.sync_status = 'pending' desc, p.name, l.id
        limit ${limit} offset ${(page - 1) * limit}`,
      z.object({ ...Listing.shape }),
    ),
  ]);
  return { rows: found, page, limit, total: count?.total ?? 0 };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
