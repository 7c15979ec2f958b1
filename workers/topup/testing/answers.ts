import { z } from "zod";
import { call } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { followOrders } from "../orders/follow.ts";
import type { Order } from "../orders/order.ts";
import { type BenchOptions, bench } from "./bench.ts";
import { ordersOf, purchasesOf } from "./outcomes.ts";

/** How the supplier's words read on their way to us. */
export type Twist = NonNullable<BenchOptions["twist"]>;

/** A look at all that is under way, where the supplier's words read so. */
export async function follow(laterMs: number, twist: Twist = (text) => text): Promise<void> {
  const { ctx, settle } = bench({ laterMs, timeoutMs: 3_000, twist });
  await followOrders(ctx);
  await settle();
}

/** The first purchase that the supplier made for a target. */
export const only = async (target: string) => (await purchasesOf(target))[0]?.trxid ?? "";

/** The order as it is now, of several for its target. */
export const ofUser = async ({ target, userId }: Order) =>
  (await ordersOf(target)).find((order) => order.userId === userId);

/** What tells of an answer whose record comes late. */
export async function tell(
  order: Order,
  trxid: string,
  shown: Record<string, unknown>,
): Promise<void> {
  const told = { order_id: order.id, trxid, ...shown, now: new Date(), alert_to: "ops@x.id" };
  await testContext().db.run(call("topup_order_accepted", told, z.unknown()));
}
