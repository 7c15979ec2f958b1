import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { type ErrorCode, isErrorCode } from "../../shared/http/errors.ts";

/** Where a gift is given: the same catalogue id has its own price in a live and in a party room. */
export type GiftScene = "live" | "party";

/** One gift that somebody wants to give. Price, name, category and share come from the catalogue alone. */
export interface GiftOrder {
  /** The idempotency key, unique per sender; at most 200 characters. */
  key: string;
  senderId: number;
  receiverId: number;
  /** The catalogue's id ("cupid"); null where the caller knows only the name. */
  giftId: string | null;
  /** Looked up in the catalogue where `giftId` is null, else ignored. */
  giftName?: string | null;
  quantity: number;
  scene: GiftScene;
  roomId: string | null;
  /** One of the receiver's live sessions; without it the gift belongs to the one that he has open. */
  sessionId?: number | null;
  /** What the sender believes that one costs; another price than the catalogue's is refused. */
  coinValue?: number | null;
}

/** A catalogue entry as the gift was sold. */
export interface SoldGift {
  id: string;
  name: string;
  price: number;
  category: string;
  /** The host's part of the price: 0.1 or 0.5. */
  hostShare: number;
}

export interface SentGift {
  state: "sent";
  key: string;
  giftRowId: number;
  hostIncome: number;
  totalCost: number;
  /** What the sender has after this gift; for a repeat what he has now. */
  senderBalance: number;
  gift: SoldGift;
  /** Sender and receiver from our own rows, for whoever shows the gift. */
  from: { username: string; avatar: string | null; level: number; vip: number };
  to: { username: string };
  /** The room of the live that it was given to, or null: for whoever announces a gift that came by no room. */
  liveRoom: string | null;
  createdAt: Date;
  /** True when this key was sent before: the first result, nothing moved again. */
  repeated: boolean;
}

export interface RefusedGift {
  state: "refused";
  key: string;
  code: ErrorCode;
  message: string;
  meta: { needed?: number; current?: number };
}

export type GiftResult = SentGift | RefusedGift;

/** How many gifts one call takes. */
export const MAX_GIFTS_PER_CALL = 500;
/** The app offers combos of up to 199. */
export const MAX_QUANTITY = 999;
const MAX_KEY = 300;
const MAX_ROOM_ID = 200;
const INCOMPLETE = "Data gift tidak lengkap";

const sent = z
  .object({
    state: z.literal("sent"),
    key: z.string(),
    id: z.number(),
    income: z.number(),
    balance: z.number(),
    gift_id: z.string(),
    name: z.string(),
    price: z.number(),
    quantity: z.number(),
    category: z.string(),
    host_percent: z.number(),
    from_name: z.string().nullable(),
    from_avatar: z.string().nullable(),
    from_level: z.number().nullable(),
    from_vip: z.number().nullable(),
    to_name: z.string().nullable(),
    live_room: z.string().nullable(),
    at: z.coerce.date(),
    repeated: z.boolean(),
  })
  .transform(
    (row): SentGift => ({
      state: row.state,
      key: row.key,
      giftRowId: row.id,
      hostIncome: row.income,
      totalCost: row.price * row.quantity,
      senderBalance: row.balance,
      gift: {
        id: row.gift_id,
        name: row.name,
        price: row.price,
        category: row.category,
        hostShare: row.host_percent / 100,
      },
      // Null only in a repeat whose people are gone since.
      from: {
        username: row.from_name ?? "",
        avatar: row.from_avatar,
        level: row.from_level ?? 1,
        vip: row.from_vip ?? 0,
      },
      to: { username: row.to_name ?? "" },
      liveRoom: row.live_room,
      createdAt: row.at,
      repeated: row.repeated,
    }),
  );

const refused = z.object({
  state: z.literal("refused"),
  key: z.string(),
  code: z.string().refine(isErrorCode),
  message: z.string(),
  meta: z.union([z.object({ needed: z.number(), current: z.number() }), z.object({}).strict()]),
});

/**
 * The key of a gift: a client's own is one gift by whatever way it comes, and nobody else's. One that its client did not name
 * gets a key as well, with which it may ask again.
 */
export const giftKey = (senderId: number, clientKey: string | null): string =>
  `${senderId}:${clientKey ?? crypto.randomUUID()}`;

