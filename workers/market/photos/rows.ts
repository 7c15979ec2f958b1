import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";

const Photo = z.object({
  id: z.uuid(),
  status: z.enum(["queued", "running", "ready", "failed"]),
  source_url: z.string(),
  requested_by: z.coerce.number(),
  /** As Postgres writes it, because a date of ours would lose its last digits. */
  sent_at: z.string().nullable(),
  sent_ms_ago: z.number().nullable(),
  age_ms: z.number(),
  prediction_id: z.string().nullable(),
});
/** A photo as its work sees it. */
export type Photo = z.output<typeof Photo>;

export async function findPhoto(ctx: Ctx, id: string): Promise<Photo | null> {
  const [found] = await ctx.db.run(
    rows(
      sql`select id, status, source_url, requested_by, prediction_id, sent_at::text as sent_at,
          (extract(epoch from clock_timestamp() - sent_at) * 1000)::float8 as sent_ms_ago,
          (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as age_ms
        from market_photos where id = ${id}`,
      Photo,
    ),
  );
  return found ?? null;
}

/** The photo that a prediction is for; a row whose creation was in doubt learns its prediction here. */
export async function photoOf(
  ctx: Ctx,
  prediction: { id: string; photoId: string | null },
): Promise<string | null> {
  const { id, photoId } = prediction;
  const [, [found]] = await ctx.db.batch([
    adopt(photoId, id),
    rows(
      sql`select id from market_photos where prediction_id = ${id} or id = ${photoId}::uuid
        order by prediction_id = ${id} desc nulls last limit 1`,
      z.object({ id: z.uuid() }),
    ),
  ]);
  return found?.id ?? null;
}

/** Notes which prediction works on a photo, unless one does already. */
export const adopt = (photoId: string | null, predictionId: string) =>
  rows(
    sql`update market_photos set prediction_id = ${predictionId}, updated_at = now()
      where id = ${photoId}::uuid and prediction_id is null and sent_at is not null
        and status in ('queued', 'running')`,
    z.unknown(),
  );

/** Whether a photo was taken back while its prediction was being created. */
export async function isEnded(ctx: Ctx, id: string): Promise<boolean> {
  const photo = await findPhoto(ctx, id);
  return photo === null || photo.status === "failed";
}

/** False: somebody else creates the prediction, or has done so. */
export async function claimSending(ctx: Ctx, { id, sent_at: seen }: Photo): Promise<boolean> {
  return await ctx.db.run(call("market_photo_send", { photo_id: id, seen }, z.boolean()));
}

/** The last sending surely never arrived. */
export async function forgetSending(ctx: Ctx, id: string): Promise<void> {
  await ctx.db.run(
    rows(
      sql`update market_photos set sent_at = null, updated_at = now()
        where id = ${id} and prediction_id is null`,
      z.unknown(),
    ),
  );
}

export interface Ending {
  status: "ready" | "failed";
  reason?: string;
  result_url?: string;
  run_ms?: number | null;
  cost_micro_usd?: number | null;
}

/** False: it has ended before. */
export async function finishPhoto(ctx: Ctx, id: string, ending: Ending): Promise<boolean> {
  return await ctx.db.run(call("market_photo_finish", { photo_id: id, ...ending }, z.boolean()));
}
