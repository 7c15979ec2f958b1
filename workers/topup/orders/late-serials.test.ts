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
import { addEndpoint } from "../testing/deliveries.ts";
import { movesOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import { followOrders, followThese } from "./follow.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";

/** What other tests left without a serial number would take turns from what is asked about here. */
beforeAll(async () => {
  await stockShelves();
  const left = sql`update topup_orders o set ask_at = null
    where topup_lacks_serial(o) or o.state in ('processing', 'review')`;
  await testContext().db.run(rows(left, z.unknown()));
});

const SERIAL = "1234-5678-9012-3456-7890";

/** The supplier has no note of this purchase yet, whatever it says of its end. */
const noteless =
  ({ trxid }: Order, words: Record<string, string> = {}) =>
  (text: string) => {
    const answer = JSON.parse(text);
    for (const row of answer.data) if (row.trxid === trxid) Object.assign(row, { note: "" }, words);
    return JSON.stringify(answer);
  };

/** Bought, so long ago, and told now to be delivered, without the token; before that, told of in these words. */
async function delivered(
  user: TestUser,
  before?: Record<string, string>,
  agoMs = 0,
): Promise<Order> {
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000, laterMs: -agoMs });
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

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The latest list does not go back to these purchases; asked for by its id, each is there. Notes who was asked for. */
function unlisted(orders: Order[], asked: string[] = []) {
  const ours = new Set(orders.map(({ trxid }) => trxid));
  return (text: string) => {
    const answer = JSON.parse(text);
    const isList = answer.data.length !== 1;
    if (isList) answer.data = answer.data.filter((row: { trxid: string }) => !ours.has(row.trxid));
    else if (ours.has(answer.data[0].trxid)) asked.push(answer.data[0].trxid);
    return JSON.stringify(answer);
  };
}

async function follow(laterMs: number, twist?: (text: string) => string): Promise<void> {
  const { ctx, settle } = bench({ laterMs, timeoutMs: 3_000, ...(twist && { twist }) });
  await followOrders(ctx);
  await settle();
}

const shownTo = async (user: TestUser, { number }: Order) =>
  (await api(`/api/orders/prepaid?orderNumber=${number}`, { token: user.token })).body.data.sn;

describe("a serial number that the supplier tells after the word of success", () => {
  it("reaches its buyer by the next look at the list, moving nothing else", async () => {
    const user = await customer();
    const order = await delivered(user);
    const moves = await movesOf(order);
    await follow(MINUTE_MS);
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
    await follow(MINUTE_MS);
    expect(await shownTo(user, order)).toBe(SERIAL);
  });

  it.each(["-", "--", " – "])(
    "reaches its buyer in place of %j, which is how nothing is written",
    async (note) => {
      const user = await customer();
      const order = await delivered(user);
      await follow(MINUTE_MS, noteless(order, { note }));
      expect(await shownTo(user, order)).toBeNull();
      await follow(3 * MINUTE_MS);
      expect(await shownTo(user, order)).toBe(SERIAL);
    },
  );

  it("reaches him by a callback", async () => {
    const user = await customer();
    const order = await delivered(user);
    const one = await callbackOf(order.trxid ?? "", "success", "provider", SERIAL);
    const { ctx, sent } = contextWithQueues();
    await receiveCallback(ctx, new Headers(one.headers), received(one.body));
    const { batch } = deliver(
      "topup-callbacks",
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
    await follow(MINUTE_MS, noteless(order, { status: "error", note: "Nomor salah" }));
    expect(await shownTo(user, order)).toBeNull();
    await follow(3 * MINUTE_MS, noteless(order, { note: SERIAL }));
    await follow(6 * MINUTE_MS, noteless(order, { note: "9999" }));
    expect(await shownTo(user, order)).toBe(SERIAL);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success", refundedAmount: 0 });
  });
});

describe("a serial number that no callback tells and no list shows in time", () => {
  it("reaches the buyer of an order that was under way for hours", async () => {
    const user = await customer();
    const order = await delivered(user, undefined, 5 * HOUR_MS);
    await follow(MINUTE_MS);
    expect(await shownTo(user, order)).toBe(SERIAL);
  });

  it.each([1, 24, 71])("reaches its buyer after %d hours", async (hours) => {
    const user = await customer();
    const order = await delivered(user);
    await follow(hours * HOUR_MS, unlisted([order]));
    expect(await shownTo(user, order)).toBe(SERIAL);
  });

  it("is asked for ever more seldom, within three hours at the latest, and for three days", async () => {
    const order = await delivered(await customer());
    const [asked] = await testContext().db.run(
      rows(
        sql`with recursive asks(o, at, n) as (
            select o, o.finished_at, 0 from topup_orders o where o.id = ${order.id}
            union all select a.o, topup_serial_due(a.o, a.at), a.n + 1 from asks a
              where topup_serial_due(a.o, a.at) is not null and a.n < 100),
          gaps as (select a.at - lag(a.at) over (order by a.n) as gap, (a.o).finished_at, a.at from asks a)
          select count(gap)::int as asks, max(gap) <= interval '3 hours' as often,
            max(at) = max(finished_at) + interval '3 days' as long from gaps`,
        z.object({ asks: z.number(), often: z.boolean(), long: z.boolean() }),
      ),
    );
    expect(asked).toMatchObject({ often: true, long: true });
    expect(asked?.asks).toBeLessThan(60);
    const calls: string[] = [];
    const silent = (text: string) => noteless(order)(unlisted([order], calls)(text));
    for (const hours of [72, 73]) await follow(hours * HOUR_MS, silent);
    expect(calls).toHaveLength(1);
    expect((await theOrderOf(order.target)).updatedAt).toEqual(order.updatedAt);
  });

  it("takes five turns of a minute at most, and none from what is under way", async () => {
    const orders: Order[] = [];
    for (let more = 0; more < 7; more += 1) orders.push(await delivered(await customer()));
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const { ctx, settle } = bench({ actor: await customer(), timeoutMs: 3_000 });
    await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
    await settle();
    const open = await theOrderOf(phoneNumber);
    await hand("succeed", open.trxid ?? "", { note: SERIAL });
    const [first, second]: string[][] = [[], []];
    await follow(MINUTE_MS, unlisted([...orders, open], first));
    expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "success" });
    expect(first).toHaveLength(6);
    await follow(2 * MINUTE_MS, unlisted([...orders, open], second));
    expect(new Set([...(first ?? []), ...(second ?? [])])).toEqual(
      new Set([...orders, open].map(({ trxid }) => trxid)),
    );
  });

  it("is told to resellers, who asked for it when they heard of the delivery", async () => {
    const user = await customer();
    const order = await delivered(user);
    await addEndpoint(user);
    await follow(MINUTE_MS);
    const told = sql`select d.type from topup_deliveries d where d.order_id = ${order.id}`;
    const deliveries = await testContext().db.run(rows(told, z.object({ type: z.string() })));
    expect(deliveries).toEqual([{ type: "order.success" }]);
    await follow(2 * MINUTE_MS);
    expect(await testContext().db.run(rows(told, z.object({ type: z.string() })))).toHaveLength(1);
  });
});
