import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { type Order, orderShape } from "./order.ts";
import { sealSerial } from "./purchase.ts";
import { listOrders } from "./read.ts";

/** A person's word about an order that is not final. Whether he may give it, the caller has checked. */
export interface HandInput {
  orderId: string;
  as: "success" | "failed" | "partial" | "refunded";
  /** What the supplier charged; default: what is known, else what it was expected to. */
  chargedAmount?: number | undefined;
  /** `partial`: how much was not delivered. */
  remain?: number | undefined;
  /** The purchase that it was, where the system does not know it. */
  trxid?: string | undefined;
  /**
   * The purchase that was known when he gave it, '' for none: of another one it is no word. Null: his word is of this
   * moment.
   */
  knownTrxid?: string | null | undefined;
  /** For the order's record. */
  reason: string;
  /** Serial number or token, sealed at once. */
  serial?: string | undefined;
}

/** What two words at one moment run into, of which each alone is told by the function. */
const MEANINGS: ConstraintErrors = {
  topup_orders_trxid_key: () => new AppError("conflict", "This purchase belongs to another order"),
};

const Ended = z.object({ order: orderShape, wake: wakeSchema });

/**
 * Ends an order at a person's word, with its money, once: `conflict` when it is final already, not paid, still being
 * bought, when another order was bought by the trxid, or when its purchase is not the one that he knew of. An order that was
 * only told of the trxid is in doubt again.
 */
export async function settleByHand(ctx: Ctx, input: HandInput): Promise<Order> {
  const { orderId, as, chargedAmount, remain, trxid, knownTrxid, reason, serial } = input;
  const word = {
    order_id: orderId,
    as,
    charged: chargedAmount ?? null,
    remain: remain ?? null,
    trxid: trxid ?? null,
    known_trxid: knownTrxid ?? null,
    reason,
    sealed_serial: serial ? await sealSerial(ctx, orderId, serial) : null,
    now: ctx.now().toISOString(),
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const ended = await ctx.db.run(call("topup_order_by_hand", word, Ended), MEANINGS);
  wake(ctx, ended.wake);
  return ended.order;
}

/** Orders that wait for a person, newest first. */
export async function listReviews(ctx: Ctx): Promise<Order[]> {
  const { rows } = await listOrders(ctx, { userId: null, states: ["review"], page: 1, limit: 100 });
  return rows;
}
