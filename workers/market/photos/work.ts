import type { Ctx } from "../../../shared/context.ts";
import { asJpeg } from "../../../shared/files/as-jpeg.ts";
import { deleteImage, storeImage } from "../../../shared/files/assets.ts";
import { cleanImage } from "../../../shared/files/image.ts";
import { AppError } from "../../../shared/http/errors.ts";
import type { JobOutcome } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { isFinal, type Prediction, type Replicate } from "../../../shared/providers/replicate.ts";
import { PRODUCT_UPLOADS, pictureUrl } from "../images.ts";
import {
  adopt,
  claimSending,
  findPhoto,
  finishPhoto,
  forgetSending,
  isEnded,
  type Photo,
} from "./rows.ts";
import { scaleOf } from "./source.ts";
import { callOff } from "./take-back.ts";

/** Inputs and outputs are deleted an hour after the end: what is older than this is not waited for. */
const GIVE_UP_MS = 50 * 60_000;
/** A creation that nobody can find so long after it was sent has not arrived. */
const DOUBT_MS = 60_000;
const ASK_MS = 30_000;
/** The model's PNG of four million pixels, with room; far below what an isolate can hold twice. */
const MOST_BYTES = 16 * 1024 * 1024;

const WORDS = {
  lost: "Peningkatan foto tidak selesai. Silakan coba lagi.",
  model: "Foto ini tidak dapat ditingkatkan. Coba foto lain.",
  away: "Layanan peningkatan foto sedang bermasalah. Silakan coba lagi nanti.",
  gone: "Foto aslinya sudah tidak ada. Unggah ulang fotonya.",
} as const;

/** The client, or a clear 503. */
export function replicateOf(ctx: Ctx): Replicate {
  const client = ctx.providers.replicate;
  if (!client) throw new AppError("not_configured", "Peningkatan foto belum tersedia");
  return client;
}

/** The address that is given to the model: it names the photo, so that a prediction tells whose it is. */
const taggedUrl = (ctx: Ctx, { id, source_url: source }: Photo) =>
  `${pictureUrl(ctx.config, source)}?photo=${id}`;

/**
 * Brings a photo as far as it comes now: creates its prediction, looks for one whose creation is in doubt, or takes the
 * result over. Called by the job and by webhooks, in any order and at once: one of them sends, and one ends it.
 */
export async function advancePhoto(ctx: Ctx, id: string, lookAgainMs = 0): Promise<JobOutcome> {
  const photo = await findPhoto(ctx, id);
  if (!photo || photo.status === "ready" || photo.status === "failed") return { state: "success" };
  if (photo.age_ms > GIVE_UP_MS) return await abandon(ctx, photo);
  try {
    return await step(ctx, photo, lookAgainMs);
  } catch (error) {
    // The job ends with this, and nobody would end the photo after it.
    if (error instanceof ProviderError && !error.retryable) await fail(ctx, photo, WORDS.away);
    throw error;
  }
}

async function step(ctx: Ctx, photo: Photo, lookAgainMs: number): Promise<JobOutcome> {
  const prediction = await predictionOf(ctx, photo);
  if ("state" in prediction) return prediction;
  if (isFinal(prediction)) return await settle(ctx, photo, prediction);
  if (lookAgainMs === 0)
    return { state: "retry", error: prediction.status, afterMs: pauseMs(photo) };
  await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  const later = await replicateOf(ctx).getPrediction(prediction.id);
  if (isFinal(later)) return await settle(ctx, photo, later);
  return { state: "retry", error: later.status, afterMs: pauseMs(photo) };
}

/** The webhook is quicker; this is the net below it. */
const pauseMs = ({ age_ms: age }: Photo) =>
  age < 30_000 ? 5_000 : age < 300_000 ? 30_000 : 120_000;

async function predictionOf(ctx: Ctx, photo: Photo): Promise<Prediction | JobOutcome> {
  const client = replicateOf(ctx);
  if (photo.prediction_id !== null) return await lookAt(ctx, photo, photo.prediction_id);
  if (photo.sent_at === null) return await create(ctx, photo);
  const since = new Date(ctx.now().getTime() - photo.age_ms - DOUBT_MS);
  const found = await client.findPrediction(taggedUrl(ctx, photo), since);
  if (found) {
    await ctx.db.run(adopt(photo.id, found.id));
    return found;
  }
  if ((photo.sent_ms_ago ?? 0) < DOUBT_MS) {
    return { state: "unknown", error: "creation in doubt", askAfterMs: ASK_MS };
  }
  return await create(ctx, photo);
}

async function lookAt(ctx: Ctx, photo: Photo, predictionId: string) {
  try {
    return await replicateOf(ctx).getPrediction(predictionId);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.status !== 404) throw error;
    return await fail(ctx, photo, WORDS.lost);
  }
}

