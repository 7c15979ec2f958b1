import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { isFinal, REPLICATE } from "../../../shared/providers/replicate.ts";
import { isUuid } from "../schemas/fields.ts";
import { photoOf } from "./rows.ts";
import { advancePhoto, replicateOf } from "./work.ts";

const Kept = z.object({
  prediction_id: z.string(),
  status: z.string(),
  photo_id: z.uuid().nullable(),
});
const read = (body: string) => Kept.parse(JSON.parse(body));

/** Takes a webhook in: checked, put on the queue, and no further. Throws `unauthenticated` for one that is not Replicate's. */
export async function receivePhotoNotice(
  ctx: Ctx,
  given: { headers: Pick<Headers, "get">; rawBody: string },
): Promise<void> {
  const prediction = await replicateOf(ctx).parseWebhook({ ...given, now: ctx.now() });
  if (!prediction) throw new AppError("unauthenticated", "");
  // A prediction that goes on tells us nothing that we would act on.
  if (!isFinal(prediction)) return;
  const tag = URL.parse(prediction.image ?? "")?.searchParams.get("photo") ?? "";
  const { id, status } = prediction;
  const kept = { prediction_id: id, status, photo_id: isUuid(tag) ? tag : null };
  await receiveNotice(ctx, { provider: REPLICATE, body: JSON.stringify(kept) });
}

/** A webhook is a hint: the prediction is asked for before anything of it is believed. */
export const photoApplier: NoticeApplier = {
  provider: REPLICATE,
  eventKey: (_ctx, body) => {
    const { prediction_id: id, status } = read(body);
    return `${id}/${status}`;
  },
  async apply(ctx, body) {
    const { prediction_id: id, photo_id: photoId } = read(body);
    const found = await photoOf(ctx, { id, photoId });
    if (found === null) return { parked: "no photo has this prediction" };
    const outcome = await advancePhoto(ctx, found);
    return outcome.state === "success" ? "applied" : { parked: "the photo goes on" };
  },
};
