import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { requestSettlement } from "../admin/hands.ts";
import { followOrders, latestPurchases } from "../orders/follow.ts";
import type { Order } from "../orders/order.ts";
import { bench } from "../testing/bench.ts";
import { ORDERS, post, REQUESTS, reason } from "../testing/desk.ts";
import { BOUGHT, buyCredit, FUNDS, lookAt, NOT_BOUGHT, orderCredit } from "../testing/doubts.ts";
import { booksOf, movesOf, purchasesOf, SILENT_LONG, theOrderOf } from "../testing/outcomes.ts";
import { fund } from "../testing/reseller.ts";
import { dial, hand, newPhone, stockShelves } from "../testing/shop.ts";

let [one, two]: TestUser[] = [];
beforeAll(async () => {
  await stockShelves();
  [one, two] = [await createUser(["admin"]), await createUser(["admin"])];
});

/** When the lease of the attempt is over and the history is asked. */
const LOOK_MS = 80_000;

/** An order in doubt, of an admin: another one must confirm what he says of it. */
async function ownOrder(fault: Record<string, unknown>): Promise<{ user: TestUser; order: Order }> {
  const user = await createUser(["admin"]);
  await fund(user.userId, FUNDS);
  const target = newPhone();
  await dial(target, { stay: true, ...fault });
  await buyCredit(user, target, { timeoutMs: 150 });
  const order = await theOrderOf(target);
  expect(order).toMatchObject({ state: "unknown", trxid: null });
  return { user, order };
}

const settle = (admin: TestUser | undefined, { id }: Order, as: string) =>
  post(admin, `${ORDERS}/${id}/settle`, { as, reason });
const confirm = (admin: TestUser | undefined, id: string) =>
  post(admin, `${REQUESTS}/${id}/confirm`);

/** What became of the requests about an order, oldest first. */
const requestsOf = ({ id }: Order) =>
  testContext().db.run(
    rows(
      sql`select state, outcome from topup_hand_requests where order_id = ${id} order by id`,
      z.object({ state: z.string(), outcome: z.string().nullable() }),
    ),
  );

const becameKnown = (trxid: string | null) =>
  `The purchase of this order has become known since this was asked: ${trxid}. Look at it and ask again`;

async function expectUnderWay(user: TestUser, order: Order, trxid: string | null): Promise<void> {
  expect(await theOrderOf(order.target)).toMatchObject({ state: "processing", trxid });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: order.amount });
  expect(Object.keys(await movesOf(order))).toEqual(["topup-paid"]);
}

async function expectRefunded(user: TestUser, order: Order): Promise<void> {
  expect(await theOrderOf(order.target)).toMatchObject({ state: "refunded" });
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  expect(Object.keys(await movesOf(order)).sort()).toEqual(["topup-paid", "topup-refund"]);
}

