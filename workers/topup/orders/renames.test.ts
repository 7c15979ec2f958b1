import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { callbackOf, received } from "../testing/callbacks.ts";
import { BOUGHT, FUNDS } from "../testing/doubts.ts";
import { alertsOf, booksOf, purchasesOf, runOrderJob, theOrderOf } from "../testing/outcomes.ts";
import {
  ASKED,
  expectDelivered,
  follow,
  listNames,
  NAMED,
  type Named,
  namedStrangely,
  orderNamed,
  rename,
  stockNamed,
  succeed,
  TOLD,
  unname,
} from "../testing/renames.ts";
import { hand, stockShelves } from "../testing/shop.ts";
import { recordAttempt } from "./attempt.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import type { Order } from "./order.ts";

beforeAll(async () => {
  await stockShelves();
  await stockNamed();
});
afterEach(unname);

const HOUR = 3_600_000;
const bothFamilies = describe.each<Named>(["game", "social"]);

/** A callback of success, with the supplier's own word upon it. */
async function callBack({ trxid }: Order): Promise<void> {
  const { headers, body } = await callbackOf(trxid ?? "", "success");
  const { ctx, sent } = contextWithQueues();
  await receiveCallback(ctx, new Headers(headers), received(body));
  const { batch } = deliver(
    "topup-callbacks",
    sent.map((message) => message.body),
  );
  await consumeNotices(bench({ timeoutMs: 3_000 }).ctx, batch, [callbackApplier]);
}

/** The answer to the order comes after all, as the supplier tells of the purchase now. */
async function answerLate(order: Order): Promise<Order> {
  const { ctx, settle } = bench({ timeoutMs: 3_000 });
  const [bought] = await purchasesOf(order.target);
  const trxid = bought?.trxid ?? "";
  const [purchase] = await ctx.providers.vipReseller.getOrderStatus(order.family, { trxid });
  if (!purchase) throw new Error("the supplier has no such purchase");
  await recordAttempt(ctx, order, { kind: "accepted", purchase });
  await settle();
  return await theOrderOf(order.target);
}

