import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { inputHash } from "../../../shared/http/idempotency.ts";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { attemptOnce, newAttempt, recordAttempt, recordBehind } from "./attempt.ts";
import { EXPIRY_MINUTES, LIMITS } from "./limits.ts";
import { orderNumbers } from "./numbers.ts";
import { type Order, orderShape, WIRE_STATES } from "./order.ts";

/** What every order may carry besides what is bought. The buyer is the context's actor. */
export interface Buying {
  /** The caller's `Idempotency-Key`: the same key and input is the same order. */
  idempotencyKey?: string | undefined;
  /** Whether a like order of a moment ago is known and meant to be repeated. */
  confirm?: boolean | undefined;
  orderedVia?: "app" | "api";
  resellerKeyId?: string | null;
}

export interface PrepaidInput extends Buying {
  /** The supplier's code of the service. */
  service: string;
  phoneNumber: string;
  /** The price that the caller expects; refused unless it is the price. */
  amount?: number | undefined;
}

export interface SocialInput extends Buying {
  service: string;
  target: string;
  quantity: number;
  /** As of prepaid orders. */
  amount?: number | undefined;
}

export interface GameInput extends Buying {
  service: string;
  gameId: string;
  zone?: string | null | undefined;
  quantity?: number | undefined;
}

/**
 * Pays from the actor's wallet and buys. `order_refused` {orderNumber}: the supplier surely did not take it and the
 * money is back. `not_found` for what is not for sale; `conflict` for what was ordered a moment ago; `invalid_input`,
 * `insufficient_balance`, `sold_out`, `rate_limited`. An order in doubt is answered as being processed.
 */
export async function placePrepaid(ctx: Ctx, input: PrepaidInput): Promise<Order> {
  const { service, phoneNumber, amount } = input;
  // People write numbers in groups.
  const target = phoneNumber.replace(/[\s().-]/g, "");
  return await buyNow(ctx, { family: "prepaid", code: service, target, amount }, input);
}

/** As `placePrepaid`, for a social service: priced per 1,000, rounded up to the rupiah. */
export async function placeSocial(ctx: Ctx, input: SocialInput): Promise<Order> {
  const { service, target, quantity, amount } = input;
  return await buyNow(
    ctx,
    { family: "social", code: service, target: target.trim(), quantity, amount },
    input,
  );
}

/** An unpaid order of a game's service, for `processOrder`. */
export async function placeGame(ctx: Ctx, input: GameInput): Promise<Order> {
  const { service, gameId, zone, quantity } = input;
  const goods = { code: service, target: gameId.trim(), zone: zone?.trim() || null, quantity };
  const { order } = await write(ctx, { family: "game", ...goods, pay: false }, input);
  return order;
}

interface Goods {
  family: SupplierFamily;
  code: string;
  target: string;
  zone?: string | null;
  quantity?: number | undefined;
  amount?: number | undefined;
}

async function buyNow(ctx: Ctx, goods: Goods, buying: Buying): Promise<Order> {
  const { order, replayed } = await write(ctx, { ...goods, pay: true }, buying);
  if (replayed) {
    if (order.state === "failed") throw orderRefused(order, order.notes ?? "");
    return order;
  }
  const attempt = await attemptOnce(ctx, order);
  if (attempt.kind === "refused") {
    await recordAttempt(ctx, order, attempt);
    throw orderRefused(order, attempt.words);
  }
  recordBehind(ctx, order, attempt);
  return attempt.kind === "accepted" ? boughtAs(order, attempt.purchase.trxid) : order;
}

/** The order as it is about to be written down. */
export function boughtAs(order: Order, trxid: string): Order {
  return { ...order, state: "processing", wireState: WIRE_STATES.processing, trxid };
}

const orderRefused = (order: Order, words: string) =>
  new AppError("order_refused", `Order failed: ${words}`, { meta: { orderNumber: order.number } });

const Placed = z.object({ order: orderShape, replayed: z.boolean() });

/** One round trip: the price, the payment, the order and its attempt's lease, all or nothing. */
async function write(ctx: Ctx, goods: Goods & { pay: boolean }, buying: Buying) {
  const { family, code, target, zone = null, quantity = 1, amount = null, pay } = goods;
  const now = ctx.now();
  const input = {
    ...newAttempt(),
    order_id: uuidv7(now),
    numbers: orderNumbers(family, now),
    user_id: actorOf(ctx).userId,
    family,
    code,
    target,
    zone,
    quantity,
    amount,
    pay,
    confirm: buying.confirm ?? false,
    ordered_via: buying.orderedVia ?? "app",
    reseller_key_id: buying.resellerKeyId ?? null,
    idempotency_key: buying.idempotencyKey ?? null,
    input_hash: await inputHash({ family, code, target, zone, quantity, amount, pay }),
    now: now.toISOString(),
    expiry_minutes: EXPIRY_MINUTES,
    limits: LIMITS,
  };
  return await ctx.db.run(call("topup_order_place", input, Placed));
}
