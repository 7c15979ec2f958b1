import { actorOf, type Ctx } from "../../shared/context.ts";
import { AppError } from "../../shared/http/errors.ts";
import { type GiftScene, type SentGift, sendGifts } from "./gifts.ts";
import { announceGift } from "./room-client.ts";

export interface GiveInput {
  receiverId: number;
  giftId?: string | undefined;
  giftName?: string | undefined;
  /** What the app believes that one costs. */
  coinValue?: number | undefined;
  quantity: number;
  scene: GiftScene;
  roomId?: string | undefined;
}

/**
 * Gives one gift as the actor; with the same `idempotencyKey` and input the first gift is answered again. Where the
 * receiver is live his room is shown a gift of its own scene, once it is committed. Refusals are those of `sendGifts`.
 */
export async function giveGift(
  ctx: Ctx,
  input: GiveInput,
  idempotencyKey?: string,
): Promise<SentGift> {
  const { userId } = actorOf(ctx);
  const [result] = await sendGifts(ctx, [
    {
      key: `rest/${idempotencyKey ?? crypto.randomUUID()}`,
      senderId: userId,
      receiverId: input.receiverId,
      giftId: input.giftId ?? null,
      giftName: input.giftName ?? null,
      quantity: input.quantity,
      coinValue: input.coinValue ?? null,
      scene: input.scene,
      roomId: input.roomId ?? null,
    },
  ]);
  if (!result) throw new Error("a gift without an answer");
  if (result.state === "refused") {
    throw new AppError(result.code, result.message, { meta: { ...result.meta } });
  }
  if (!result.repeated && result.liveRoom !== null) {
    const { from, to, gift, hostIncome } = result;
    const news = {
      from: { userId, ...from, avatar: from.avatar ?? "" },
      to: { userId: input.receiverId, ...to },
      gift: { ...gift, hostIncome },
      count: input.quantity,
    };
    ctx.waitUntil(announceGift(ctx, result.liveRoom, news));
  }
  return result;
}
