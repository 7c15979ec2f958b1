import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { deleteImage } from "../../../shared/files/assets.ts";
import type { JobOutcome } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { PRODUCT_UPLOADS, pictureKey } from "../images.ts";

/** What is left of a photo that was taken back (SQL function `market_photo_undo`). */
export const TakenBack = z.object({
  result: z.string().nullable(),
  owner: z.number(),
  prediction_id: z.string().nullable(),
});
type TakenBack = z.output<typeof TakenBack>;

/** Deletes the picture that came of it, and calls off the prediction that may still run. Safe to repeat. */
export async function throwAway(ctx: Ctx, left: TakenBack): Promise<JobOutcome> {
  const key = left.result === null ? null : pictureKey(left.result);
  if (key !== null) {
    await deleteImage(ctx.assets, key, { prefix: PRODUCT_UPLOADS, ownerId: left.owner });
  }
  if (left.prediction_id !== null) await callOff(ctx, left.prediction_id);
  return { state: "success" };
}

/** Stops a prediction, so that it costs no more; one that has ended meanwhile is no trouble. */
export async function callOff(ctx: Ctx, predictionId: string): Promise<void> {
  try {
    await ctx.providers.replicate?.cancelPrediction(predictionId);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.retryable) throw error;
    ctx.log.info("prediction has ended before it was called off", { predictionId });
  }
}
