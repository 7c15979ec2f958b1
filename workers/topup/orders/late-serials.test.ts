import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { api, testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { callbackOf, received } from "../testing/callbacks.ts";
import { movesOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import { followOrders, followThese } from "./follow.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";

beforeAll(stockShelves);

const SERIAL = "1234-5678-9012-3456-7890";

/** The supplier has no note of this purchase yet, whatever it says of its end. */
const noteless =
  ({ trxid }: Order, words: Record<string, string> = {}) =>
  (text: string) => {
    const answer = JSON.parse(text);
    for (const row of answer.data) if (row.trxid === trxid) Object.assign(row, { note: "" }, words);
    return JSON.stringify(answer);
  };

/** Bought and told to be delivered, without the token; before that, told of in these words. */
async function delivered(user: TestUser, before?: Record<string, string>): Promise<Order> {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000 });
  await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
  await settle();
  const order = await theOrderOf(phoneNumber);
  await hand("succeed", order.trxid ?? "", { note: SERIAL });
  for (const words of [before, {}]) {
    if (!words) continue;
    const early = bench({ timeoutMs: 3_000, twist: noteless(order, words) });
    await followThese(early.ctx, [order.id]);
    await early.settle();
  }
  expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "success", sealedSerial: null });
  return await theOrderOf(phoneNumber);
}

const shownTo = async (user: TestUser, { number }: Order) =>
  (await api(`/api/orders/prepaid?orderNumber=${number}`, { token: user.token })).body.data.sn;

describe("a serial number that the supplier tells after the word of success", () => {
  it("reaches its buyer by the next look at the list, moving nothing else", async () => {
    const user = await customer();
    const order = await delivered(user);
    const moves = await movesOf(order);
    const { ctx, settle } = bench({ laterMs: 60_000, timeoutMs: 3_000 });
    await followOrders(ctx);
    await settle();
    expect(await shownTo(user, order)).toBe(SERIAL);
    expect(await theOrderOf(order.target)).toMatchObject({
      ...{ state: "success", finishedAt: order.finishedAt, refundedAmount: 0 },
    });
    expect(await movesOf(order)).toEqual(moves);
  });

  it("reaches its buyer in place of what stood there under a word that nobody knows", async () => {
    const user = await customer();
    const order = await delivered(user, { status: "tertunda", note: "Menunggu petugas" });
    expect(await shownTo(user, order)).toBeNull();
    const { ctx, settle } = bench({ laterMs: 60_000, timeoutMs: 3_000 });
    await followOrders(ctx);
    await settle();
    expect(await shownTo(user, order)).toBe(SERIAL);
  });

  it("reaches him by a callback", async () => {
    const user = await customer();
    const order = await delivered(user);
    const one = await callbackOf(order.trxid ?? "", "success", "provider", SERIAL);
    const { ctx, sent } = contextWithQueues();
    await receiveCallback(ctx, new Headers(one.headers), received(one.body));
    const { batch } = deliver(
      "webhooks",
      sent.map(({ body }) => body),
    );
    await consumeNotices(ctx, batch, [callbackApplier]);
    expect(await shownTo(user, order)).toBe(SERIAL);
  });

  it("reaches him when he asks about his order", async () => {
    const user = await customer();
    const order = await delivered(user);
    await testContext().db.run(
      rows(sql`update topup_orders set asked_at = null where id = ${order.id}`, z.unknown()),
    );
    const path = `/api/orders/prepaid?trxId=${order.trxid}`;
    const { body } = await api(path, { token: user.token });
    expect(body.data).toMatchObject({ status: "success", sn: SERIAL });
  });

  it("is not taken from a purchase that failed after all, and never replaces one that is known", async () => {
    const user = await customer();
    const order = await delivered(user);
    const look = async (words: Record<string, string>) => {
      const { ctx, settle } = bench({
        laterMs: 60_000,
        timeoutMs: 3_000,
        twist: noteless(order, words),
      });
      await followOrders(ctx);
      await settle();
    };
    await look({ status: "error", note: "Nomor salah" });
    expect(await shownTo(user, order)).toBeNull();
    await look({ note: SERIAL });
    await look({ note: "9999" });
    expect(await shownTo(user, order)).toBe(SERIAL);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success", refundedAmount: 0 });
  });
});