bothFamilies("a %s service that is renamed after the purchase", (family) => {
  const { ordered, other } = NAMED[family];

  it("is what was ordered: a status under the new name ends the order, and nobody is asked", async () => {
    const one = await orderNamed(family);
    await rename(ordered);
    expect(await follow(one.order)).toMatchObject({ state: "processing", reviewReason: null });
    await succeed(one.order);
    await follow(one.order, 2 * HOUR);
    await expectDelivered(one);
    expect(await alertsOf(one.order)).toEqual([]);
  });

  it("is what was ordered, also where the new name is another service's by our list", async () => {
    const one = await orderNamed(family);
    await rename(ordered, other.name);
    await succeed(one.order);
    await follow(one.order);
    await expectDelivered(one);
  });

  it("is what was ordered, where a callback's query shows the new name", async () => {
    const one = await orderNamed(family);
    await rename(ordered);
    await succeed(one.order);
    await callBack(one.order);
    await expectDelivered(one);
  });

  it("is what was ordered, where the order was in doubt and found by the history", async () => {
    const one = await orderNamed(family, BOUGHT);
    await runOrderJob(one.order, { laterMs: 80_000, timeoutMs: 3_000 });
    const found = await theOrderOf(one.order.target);
    expect(found).toMatchObject({ state: "processing" });
    await rename(ordered);
    await succeed(found);
    await follow(found, 2 * HOUR);
    await expectDelivered(one);
  });

  it("has its money back where that failed", async () => {
    const { user, order } = await orderNamed(family);
    await rename(ordered);
    await hand("fail", order.trxid ?? "");
    expect(await follow(order)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("leaves a review of the release before, which asked a person about its name", async () => {
    const one = await orderNamed(family);
    const { id } = one.order;
    const words = "supplier says the supplier's purchase is of another service";
    const bought = sql`select bought_at from topup_orders where id = ${id}`;
    const date = z.object({ bought_at: z.string() });
    const before = await testContext().db.run(rows(bought, date));
    const review = sql`update topup_orders set state = 'review', review_reason = ${words} where id = ${id}`;
    await testContext().db.run(rows(review, z.unknown()));
    await rename(ordered);
    await succeed(one.order);
    await follow(one.order);
    await expectDelivered(one);
    expect(await testContext().db.run(rows(bought, date))).toEqual(before);
  });

  it("waits for a list where nobody noted when its purchase was known", async () => {
    const one = await orderNamed(family);
    const forget = sql`update topup_orders set bought_at = null where id = ${one.order.id}`;
    await testContext().db.run(rows(forget, z.unknown()));
    const name = await rename(ordered);
    await succeed(one.order);
    expect(await follow(one.order)).toMatchObject({ state: "review" });
    await listNames([[ordered, name]]);
    await follow(one.order, 2 * HOUR);
    await expectDelivered(one);
  });

  it("goes on by itself from a review of the release before that had another reason", async () => {
    const one = await orderNamed(family);
    const { order } = one;
    const words = "supplier says the supplier's purchase is for another target";
    const review = sql`update topup_orders set state = 'review', review_reason = ${words} where id = ${order.id}`;
    await testContext().db.run(rows(review, z.unknown()));
    await succeed(order);
    await follow(order);
    await expectDelivered(one);
  });
});

bothFamilies("a %s order in doubt, whose service was renamed meanwhile", (family) => {
  const { ordered } = NAMED[family];

  it("is bought by the history once a list has the new name", async () => {
    const one = await orderNamed(family, BOUGHT);
    const name = await rename(ordered);
    await listNames([[ordered, name]]);
    await runOrderJob(one.order, { laterMs: 80_000, timeoutMs: 3_000 });
    const found = await theOrderOf(one.order.target);
    expect(found).toMatchObject({ state: "processing", reviewReason: null });
    // Renamed once more, and still the same.
    await rename(ordered);
    await succeed(found);
    await follow(found, 2 * HOUR);
    await expectDelivered(one);
  });

  it("waits for the list, where a late answer names it, and goes on by itself", async () => {
    const one = await orderNamed(family, BOUGHT);
    expect(one.order.state).toBe("unknown");
    const name = await rename(ordered);
    const answered = await answerLate(one.order);
    expect(answered).toMatchObject({
      state: "review",
      reviewReason: expect.stringContaining(name),
    });
    await succeed(answered);
    await listNames([[ordered, name]]);
    await follow(answered, 2 * HOUR);
    await expectDelivered(one);
    expect((await alertsOf(one.order)).sort()).toEqual([TOLD, ASKED].sort());
  });

  it("is looked at in all else that a later word shows, though the history had been silent", async () => {
    const { order } = await orderNamed(family, BOUGHT);
    const silent = sql`update topup_orders set answered_since = now() where id = ${order.id}`;
    await testContext().db.run(rows(silent, z.unknown()));
    const name = await rename(ordered);
    await answerLate(order);
    await listNames([[ordered, name]]);
    const others = (text: string) => text.replaceAll(order.target, "081200000000");
    expect(await follow(order, 2 * HOUR, others)).toMatchObject({ state: "review" });
    expect(await follow(order, 4 * HOUR)).toMatchObject({ state: "processing" });
  });

  it("is bought at once by a late answer whose name a list has given it: nobody is asked", async () => {
    const one = await orderNamed(family, BOUGHT);
    const name = await rename(ordered);
    await listNames([[ordered, name]]);
    const answered = await answerLate(one.order);
    expect(answered).toMatchObject({ state: "processing", reviewReason: null });
    expect(await alertsOf(one.order)).toEqual([TOLD]);
  });

  it("goes on by itself, where it was tied and a late answer names it", async () => {
    const one = await orderNamed(family, BOUGHT);
    const tie = sql`update topup_orders set state = 'review', review_reason = '2 orders for 1 purchases in the history: X1'
      where id = ${one.order.id}`;
    await testContext().db.run(rows(tie, z.unknown()));
    const name = await rename(ordered);
    const answered = await answerLate(one.order);
    expect(answered).toMatchObject({
      state: "review",
      reviewReason: expect.stringContaining(name),
    });
    await succeed(answered);
    await listNames([[ordered, name]]);
    await follow(answered, 2 * HOUR);
    await expectDelivered(one);
  });
});

bothFamilies("a callback of a %s purchase that waits for its name", (family) => {
  it("moves nothing before a list tells, and ends the order after it", async () => {
    const { user, order, name } = await namedStrangely(family);
    await succeed(order);
    await callBack(order);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "review", sealedSerial: null });
    await listNames([[NAMED[family].ordered, name]]);
    await testContext().db.run(
      rows(sql`delete from topup_supplier_asks where trxid = ${order.trxid}`, z.unknown()),
    );
    await callBack(order);
    await expectDelivered({ user, order });
  });
});
