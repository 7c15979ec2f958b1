import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { type GiftScene, giftKey, isNews, type SentGift, sendGifts } from "./gifts.ts";
import { announceGift, areInParty } from "./room-client.ts";
import { addressKey } from "./sockets/home.ts";

export interface GiveInput {
  receiverId: number;
  giftId?: string | undefined;
  giftName?: string | undefined;
  /** What the app believes that one costs. */
  coinValue?: number | undefined;
  quantity: number;
  /** What the sender takes the room for; a party's prices hold only where it is one. */
  scene?: GiftScene | undefined;
  roomId?: string | undefined;
  /** Where it is given from. */
  address?: string | undefined;
}

/**
 * Gives one gift as the actor; with the same `idempotencyKey` and input the first gift is answered again. In a party room
 * where both are it has the party's price, and is shown there; elsewhere the live's, and is shown where the receiver is
 * live; both once it is committed. Refusals are those of `sendGifts`, and of a party where one of them is not.
 */
export async function giveGift(
  ctx: Ctx,
  input: GiveInput,
  idempotencyKey?: string,
): Promise<SentGift> {
  const { userId } = actorOf(ctx);
  const key = giftKey(userId, idempotencyKey ?? null);
  const scene = await sceneOf(ctx, input, idempotencyKey === undefined ? null : key);
  ctx.db.guardAgain();
  const [result] = await sendGifts(ctx, [
    {
      key,
      senderId: userId,
      receiverId: input.receiverId,
      giftId: input.giftId ?? null,
      giftName: input.giftName ?? null,
      quantity: input.quantity,
      coinValue: input.coinValue ?? null,
      scene,
      roomId: input.roomId ?? null,
    },
  ]);
  if (!result) throw new Error("a gift without an answer");
  if (result.state === "refused") {
    throw new AppError(result.code, result.message, { meta: { ...result.meta } });
  }
  const shownIn = scene === "party" ? (input.roomId ?? null) : result.liveRoom;
  if (shownIn !== null && isNews(result, ctx.now())) {
    const { giftRowId, repeated, from, to, gift, hostIncome } = result;
    const news = {
      ...{ giftRowId, repeated },
      from: { userId, ...from, avatar: from.avatar ?? "" },
      to: { userId: input.receiverId, ...to },
      gift: { ...gift, hostIncome },
      count: input.quantity,
      address: addressKey(input.address ?? ""),
    };
    ctx.waitUntil(announceGift(ctx, shownIn, news, scene));
  }
  return result;
}

/** What the room is: a party where sender and receiver are in it. The room is asked only where that matters. */
async function sceneOf(ctx: Ctx, input: GiveInput, key: string | null): Promise<GiftScene> {
  const { scene, roomId, receiverId } = input;
  if (scene === "live" || (scene === undefined && roomId === undefined)) return "live";
  const { userId } = actorOf(ctx);
  const [isSenderIn = false, isReceiverIn = false] = roomId
    ? await areInParty(ctx, roomId, [userId, receiverId])
    : [];
  if (isSenderIn && isReceiverIn) return "party";
  // Who repeats a gift may have left the room since.
  const earlier = key === null ? null : await earlierScene(ctx, userId, key);
  if (earlier) return earlier;
  if (scene === undefined) return "live";
  if (!isSenderIn) throw new AppError("forbidden", "Anda belum masuk ke ruangan ini");
  throw new AppError("invalid_input", "Penerima tidak ada di ruangan ini");
}

const Earlier = z.object({ scene: z.enum(["live", "party"]) });

/** The scene of the gift that was given under this key, if one was. */
async function earlierScene(ctx: Ctx, senderId: number, key: string): Promise<GiftScene | null> {
  const [earlier] = await ctx.db.run(
    rows(sql`select scene from live_gifts where sender_id = ${senderId} and key = ${key}`, Earlier),
  );
  return earlier?.scene ?? null;
}