/** A gift's key as its client names it. */
export function clientKeyOf(senderId: number, key: string): string {
  const ours = `${senderId}:`;
  return key.startsWith(ours) ? key.slice(ours.length) : key;
}

/** Nobody is shown a gift that was given longer ago. */
const NEWS_MS = 60 * 60 * 1_000;

/**
 * Whether a gift is to be told to its room, which shows it once. A repeat too, while its sender is there: whoever wrote
 * it may not have lived to tell.
 */
export function isNews({ repeated, from, createdAt }: SentGift, now: Date): boolean {
  if (!repeated) return true;
  return from.username !== "" && createdAt.getTime() > now.getTime() - NEWS_MS;
}

const answers = z.array(z.discriminatedUnion("state", [sent, refused]));

/**
 * Gives up to 500 gifts in one call of Postgres, each answered by itself and in the order given: an overdraft, an
 * unknown gift or receiver, or input that does not fit refuses that gift alone. A repeat of a key answers with its
 * first gift and moves nothing; the key with other input is refused. Nothing is announced here.
 */
export async function sendGifts(ctx: Ctx, gifts: readonly GiftOrder[]): Promise<GiftResult[]> {
  if (gifts.length > MAX_GIFTS_PER_CALL) throw new Error(`${gifts.length} gifts in one call`);
  const fitting = gifts.filter(isFitting);
  if (fitting.length === 0) return gifts.map(incomplete);
  const input = { at: ctx.now().toISOString(), gifts: fitting.map(rowOf) };
  const results = (await ctx.db.run(call("live_gifts_send", input, answers))).values();
  return gifts.map((gift) => (isFitting(gift) ? take(results) : incomplete(gift)));
}

function take(results: Iterator<GiftResult>): GiftResult {
  const { value, done } = results.next();
  if (done) throw new Error("fewer answers than gifts");
  return value;
}

const incomplete = ({ key }: GiftOrder): RefusedGift => ({
  state: "refused",
  key: String(key),
  code: "invalid_input",
  message: INCOMPLETE,
  meta: {},
});

/** What Postgres can take; a caller's types promise it, a socket's payload may have been anything. */
function isFitting(gift: GiftOrder): boolean {
  const { giftId, giftName, roomId, sessionId, coinValue } = gift;
  return (
    isText(gift.key, MAX_KEY) &&
    isId(gift.senderId) &&
    isId(gift.receiverId) &&
    isText(giftId ?? giftName, 100) &&
    isId(gift.quantity) &&
    gift.quantity <= MAX_QUANTITY &&
    (gift.scene === "live" || gift.scene === "party") &&
    (roomId === null || isText(roomId, MAX_ROOM_ID)) &&
    (sessionId == null || isId(sessionId)) &&
    (coinValue == null || isId(coinValue))
  );
}

const isId = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0;

function isText(value: unknown, most: number): boolean {
  if (typeof value !== "string" || value === "" || value.length > most) return false;
  return value.isWellFormed() && !value.includes("\0");
}

const rowOf = (gift: GiftOrder) => ({
  key: gift.key,
  sender_id: gift.senderId,
  receiver_id: gift.receiverId,
  scene: gift.scene,
  gift_id: gift.giftId,
  gift_name: gift.giftName ?? null,
  quantity: gift.quantity,
  coin_value: gift.coinValue ?? null,
  room_id: gift.roomId,
  session_id: gift.sessionId ?? null,
});

const catalogueRow = z
  .object({
    gift_id: z.string(),
    name: z.string(),
    category: z.string(),
    price: z.number(),
    host_percent: z.number(),
    scene: z.enum(["live", "party"]),
  })
  .transform(({ gift_id: id, host_percent, ...gift }) => ({
    id,
    ...gift,
    hostShare: host_percent / 100,
  }));

/** What is sold in a scene now, by category and price. */
export async function listGifts(ctx: Ctx, scene: GiftScene) {
  return await ctx.db.run(
    rows(
      sql`select gift_id, name, category, price::float8 as price, host_percent, scene
        from live_gifts_on_sale(${ctx.now().toISOString()}) where scene = ${scene}
        order by category, price, gift_id`,
      catalogueRow,
    ),
  );
}
