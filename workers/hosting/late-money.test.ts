import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { api, settleBackground } from "../testing/api.ts";
import {
  callbackOf,
  cron,
  ipaymu,
  openRenewal,
  pay,
  query,
  readOrder,
  run,
  type Sale,
  sell,
  subscriptionOf,
  takeIn,
} from "./testing/sales.ts";

afterEach(settleBackground);

const DAY_MINUTES = 24 * 60;

const eventsOf = (transactionId: number) =>
  query(
    sql`select state, note from inbox_events
      where provider = 'ipaymu' and event_key like ${`${transactionId}/%`}`,
    z.object({ state: z.string(), note: z.string().nullable() }),
  );

const refundsOf = async (ref: string) =>
  (
    await query(
      sql`select r.reason from payments_refunds r join payments_charges c on c.id = r.charge_id
        where c.provider_ref = ${ref}`,
      z.object({ reason: z.string() }),
    )
  ).map(({ reason }) => reason);

/** The specification's callback: it names the order, not the payment. */
const byOrder = (transactionId: number, orderId: string) => ({
  trx_id: transactionId,
  reference_id: orderId,
  status: "1",
  status_code: "1",
});

/** The page of a renewal that its owner opens. */
async function openPage({ user }: Sale, orderId: string): Promise<string> {
  const { status } = await api(`/api/orders/${orderId}/pay`, { method: "POST", token: user.token });
  expect(status).toBe(200);
  return (await readOrder(orderId)).ref ?? "";
}

describe("money that comes after its payment has ended", () => {
  it("goes back, also by a callback that names the order itself, in any letters", async () => {
    const sale = await sell();
    await cron(sale, 2 * DAY_MINUTES);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "EXPIRED" });
    await ipaymu(`/_pay/${sale.ref}`, { notify: false });
    const { trx_id } = await callbackOf(sale);
    await takeIn(byOrder(trx_id, sale.orderId.toUpperCase()));
    expect(await eventsOf(trx_id)).toEqual([{ state: "applied", note: null }]);
    expect(await refundsOf(sale.ref)).toEqual(["paid_late"]);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "EXPIRED", invoice: null });
  });

  it("on the first of a renewal's pages goes back, and the second page is still to be paid", async () => {
    const sale = await sell();
    await pay(sale);
    const subscription = await subscriptionOf(sale.orderId);
    const orderId = await openRenewal(subscription.id);
    const first = await openPage(sale, orderId);
    await cron({ ref: first }, 2 * DAY_MINUTES);
    // Two days have not really gone by: the order still counts as paid for until then.
    await run(sql`update payments_charges set check_at = null where provider_ref = ${first}`);
    const second = await openPage(sale, orderId);
    expect(second).not.toBe(first);
    await ipaymu(`/_pay/${first}`, { notify: false });
    const { trx_id } = await callbackOf({ ...sale, ref: first });
    await takeIn(byOrder(trx_id, orderId));
    expect(await eventsOf(trx_id)).toEqual([{ state: "applied", note: null }]);
    expect([await refundsOf(first), await refundsOf(second)]).toEqual([["paid_late"], []]);
    expect(await readOrder(orderId)).toMatchObject({ status: "PENDING", intent_state: "pending" });
    await pay({ ref: second });
    expect(await readOrder(orderId)).toMatchObject({ status: "COMPLETED" });
  });
});

describe("a renewal's order that was passed by when its subscription ended", () => {
  it("ends with its page", async () => {
    const sale = await sell();
    await pay(sale);
    const { id, end } = await subscriptionOf(sale.orderId);
    const orderId = await openRenewal(id);
    const ref = await openPage(sale, orderId);
    await run(sql`update hosting_subscriptions set status = 'EXPIRED', deleted_at = ${end.toISOString()}
      where id = ${id}`);
    await cron({ ref }, 2 * DAY_MINUTES);
    expect(await readOrder(orderId)).toMatchObject({
      status: "CANCELLED",
      closed_reason: "Langganan berakhir",
    });
  });
});
