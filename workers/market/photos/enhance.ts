import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { runJob, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { requireFeature } from "../admin/features.ts";
import { ownImagePath, pictureUrl, pictureUrlOrNull } from "../images.ts";
import { productId } from "../refusals.ts";
import { isUuid } from "../schemas/fields.ts";
import { type EnhanceAnswer, PhotoJob } from "../schemas/photos.ts";
import { photoJob } from "./job.ts";
import { requireSource } from "./source.ts";
import { replicateOf } from "./work.ts";

/** So long the answer waits for the result. */
const WAIT_MS = 2_000;
/** After the second that the creation itself waits, the result is looked for once more within the answer's time. */
const LOOK_AGAIN_MS = 500;
/** How often a row is looked at that somebody else works on: who asked first, or a webhook. */
const LOOK_MS = 250;

const Begun = z.object({ photo: PhotoJob, job_id: z.uuid().nullable(), wake: wakeSchema });

/**
 * Makes a picture of the actor's better; the original stays, and the seller chooses with the product's images. Asked
 * again for the same picture it answers with the same work, and pays once. Errors: `invalid_input` (not an own upload,
 * too large), `not_found`, `rate_limited` (the day's photos are used up), `forbidden` (switched off for the store),
 * `not_configured`. A new work bears the id `photoId`, under which it can be taken back (SQL function
 * `market_assistant_undo_photo`).
 * Source: spec/tokoblitar.md, POST /api/seller/products/[id]/enhance-photo.
 */
export async function enhancePhoto(
  ctx: Ctx,
  input: { productId: string; imageUrl: string; photoId?: string },
): Promise<EnhanceAnswer> {
  ctx.db.also(requireFeature(ctx, "photo_enhance"));
  // The session is checked by a first query, and refusals below come without one.
  await ctx.db.passGate();
  replicateOf(ctx);
  const asked = {
    user_id: actorOf(ctx).userId,
    product_id: productId(input.productId),
    source_url: ownImagePath(ctx, input.imageUrl, "image_url"),
  };
  const known = await ctx.db.run(call("market_photo_known", asked, PhotoJob.nullable()));
  if (known) return answerOf(await soon(ctx, known.job_id, WAIT_MS));
  await requireSource(ctx, asked.source_url);
  const photo_id = input.photoId ?? uuidv7(ctx.now());
  const limited = { ...asked, photo_id, per_day: ctx.config.MARKET_PHOTOS_PER_DAY };
  const begun = await ctx.db.run(call("market_photo_begin", limited, Begun));
  if (begun.job_id === null) return answerOf(await soon(ctx, begun.photo.job_id, WAIT_MS));
  // Cron is the net below this isolate; a wake-up now would only meet the lease.
  const since = ctx.now().getTime();
  const working = runJob(ctx, begun.job_id, [photoJob({ lookAgainMs: LOOK_AGAIN_MS })]);
  ctx.waitUntil(working);
  await Promise.race([working, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
  const left = WAIT_MS - (ctx.now().getTime() - since);
  return answerOf(await soon(ctx, begun.photo.job_id, left));
}

/** A photo once it has ended, or as it is after a while. */
async function soon(ctx: Ctx, id: string, waitMs: number): Promise<PhotoJob> {
  for (let left = waitMs; ; left -= LOOK_MS) {
    const photo = await getPhoto(ctx, id);
    const hasEnded = photo.status === "ready" || photo.status === "failed";
    if (hasEnded || left < LOOK_MS) return photo;
    await scheduler.wait(LOOK_MS);
  }
}

const answerOf = ({ enhanced_url, job_id }: PhotoJob): EnhanceAnswer => ({ enhanced_url, job_id });

const shown = ({ config }: Ctx, { image_url, enhanced_url, ...photo }: PhotoJob): PhotoJob => ({
  ...photo,
  image_url: pictureUrl(config, image_url),
  enhanced_url: pictureUrlOrNull(config, enhanced_url),
});

/** How far a photo of the actor's store is. */
export async function getPhoto(ctx: Ctx, id: string): Promise<PhotoJob> {
  const missing = () => notFound("Foto tidak ditemukan");
  if (!isUuid(id)) throw missing();
  const [found] = await ctx.db.run(
    rows(
      sql`select market_photo_json(f) as photo from market_photos f
        join market_stores s on s.id = f.store_id and s.deleted_at is null
        where f.id = ${id} and s.user_id = ${actorOf(ctx).userId}`,
      z.object({ photo: PhotoJob }),
    ),
  );
  if (!found) throw missing();
  return shown(ctx, found.photo);
}