async function create(ctx: Ctx, photo: Photo): Promise<Prediction | JobOutcome> {
  const scale = await scaleOf(ctx, photo.source_url);
  if (scale === null) return await fail(ctx, photo, WORDS.gone);
  if (!(await claimSending(ctx, photo))) {
    return { state: "retry", error: "somebody else is at it", afterMs: pauseMs(photo) };
  }
  let made: Prediction;
  try {
    made = await replicateOf(ctx).createPrediction({
      imageUrl: taggedUrl(ctx, photo),
      scale,
      webhookUrl: `${ctx.config.APP_URL}/api/webhooks/replicate`,
      waitSeconds: 1,
    });
  } catch (error) {
    return await notCreated(ctx, photo, error);
  }
  await ctx.db.run(adopt(photo.id, made.id));
  if (isFinal(made) || !(await isEnded(ctx, photo.id))) return made;
  await callOff(ctx, made.id);
  return { state: "success" };
}

/** What surely had no effect may be sent again at once; in doubt the next attempt asks first. */
async function notCreated(ctx: Ctx, photo: Photo, error: unknown): Promise<JobOutcome> {
  if (!(error instanceof ProviderError) || error.outcome === "unknown") {
    return { state: "unknown", error: "creation in doubt", askAfterMs: ASK_MS };
  }
  await forgetSending(ctx, photo.id);
  const { kind, code, retryable, retryAfterMs } = error;
  const cause = ["replicate", kind, code].filter(Boolean).join(" ");
  if (retryable) return { state: "retry", error: cause, afterMs: retryAfterMs };
  // Our key, credit or input: only the operator can help, and a failed job tells him.
  await fail(ctx, photo, WORDS.away);
  return { state: "failed", error: cause };
}

async function fail(ctx: Ctx, { id }: Photo, reason: string): Promise<JobOutcome> {
  await finishPhoto(ctx, id, { status: "failed", reason });
  return { state: "success", result: { status: "failed" } };
}

/** A prediction that may still run is called off, so that it costs no more. */
async function abandon(ctx: Ctx, photo: Photo): Promise<JobOutcome> {
  const ended = await fail(ctx, photo, WORDS.lost);
  if (photo.prediction_id !== null) {
    await replicateOf(ctx)
      .cancelPrediction(photo.prediction_id)
      .catch(() => ctx.log.warn("prediction not cancelled", { photoId: photo.id }));
  }
  return ended;
}

function costOf(ctx: Ctx, { runMs }: Prediction) {
  const cost = Math.round(((runMs ?? 0) / 1000) * ctx.config.REPLICATE_MICRO_USD_PER_SECOND);
  return { run_ms: runMs, cost_micro_usd: runMs === null ? null : cost };
}

async function settle(ctx: Ctx, photo: Photo, prediction: Prediction): Promise<JobOutcome> {
  const cost = costOf(ctx, prediction);
  const failed = async (reason: string): Promise<JobOutcome> => {
    const { status } = prediction;
    ctx.log.warn("photo not enhanced", {
      photoId: photo.id,
      status,
      removed: prediction.isRemoved,
    });
    await finishPhoto(ctx, photo.id, { status: "failed", reason, ...cost });
    return { state: "success", result: { status: "failed" } };
  };
  if (prediction.status === "failed") return await failed(WORDS.model);
  if (prediction.status !== "succeeded" || prediction.output === null) {
    return await failed(WORDS.lost);
  }
  const image = await takeOver(ctx, prediction.output);
  if (image === "gone") return await failed(WORDS.lost);
  if (image === "no_image") return await failed(WORDS.model);
  const owner = { prefix: PRODUCT_UPLOADS, ownerId: photo.requested_by };
  // A death between here and the record leaves a spare file that nothing shows.
  const stored = await storeImage(ctx.assets, { ...owner, ...image });
  const ready = { status: "ready" as const, result_url: stored.path, ...cost };
  if (!(await finishPhoto(ctx, photo.id, ready))) await deleteImage(ctx.assets, stored.key, owner);
  return { state: "success", result: { status: "ready" } };
}

/** The result, judged and cleaned like an upload: what a foreign host sends is not believed to be a picture. */
async function takeOver(ctx: Ctx, url: string) {
  try {
    const bytes = await replicateOf(ctx).fetchOutput(url, MOST_BYTES);
    if (bytes === null) return "gone";
    const image = cleanImage(bytes);
    // Marketplaces and Instagram refuse a PNG of this size; what cannot be written anew stays as it came.
    return image === null ? "no_image" : ((await asJpeg(image)) ?? image);
  } catch (error) {
    if (error instanceof ProviderError && !error.retryable) return "no_image";
    throw error;
  }
}