describe("a word about an order whose purchase becomes known before it is carried out", () => {
  it.each(["refunded", "failed"])(
    "is refused when the second admin confirms it as %s, and may be asked anew",
    async (as) => {
      const { user, order } = await ownOrder(BOUGHT);
      const asked = await settle(user, order, as);
      expect(asked.body.data).toMatchObject({ state: "waiting", needsSecond: true });
      const { trxid } = await lookAt(order, [LOOK_MS]);
      await expectUnderWay(user, order, trxid);

      expect(await confirm(two, asked.body.data.id)).toMatchObject({
        status: 409,
        body: failureBody("topup", 409, becameKnown(trxid)),
      });
      await expectUnderWay(user, order, trxid);
      const refused = { state: "refused", outcome: becameKnown(trxid) };
      expect(await requestsOf(order)).toEqual([refused]);

      const again = await settle(user, order, "refunded");
      expect(again.body.data).toMatchObject({ state: "waiting" });
      expect(await confirm(two, again.body.data.id)).toMatchObject({
        status: 200,
        body: { data: { state: "done" } },
      });
      await expectRefunded(user, order);
      expect(await requestsOf(order)).toEqual([refused, { state: "done", outcome: "refunded" }]);
    },
  );

  it("is refused when the one person's process died before it had carried it out", async () => {
    const { user, order } = await orderCredit({ fault: BOUGHT });
    const ctx = testContext(one ?? null);
    const run = ctx.db.run.bind(ctx.db);
    let queries = 0;
    ctx.db.run = async (...query) => {
      queries += 1;
      if (queries > 1) throw new Error("died");
      return await run(...query);
    };
    const word = { as: "refunded", reason } as const;
    await expect(requestSettlement(ctx, order.id, word)).rejects.toThrow("died");
    const [left] = await testContext().db.run(
      rows(
        sql`select id, state from topup_hand_requests where order_id = ${order.id}`,
        z.object({ id: z.string(), state: z.string() }),
      ),
    );
    expect(left).toMatchObject({ state: "confirmed" });
    const { trxid } = await lookAt(order, [LOOK_MS]);

    expect(await confirm(one, left?.id ?? "")).toMatchObject({
      status: 409,
      body: failureBody("topup", 409, becameKnown(trxid)),
    });
    await expectUnderWay(user, order, trxid);
    expect(await requestsOf(order)).toMatchObject([{ state: "refused" }]);
    await hand("succeed", trxid ?? "");
    const later = bench({ laterMs: 2 * LOOK_MS, timeoutMs: 3_000 });
    await followOrders(later.ctx);
    await later.settle();
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
  });

  it("does not pass for having seen a purchase that showed after silence gave the money back", async () => {
    const { user, order } = await ownOrder(NOT_BOUGHT);
    const asked = await settle(user, order, "failed");
    expect(await lookAt(order, SILENT_LONG)).toMatchObject({ state: "failed" });
    const { ctx } = bench({ laterMs: 6.3 * 3_600_000, timeoutMs: 3_000 });
    const input = { service: order.code, target: order.target };
    await ctx.providers.vipReseller.createPrepaidOrder(input);
    await latestPurchases(ctx, "prepaid");
    const late = await theOrderOf(order.target);
    expect(late).toMatchObject({
      state: "failed",
      reviewReason: expect.stringMatching(/^bought after all/),
    });
    await confirm(two, asked.body.data.id);
    const { reviewReason, trxid } = late;
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed", reviewReason, trxid });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });

    const seen = await settle(user, order, "failed");
    expect((await confirm(two, seen.body.data.id)).body.data).toMatchObject({ state: "done" });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed", reviewReason: null });
  });

  it("stands where it says that it was delivered: no money goes back", async () => {
    const { user, order } = await ownOrder(BOUGHT);
    const [purchase] = await purchasesOf(order.target);
    const word = { as: "success", reason, trxid: purchase?.trxid };
    const asked = await post(user, `${ORDERS}/${order.id}/settle`, word);
    await lookAt(order, [LOOK_MS]);
    const done = await confirm(two, asked.body.data.id);
    expect(done).toMatchObject({ status: 200, body: { data: { state: "done" } } });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: 0 });
  });
});

describe("a word about an order of which nothing became known since", () => {
  it("gives the money back when the second admin confirms it, and tells nobody what was known", async () => {
    const { user, order } = await ownOrder(NOT_BOUGHT);
    const asked = await settle(user, order, "refunded");
    expect(asked.body.data).toMatchObject({ state: "waiting" });
    for (const key of ["input", "knownTrxid", "known_trxid"])
      expect(asked.body.data).not.toHaveProperty(key);
    expect(await lookAt(order, [LOOK_MS])).toMatchObject({ state: "unknown", trxid: null });
    const done = await confirm(two, asked.body.data.id);
    expect(done).toMatchObject({ status: 200, body: { data: { state: "done" } } });
    await expectRefunded(user, order);
  });

  it("is carried out as it was asked before what was known was kept", async () => {
    const { user, order } = await ownOrder(BOUGHT);
    const asked = await settle(user, order, "refunded");
    const { id } = asked.body.data;
    await testContext().db.run(
      rows(sql`update topup_hand_requests set known_trxid = null where id = ${id}`, z.unknown()),
    );
    await lookAt(order, [LOOK_MS]);
    expect(await confirm(two, id)).toMatchObject({
      status: 200,
      body: { data: { state: "done" } },
    });
    await expectRefunded(user, order);
  });
});
