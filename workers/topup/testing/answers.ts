import { sql } from "drizzle-orm";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { type HandInput, settleByHand } from "../orders/by-hand.ts";
import { followOrders } from "../orders/follow.ts";
import type { Order } from "../orders/order.ts";
import { placePrepaid } from "../orders/place.ts";
import { type BenchOptions, bench } from "./bench.ts";
import { FUNDS } from "./doubts.ts";
import { ordersOf, purchasesOf, runOrderJob, SILENT_LONG, theOrderOf } from "./outcomes.ts";
import { customer, dial, type TestService } from "./shop.ts";

/** How the supplier's words read on their way to us. */
export type Twist = NonNullable<BenchOptions["twist"]>;

/** The answer names this purchase. */
export const withId =
  (trxid: string): Twist =>
  (text) => {
    const answer = JSON.parse(text);
    return JSON.stringify({ ...answer, data: { ...answer.data, trxid } });
  };

/** Lists lack these; asked about by its id each is told. */
export const unlisted =
  (trxids: readonly string[]): Twist =>
  (text) => {
    const answer = JSON.parse(text);
    if (!Array.isArray(answer.data) || answer.data.length === 1) return text;
    const data = answer.data.filter(({ trxid }: { trxid: string }) => !trxids.includes(trxid));
    return JSON.stringify({ ...answer, data });
  };

/** Prepaid goods that are bought, where the supplier's words of it read so. */
export async function buyAs(item: TestService, target: string, twist: Twist) {
  const user = await customer(FUNDS);
  await dial(target, { stay: true });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, twist });
  await placePrepaid(ctx, { service: item.code, phoneNumber: target });
  await settle();
  return { user, target, order: await theOrderOf(target) };
}

/** A signed callback that names the purchase came so long from now, and waits for an order that has it. */
export const nameByCallback = (trxid: string, laterMs: number) =>
  write(sql`insert into inbox_events (provider, event_key, body, state, received_at, retry_at)
    values ('vip-reseller', ${`${trxid}/success/${laterMs}`}, '{"test":"named"}', 'parked',
      now() + ${`${laterMs} ms`}::interval, now() + interval '1 day')`);

/** What is newer than another test's orders is told to them, too. */
export const forgetCallbacks = () =>
  write(sql`delete from inbox_events where body = '{"test":"named"}'`);

const write = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

/** A look at all that is under way, where the supplier's words read so. */
export async function follow(laterMs: number, twist: Twist = (text) => text): Promise<void> {
  const { ctx, settle } = bench({ laterMs, timeoutMs: 3_000, twist });
  await followOrders(ctx);
  await settle();
}

/** A person's word two minutes later. */
export const giveWord = (order: Order, as: HandInput["as"], more: Partial<HandInput> = {}) =>
  settleByHand(bench({ laterMs: 2 * 60_000 }).ctx, {
    ...{ orderId: order.id, as, reason: "dicek" },
    ...more,
  });

/** The order is looked up until silence about it is believed. */
export async function lookLong(order: Order, twist: Twist = (text) => text): Promise<void> {
  for (const laterMs of SILENT_LONG) await runOrderJob(order, { laterMs, timeoutMs: 3_000, twist });
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
