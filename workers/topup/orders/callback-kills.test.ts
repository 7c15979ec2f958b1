import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices, replayEvent } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { requestSettlement } from "../admin/hands.ts";
import { bench, dieAtEveryCall } from "../testing/bench.ts";
import { callbackOf, received } from "../testing/callbacks.ts";
import { booksOf, movesOf, sumOfLedger, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { callbackApplier, receiveCallback } from "./callbacks.ts";
import { followOrders } from "./follow.ts";
import { placePrepaid } from "./place.ts";

const FUNDS = 100_000;
const MINUTE = 60_000;
const { credit } = SERVICES;
const Event = z.object({ id: z.uuid(), state: z.string() });
const ask = <S extends z.ZodType>(query: ReturnType<typeof sql>, shape: S) =>
  testContext().db.run(rows(query, shape));
/** What other tests left unexplained would be a flood of callbacks here. */
beforeAll(async () => {
  await stockShelves();
  await ask(
    sql`update inbox_events set retry_at = null where provider = 'vip-reseller'`,
    z.unknown(),
  );
});

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

  it("a callback keeps the next one's order waiting no longer than to the next look, nor ends it twice", async () => {
    const calls = await dieAtEveryCall(async (death) => {
      const one = await bought();
      const trxid = one.order.trxid ?? "";
      await ask(
        sql`update topup_orders set ask_at = '2100-01-01' where id = ${one.order.id}`,
        z.unknown(),
      );
      await hand("succeed", trxid);
      const said = await Promise.all(["a", "b"].map((note) => messageOf(trxid, note)));
      const dying = bench({ ...death });
      await Promise.race([
        consumeNotices(dying.ctx, deliver("topup-callbacks", said[0] ?? []).batch, [
          callbackApplier,
        ]),
        dying.killed,
      ]);
      await dying.settle();
      const next = bench({ laterMs: 5_000, timeoutMs: 3_000 });
      const { batch, fates } = deliver("topup-callbacks", said[1] ?? []);
      await consumeNotices(next.ctx, batch, [callbackApplier]);
      expect(fates).toEqual(["acked"]);
      const look = bench({ laterMs: 6_000, timeoutMs: 3_000 });
      await followOrders(look.ctx);
      await look.settle();
      await expectEnded(one, "success");
      return dying.steps() > death.killAt;
    });
    expect(calls).toBeGreaterThanOrEqual(6);
  });

  it("a callback of what is nobody's is ended when it is tried again", async () => {
    const calls = await dieAtEveryCall(async (death) => {
      const trxid = unique("VPR").replace(/[^A-Za-z0-9]/g, "");
      const first = bench({ timeoutMs: 3_000 });
      const said = await messageOf(trxid, "LUNAS", `52${newPhone().slice(2)}77`);
      await consumeNotices(first.ctx, deliver("topup-callbacks", said).batch, [callbackApplier]);
      const events = () =>
        ask(
          sql`select id, state from inbox_events where provider = 'vip-reseller' and event_key like ${`${trxid}/%`}`,
          Event,
        );
      const [{ id } = { id: "" }] = await events();
      const dying = bench({ laterMs: 85 * MINUTE, timeoutMs: 3_000, ...death });
      await Promise.race([replayEvent(dying.ctx, id, [callbackApplier]), dying.killed]);
      await dying.settle();
      for (const laterMs of [86 * MINUTE, 88 * MINUTE]) {
        await replayEvent(bench({ laterMs, timeoutMs: 3_000 }).ctx, id, [callbackApplier]);
      }
      expect(await events()).toEqual([{ id, state: "applied" }]);
      return dying.steps() > death.killAt;
    });
    expect(calls).toBeGreaterThanOrEqual(10);
  });

  /** A callback that says success, as it lies on the queue. */
  async function messageOf(trxid: string, note: string, target?: string): Promise<unknown[]> {
    const { ctx, sent } = contextWithQueues();
    const { headers, body } = await callbackOf(trxid, "success", "provider", note, target);
    await receiveCallback(ctx, new Headers(headers), received(body));
    return sent.map((message) => message.body);
  }

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
