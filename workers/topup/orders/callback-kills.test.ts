import { beforeAll, describe, expect, it } from "vitest";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { deliver } from "../../../shared/jobs/test-queues.ts";
import { createUser } from "../../testing/factories.ts";
import { requestSettlement } from "../admin/hands.ts";
import { bench, dieAtEveryCall } from "../testing/bench.ts";
import { callbackOf, received } from "../testing/callbacks.ts";
import { booksOf, movesOf, sumOfLedger, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import { followOrders } from "./follow.ts";
import { placePrepaid } from "./place.ts";

const FUNDS = 100_000;
const { credit } = SERVICES;
beforeAll(stockShelves);

/** An order that the supplier has taken, and its buyer. */
async function bought() {
  const user = await customer(FUNDS);
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  return { user, order: await theOrderOf(phoneNumber) };
}
type Bought = Awaited<ReturnType<typeof bought>>;

async function expectEnded({ user, order }: Bought, state: "success" | "failed" | "refunded") {
  const { amount } = order;
  const cost = state === "success" ? amount : 0;
  expect(await theOrderOf(order.target)).toMatchObject({ state, refundedAmount: amount - cost });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - cost, escrow: 0 });
  const moves = await movesOf(order);
  expect([moves["topup-paid"], moves["topup-refund"] ?? 0]).toEqual([amount, amount - cost]);
  expect(await sumOfLedger()).toBe(0);
}

describe("in a process that is killed at whichever call", () => {
  it.each([
    ["succeed", "success"],
    ["fail", "failed"],
  ] as const)("a callback (%s) ends its order once", async (end, state) => {
    const calls = await dieAtEveryCall(async (death) => {
      const one = await bought();
      const trxid = one.order.trxid ?? "";
      await hand(end, trxid);
      const { headers, body } = await callbackOf(trxid, end === "succeed" ? "success" : "error");
      const dying = bench({ ...death });
      const taken = receiveCallback(dying.ctx, new Headers(headers), received(body)).then(() =>
        consumeNotices(dying.ctx, batchOf(dying.sent), [callbackApplier]),
      );
      await Promise.race([taken, dying.killed]);
      await dying.settle();
      // What was not acked comes again; what never was on the queue, the minute cron finds out.
      const next = bench({ laterMs: 60_000 });
      await consumeNotices(next.ctx, batchOf(dying.sent), [callbackApplier]);
      await followOrders(next.ctx);
      await next.settle();
      await expectEnded(one, state);
      return dying.steps() > death.killAt;
    });
    expect(calls).toBeGreaterThanOrEqual(5);
  });

  const batchOf = (sent: { queue: string; body: unknown }[]) =>
    deliver(
      "topup-callbacks",
      sent.filter(({ queue }) => queue === "topup-callbacks").map(({ body }) => body),
    ).batch;

  it.each(["refunded", "success"] as const)(
    "an order that an admin ends (%s) ends once, when he asks again with his key",
    async (as) => {
      const admin = await createUser(["admin"]);
      const calls = await dieAtEveryCall(async (death) => {
        const one = await bought();
        const key = crypto.randomUUID();
        const word = { as, reason: "Menurut penyedia" };
        const dying = bench({ actor: admin, ...death });
        const asked = requestSettlement(dying.ctx, one.order.id, word, key);
        await Promise.race([asked, dying.killed]);
        await dying.settle();
        const { ctx, settle } = bench({ actor: admin });
        expect(await requestSettlement(ctx, one.order.id, word, key)).toMatchObject({
          state: "done",
        });
        await settle();
        await expectEnded(one, as);
        return dying.steps() > death.killAt;
      });
      expect(calls).toBeGreaterThanOrEqual(3);
    },
  );
});
