import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground } from "../../workers/testing/api.ts";
import { rows } from "../db/statement.ts";
import { consumeNotices } from "../inbox/inbox.ts";
import { contextWithQueues, deliver } from "../jobs/test-queues.ts";
import { noticeApplier, receiveMidtransNotice } from "./notices.ts";
import { dial, noticeOf, settlements, standOf, startedPayment, twin } from "./test-payments.ts";

/** A notice on its whole way: signature, queue, inbox, confirming query. Answers what the inbox keeps. */
async function tell(body: string) {
  const { ctx, sent } = contextWithQueues();
  await receiveMidtransNotice(ctx, body);
  const bodies = sent.map((message) => message.body);
  const { batch, fates } = deliver("webhooks", bodies);
  await consumeNotices(ctx, batch, [noticeApplier(settlements)]);
  await settleBackground();
  const [event] = await ctx.db.run(
    rows(
      sql`select state, note from inbox_events where body = ${body} order by id desc limit 1`,
      z.object({ state: z.string(), note: z.string().nullable() }),
    ),
  );
  return { event, fates };
}

describe("notices", () => {
  test("a signed one settles after the query bears it out, and its repeats do nothing", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    const body = await noticeOf(payment.qris);
    const [one, two] = [await tell(body), await tell(body)];
    expect(one).toMatchObject({ event: { state: "applied" }, fates: ["acked"] });
    expect(two).toMatchObject({ event: { state: "applied" }, fates: ["acked"] });
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
  });

  test("late ones of earlier states take nothing back", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    await tell(await noticeOf(payment.qris));
    await tell(await noticeOf(payment.qris, { transaction_status: "pending", status_code: "201" }));
    await tell(await noticeOf(payment.qris, { transaction_status: "expire", status_code: "202" }));
    await tell(await noticeOf(payment.qris, { transaction_status: "deny", status_code: "202" }));
    expect(await standOf(payment)).toMatchObject({ state: "paid", wallet: 25_000 });
  });

  test("one that claims a payment which the provider does not know is kept, not believed", async () => {
    const payment = await startedPayment();
    const claim = { transaction_status: "settlement", status_code: "200" };
    const { event } = await tell(await noticeOf(payment.qris, claim));
    expect(event).toEqual({ state: "parked", note: "not confirmed yet" });
    expect((await standOf(payment)).state).toBe("pending");
  });

  test("one that names a foreign transaction is checked by the order itself", async () => {
    const mine = await startedPayment();
    const other = await startedPayment();
    await twin("POST", `/_pay/${other.qris}`);
    const { transaction_id } = await twin("GET", `/v2/${other.qris}/status`);
    const claim = { transaction_id, transaction_status: "settlement", status_code: "200" };
    await tell(await noticeOf(mine.qris, claim));
    expect((await standOf(mine)).state).toBe("pending");
  });

  test("one with another amount is parked and settles nothing", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    const { event } = await tell(await noticeOf(payment.qris, { gross_amount: "1.00" }));
    expect(event?.state).toBe("parked");
    expect((await standOf(payment)).state).toBe("pending");
  });

  test("one about an order that is not ours is parked", async () => {
    const payment = await startedPayment();
    const { event } = await tell(await noticeOf(payment.qris, { order_id: "ORD-ELSEWHERE-1" }));
    expect(event).toEqual({ state: "parked", note: "unknown order id" });
  });

  test("while the provider is down one is not lost", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    const body = await noticeOf(payment.qris);
    await dial(payment.qris, { down: true });
    const { fates, event } = await tell(body);
    expect(event?.state).toBe("received");
    expect(fates[0]).toEqual(expect.any(Number));
    await twin("DELETE", `/_dials?match=${payment.qris}`);
    expect((await tell(body)).event?.state).toBe("applied");
    expect((await standOf(payment)).state).toBe("paid");
  });

  test.each([
    ["a NUL in its order", { order_id: "ORD\u0000" }],
    ["half a letter in its order", { order_id: "ORD\ud800" }],
    ["half a letter in its transaction", { transaction_id: "\udc00x" }],
    ["a NUL for its status", { transaction_status: "\u0000" }],
    ["a NUL for its fraud status", { fraud_status: "\u0000" }],
  ])(
    "one that is signed with %s is refused at once, as it could never be kept",
    async (_, changes) => {
      const { ctx, sent } = contextWithQueues();
      const body = await noticeOf((await startedPayment()).qris, changes);
      await expect(receiveMidtransNotice(ctx, body)).rejects.toThrow();
      expect(sent).toEqual([]);
    },
  );

  test("one that reuses another's transaction for its own order or amount is news of its own", async () => {
    const [mine, other] = [await startedPayment(), await startedPayment()];
    await twin("POST", `/_pay/${mine.qris}`);
    await twin("POST", `/_pay/${other.qris}`);
    const { transaction_id } = await twin("GET", `/v2/${other.qris}/status`);
    const wrong = await tell(await noticeOf(other.qris, { gross_amount: "1.00" }));
    expect(wrong.event?.state).toBe("parked");
    expect((await tell(await noticeOf(other.qris))).event?.state).toBe("applied");
    expect((await tell(await noticeOf(mine.qris, { transaction_id }))).event).toBeDefined();
    const keyOf = (body: string) =>
      noticeApplier(settlements).eventKey(contextWithQueues().ctx, body);
    const keys = await Promise.all([
      noticeOf(other.qris),
      noticeOf(other.qris, { gross_amount: "1.00" }),
      noticeOf(mine.qris, { transaction_id }),
    ]);
    expect(new Set(keys.map(keyOf)).size).toBe(3);
  });

  test("a forged, altered or empty one is refused before the queue and without the database", async () => {
    const payment = await startedPayment();
    const body = await noticeOf(payment.qris);
    const { ctx, sent } = contextWithQueues();
    const away = { ...ctx, db: new Proxy(ctx.db, { get: () => expect.unreachable() }) };
    const forged = JSON.stringify({ ...JSON.parse(body), status_code: "200" });
    const altered = JSON.stringify({ ...JSON.parse(body), gross_amount: "1.00" });
    for (const text of [forged, altered]) {
      await expect(receiveMidtransNotice(away, text)).rejects.toMatchObject({ status: 401 });
    }
    for (const text of ["", "{}", "[]", "null", "x".repeat(10_000)]) {
      await expect(receiveMidtransNotice(away, text)).rejects.toMatchObject({ status: 400 });
    }
    expect(sent).toEqual([]);
    await receiveMidtransNotice(away, body);
    expect(sent).toHaveLength(1);
  });
});
