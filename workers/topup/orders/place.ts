import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { inputHash } from "../../../shared/http/idempotency.ts";
import { SUPPLIER_FAMILIES, type SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { attemptOnce, newAttempt, recordAttempt, recordBehind } from "./attempt.ts";
import { EXPIRY_MINUTES, LIMITS } from "./limits.ts";
import { orderNumbers } from "./numbers.ts";
import { failureOf, type Order, orderShape, WIRE_STATES } from "./order.ts";

/** What every order may carry besides what is bought. The buyer is the context's actor. */
export interface Buying {
  /** The caller's `Idempotency-Key`: the same key and input is the same order. */
  idempotencyKey?: string | undefined;
  /** An admin's request that places one order and never a second: in place of a key, which would be forgotten. */
  handRequestId?: string | undefined;
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

/** Costs nothing yet, so nothing of it needs to be confirmed: `processOrder` asks for that. */
export interface GameInput extends Omit<Buying, "confirm"> {
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
  const target = ungrouped(phoneNumber);
  return await buyNow(ctx, { family: "prepaid", code: service, target, amount }, input);
}

/** People write numbers in groups. */
export const ungrouped = (number: string) => number.replace(/[\s().-]/g, "");

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

/** What is bought of a service that is known by the panel dialect's number only: its target as each family has it. */
export interface NumberedInput extends Buying {
  service: number | null;
  goods: Record<SupplierFamily, { target: string; zone?: string | null }>;
  /** Null: not told. */
  quantity: number | null;
  /** The most that it may cost, as far as its buyer said so: `changed` {amount} where it costs more. */
  most?: number | undefined;
}

/** Why a numbered order cannot be: no such service, or too few or too many of it. */
export type NumberedRefusal = "service" | "minimum" | "maximum";

/** As `placePrepaid`, for any family; `number` is the order's own in the dialect. */
export async function placeNumbered(
  ctx: Ctx,
  { service, goods, quantity, most, ...buying }: NumberedInput,
): Promise<{ number: number } | { refused: NumberedRefusal }> {
  const now = ctx.now();
  const numbers = Object.fromEntries(
    SUPPLIER_FAMILIES.map((family) => [family, orderNumbers(family, now)]),
  );
  const bound = most === undefined ? {} : { most };
  const asked = { service: service ?? 0, goods, quantity, ...bound, pay: true };
  const input = { ...(await orderInput(ctx, now, asked, buying)), numbers };
  const written = await ctx.db.run(call("topup_panel_add", input, Numbered));
  if ("refused" in written) return written;
  await buyOnce(ctx, written);
  return { number: written.number };
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
  return await buyOnce(ctx, await write(ctx, { ...goods, pay: true }, buying));
}

/** Makes the one attempt of an order that was just paid; a repeat of it makes none. */
async function buyOnce(ctx: Ctx, { order, replayed }: z.output<typeof Placed>): Promise<Order> {
  if (replayed) {
    const failure = failureOf(order);
    if (failure !== null) throw orderRefused(order, failure);
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
const Numbered = z.union([
  z.object({ refused: z.enum(["service", "minimum", "maximum"]) }),
  Placed.extend({ number: z.number() }),
]);

/** One round trip: the price, the payment, the order and its attempt's lease, all or nothing. */
async function write(ctx: Ctx, goods: Goods & { pay: boolean }, buying: Buying) {
  const { family, code, target, zone = null, quantity = 1, amount = null, pay } = goods;
  const now = ctx.now();
  const asked = { family, code, target, zone, quantity, amount, pay };
  const input = {
    ...(await orderInput(ctx, now, asked, buying)),
    numbers: orderNumbers(family, now),
  };
  return await ctx.db.run(call("topup_order_place", input, Placed));
}

/** What SQL function `topup_order_place` takes, but the candidates for the order's number. */
async function orderInput(ctx: Ctx, now: Date, asked: Record<string, unknown>, buying: Buying) {
  return {
    ...asked,
    ...newAttempt(),
    order_id: uuidv7(now),
    user_id: actorOf(ctx).userId,
    confirm: buying.confirm ?? false,
    ordered_via: buying.orderedVia ?? "app",
    reseller_key_id: buying.resellerKeyId ?? null,
    idempotency_key: buying.idempotencyKey ?? null,
    hand_request_id: buying.handRequestId ?? null,
    input_hash: await inputHash(asked),
    now: now.toISOString(),
    expiry_minutes: EXPIRY_MINUTES,
    limits: LIMITS,
  };
}
