import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { describeError } from "../../../shared/log.ts";
import { inTime } from "../../../shared/time/in-time.ts";
import type { Drawings } from "../drawings.ts";
import {
  clientKeyOf,
  type GiftOrder,
  type GiftResult,
  isNews,
  type SentGift,
  sendGifts,
} from "../gifts.ts";
import { announceGift } from "../room-client.ts";
import { requireSignIns } from "../sockets/people.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { GiftQueue, WaitingGift } from "./gift-queue.ts";
import { type Decision, GiftWindow } from "./gift-window.ts";
import type { RoomKind } from "./names.ts";
import type { GiftNews } from "./news.ts";
import type { GiftOutcome } from "./ops.ts";

/** A database that says nothing for so long is away; the same keys ask it again. */
const PATIENCE_MS = 15_000;

export interface GiftDeskParts {
  kind: RoomKind;
  roomId: string;
  queue: GiftQueue;
  drawings: Drawings;
  broadcasts: Broadcasts;
  context(): Ctx;
  show(gifts: GiftNews[]): void;
  dueChanged(): void;
}

/** A room's gift window on Postgres: one call a window, and only what was committed is shown. */
export function openGiftDesk(parts: GiftDeskParts): GiftWindow<GiftResult> {
  return new GiftWindow<GiftResult>({
    queue: parts.queue,
    now: () => Date.now(),
    dueChanged: parts.dueChanged,
    send: (gifts) => inTime(PATIENCE_MS, write(parts, gifts)),
    decided: (decisions) => {
      for (const decision of decisions) answer(parts, decision);
      show(parts, decisions);
    },
    failed: (error) => {
      parts.context().log.warn("gifts wait for the database", describeError(error));
    },
  });
}

function answer(parts: GiftDeskParts, { gift, result }: Decision<GiftResult>): void {
  const outcome = outcomeOf(gift.wish.senderId, result);
  for (const { shard, ...asker } of gift.askers) {
    parts.broadcasts.answer(shard, { ...asker, answer: outcome });
  }
}

/** Where the receiver is live, else here: nobody fills a stranger's room with gifts for somebody who is live elsewhere. */
function show(
  { kind, roomId, drawings, ...parts }: GiftDeskParts,
  decisions: Decision<GiftResult>[],
): void {
  const ctx = parts.context();
  const here: GiftNews[] = [];
  for (const { gift, result } of decisions) {
    const drawing = drawings.take(gift.wish.key);
    if (result.state !== "sent" || !isNews(result, ctx.now())) continue;
    const { liveRoom } = result;
    const news = { ...newsOf(gift, result), ...(drawing === undefined ? {} : { drawing }) };
    if (kind !== "live" || liveRoom === null || liveRoom === roomId) here.push(news);
    else ctx.waitUntil(announceGift(ctx, liveRoom, news));
  }
  parts.show(here);
}

/**
 * One transaction: the senders' sign-ins, then the gifts. Where a sign-in has ended meanwhile, its gifts are refused and
 * the others are written in a second call.
 */
async function write(parts: GiftDeskParts, gifts: WaitingGift[]): Promise<GiftResult[]> {
  const refused = new Map<string, GiftResult>();
  let left = gifts;
  while (left.length > 0) {
    try {
      const sent = await writeGuarded(parts, left);
      const results = new Map(left.map(({ wish }, i) => [wish.key, sent[i]]));
      return gifts.flatMap(({ wish }) => refused.get(wish.key) ?? results.get(wish.key) ?? []);
    } catch (error) {
      const ended = endedSignIns(error);
      const barred = left.filter(({ wish }) => ended.includes(wish.authSessionId));
      if (barred.length === 0) throw error;
      for (const { wish } of barred) refused.set(wish.key, signInEnded(wish.key));
      left = left.filter((gift) => !barred.includes(gift));
    }
  }
  return gifts.flatMap(({ wish }) => refused.get(wish.key) ?? []);
}

async function writeGuarded(parts: GiftDeskParts, gifts: WaitingGift[]): Promise<GiftResult[]> {
  const ctx = parts.context();
  const people = gifts.map(({ wish }) => ({
    userId: wish.senderId,
    sessionId: wish.authSessionId,
  }));
  ctx.db.guard({ statement: requireSignIns(people), passed: () => undefined });
  return await sendGifts(
    ctx,
    gifts.map((gift) => orderOf(parts, gift)),
  );
}

const Ended = z.array(z.string());

function endedSignIns(error: unknown): string[] {
  if (!(error instanceof AppError) || error.code !== "bad_token") return [];
  return Ended.catch([]).parse(error.meta.ended);
}

const signInEnded = (key: string): GiftResult => ({
  state: "refused",
  key,
  code: "bad_token",
  message: "Token tidak valid",
  meta: {},
});

function orderOf({ kind, roomId }: GiftDeskParts, { wish }: WaitingGift): GiftOrder {
  return {
    key: wish.key,
    senderId: wish.senderId,
    receiverId: wish.receiverId,
    giftId: wish.giftId,
    quantity: wish.count,
    scene: kind,
    roomId,
    coinValue: wish.coinValue,
  };
}

function newsOf(
  { wish }: WaitingGift,
  { giftRowId, repeated, from, to, gift, hostIncome }: SentGift,
): GiftNews {
  return {
    ...{ giftRowId, repeated },
    from: { userId: wish.senderId, ...from, avatar: from.avatar ?? "" },
    to: { userId: wish.receiverId, ...to },
    gift: { ...gift, hostIncome },
    count: wish.count,
  };
}

function outcomeOf(senderId: number, result: GiftResult): GiftOutcome {
  const key = clientKeyOf(senderId, result.key);
  if (result.state === "refused") {
    const { code, message, meta } = result;
    return { success: false, key, code, message, ...meta };
  }
  const { giftRowId, hostIncome, totalCost, senderBalance } = result;
  return { success: true, key, giftRowId, hostIncome, totalCost, balance: senderBalance };
}
