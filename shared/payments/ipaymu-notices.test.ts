import { sql } from "drizzle-orm";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { consumeNotices } from "../inbox/inbox.ts";
import { runJob } from "../jobs/jobs.ts";
import { deliver } from "../jobs/test-queues.ts";
import { answer, FakeNetwork } from "../providers/testing/fake-network.ts";
import { BASE, formOf } from "../providers/testing/ipaymu.ts";
import { ipaymuNoticeApplier, receiveIpaymuNotice } from "./ipaymu-notices.ts";
import { refundJob } from "./refunds.ts";
import {
  type Callback,
  callbackOf,
  ipaymuContext,
  openIpaymu,
  shows,
  tells,
  transactionOf,
  uniqueTransaction,
} from "./test-ipaymu.ts";
import { settlements, standOf, startedPayment } from "./test-payments.ts";

const network = new FakeNetwork();
afterEach(() => {
  network.verify();
});

const Event = z.object({ state: z.string(), note: z.string().nullable() });

/** A callback on its whole way: signature, queue, inbox, confirming query. Answers what the inbox keeps. */
async function tell({ body, headers }: Callback) {
  const { ctx, sent } = ipaymuContext(network);
  await receiveIpaymuNotice(ctx, headers, body);
  const bodies = sent.map((message) => message.body);
  const { batch, fates } = deliver("webhooks", bodies);
  await consumeNotices(ctx, batch, [ipaymuNoticeApplier(settlements)]);
  await settleBackground();
  const [event] = await ctx.db.run(
    rows(
      sql`select state, note from inbox_events where provider = 'ipaymu' and body = ${body} order by id desc limit 1`,
      Event,
    ),
  );
  return { event, fates };
}

describe("a callback of iPaymu", () => {
  test("settles after the transaction bears it out, and its repeats do nothing", async () => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    tells(network, transactionOf(payment, { TransactionId: trx_id, Status: 6 }));
    const callback = await callbackOf(payment, { trx_id });
    expect(await tell(callback)).toMatchObject({ event: { state: "applied" }, fates: ["acked"] });
    expect(await tell(callback)).toMatchObject({ event: { state: "applied" }, fates: ["acked"] });
    expect(await standOf(payment)).toMatchObject({
      state: "paid",
      wallet: 25_000,
      references: ["deposit"],
    });
  });

  test("as a form and as JSON is one event", async () => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    tells(network, transactionOf(payment, { TransactionId: trx_id }));
    const { body, headers } = await callbackOf(payment, { trx_id });
    await tell({ body: formOf(JSON.parse(body)), headers });
    await tell({ body, headers });
    expect((await standOf(payment)).references).toEqual(["deposit"]);
  });

  test("of an earlier or worse state takes nothing back, in any order", async () => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    const paid = transactionOf(payment, { TransactionId: trx_id });
    for (let n = 0; n < 5; n += 1) tells(network, paid);
    await tell(await callbackOf(payment, { trx_id, status: "expired", status_code: -2 }));
    await tell(await callbackOf(payment, { trx_id }));
    await tell(await callbackOf(payment, { trx_id, status: "pending", status_code: 0 }));
    await tell(await callbackOf(payment, { trx_id, status: "expired", status_code: -1 }));
    await tell(await callbackOf(payment, { trx_id, status: "gagal", status_code: 5 }));
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
  });

  test("that says paid of a transaction that is not is kept, not believed", async () => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    tells(network, transactionOf(payment, { TransactionId: trx_id, Status: 0 }));
    const { event } = await tell(await callbackOf(payment, { trx_id }));
    expect(event).toEqual({ state: "parked", note: "not confirmed yet" });
    expect((await standOf(payment)).state).toBe("pending");
  });

  test("that names somebody else's paid transaction is checked by the order itself", async () => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    const foreign = { TransactionId: trx_id, ReferenceId: "WD-ELSEWHERE-R" };
    tells(network, transactionOf(payment, foreign));
    shows(network, [transactionOf(payment, foreign)]);
    const { event } = await tell(await callbackOf(payment, { trx_id }));
    expect(event).toEqual({ state: "parked", note: "the provider does not know it yet" });
    expect((await standOf(payment)).state).toBe("pending");
  });

  test.each([
    ["in the callback", { sub_total: "1" }, null],
    ["with a fraction in the callback", { sub_total: "25000.5" }, null],
    ["at the provider", {}, { Amount: 1 }],
  ])("with another amount %s settles nothing", async (_, changes, told) => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    if (told) tells(network, transactionOf(payment, { TransactionId: trx_id, ...told }));
    const { event } = await tell(await callbackOf(payment, { trx_id, ...changes }));
    expect(event?.state).toBe("parked");
    expect((await standOf(payment)).state).toBe("pending");
  });

  test.each([-1, -2])("with code %i closes what the provider calls over", async (status_code) => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    const expired = transactionOf(payment, { TransactionId: trx_id, Status: -2 });
    tells(network, expired);
    shows(network, [expired]);
    const { event } = await tell(await callbackOf(payment, { trx_id, status_code }));
    expect(event?.state).toBe("applied");
    expect((await standOf(payment)).state).toBe("expired");
  });

  test("of an ended try leaves the payment open while another is running", async () => {
    const payment = await openIpaymu();
    const ended = uniqueTransaction();
    const open = ended + 1;
    const [first, second] = [
      transactionOf(payment, { TransactionId: ended, Status: -2 }),
      transactionOf(payment, { TransactionId: open, Status: 0 }),
    ];
    tells(network, first);
    shows(network, [second, first]);
    tells(network, second);
    await tell(await callbackOf(payment, { trx_id: ended, status_code: -2 }));
    expect((await standOf(payment)).state).toBe("pending");
  });

  test("of money that comes after the end gives it back into the payer's wallet", async () => {
    const payment = await openIpaymu();
    const [early, late] = [uniqueTransaction(), uniqueTransaction()];
    const expired = transactionOf(payment, { TransactionId: early, Status: -2 });
    tells(network, expired);
    shows(network, [expired]);
    await tell(await callbackOf(payment, { trx_id: early, status_code: -2 }));
    const paid = transactionOf(payment, { TransactionId: late });
    tells(network, paid);
    await tell(await callbackOf(payment, { trx_id: late }));
    expect((await standOf(payment)).refunds).toEqual([{ state: "queued", reason: "paid_late" }]);
    tells(network, paid);
    await runRefund(ipaymuContext(network).ctx, payment.redirect);
    expect(await standOf(payment)).toMatchObject({
      wallet: 25_000,
      refunds: [{ state: "credited" }],
    });
  });

  test("of late money that the provider's own answer does not show yet is kept until it does", async () => {
    const payment = await openIpaymu();
    const [early, late] = [uniqueTransaction(), uniqueTransaction()];
    const expired = transactionOf(payment, { TransactionId: early, Status: -2 });
    tells(network, expired);
    shows(network, [expired]);
    await tell(await callbackOf(payment, { trx_id: early, status_code: -2 }));
    const callback = await callbackOf(payment, { trx_id: late });
    tells(network, transactionOf(payment, { TransactionId: late, Status: -2 }));
    tells(network, expired);
    expect((await tell(callback)).event).toEqual({ state: "parked", note: "not confirmed yet" });
    tells(network, transactionOf(payment, { TransactionId: late }));
    expect((await tell(callback)).event?.state).toBe("applied");
    expect((await standOf(payment)).refunds).toEqual([{ state: "queued", reason: "paid_late" }]);
  });

  test("of a second transaction that is paid too is told to a person, not dropped", async () => {
    const payment = await openIpaymu();
    const [first, second] = [uniqueTransaction(), uniqueTransaction()];
    tells(network, transactionOf(payment, { TransactionId: first }));
    await tell(await callbackOf(payment, { trx_id: first }));
    tells(network, transactionOf(payment, { TransactionId: second }));
    const { event } = await tell(await callbackOf(payment, { trx_id: second }));
    expect(event).toEqual({ state: "parked", note: "paid_again" });
    expect((await standOf(payment)).references).toEqual(["deposit"]);
  });

  test("about an order that is not ours, or not iPaymu's, is parked", async () => {
    const midtrans = await startedPayment();
    for (const redirect of ["WD-ELSEWHERE-R", midtrans.qris]) {
      const callback = await callbackOf({ ...midtrans, redirect }, { trx_id: uniqueTransaction() });
      expect((await tell(callback)).event).toEqual({ state: "parked", note: "unknown order id" });
    }
    expect((await standOf(midtrans)).state).toBe("pending");
  });

  test("while the provider is down is not lost", async () => {
    const payment = await openIpaymu();
    const trx_id = uniqueTransaction();
    const down = answer(503, "busy");
    for (let n = 0; n < 3; n += 1) network.on("POST", `${BASE}/transaction`, down);
    const callback = await callbackOf(payment, { trx_id });
    const { fates, event } = await tell(callback);
    expect(event?.state).toBe("received");
    expect(fates[0]).toEqual(expect.any(Number));
    tells(network, transactionOf(payment, { TransactionId: trx_id }));
    expect((await tell(callback)).event?.state).toBe("applied");
    expect((await standOf(payment)).state).toBe("paid");
  });

  test.each(["\u0000", "\ud800"])(
    "signed, with a reference that holds %j, is refused",
    async (odd) => {
      const redirect = `ORD-${odd}`;
      const payment = { ...(await openIpaymu()), redirect };
      const { body, headers } = await callbackOf(payment, { trx_id: uniqueTransaction() });
      const { ctx, sent } = ipaymuContext(network);
      const answered = receiveIpaymuNotice(ctx, headers, body);
      await expect(answered).rejects.toMatchObject({ code: "invalid_input" });
      expect(sent).toEqual([]);
    },
  );

  test("forged, altered or empty is refused before the queue and without the database", async () => {
    const payment = await openIpaymu();
    const { body, headers } = await callbackOf(payment, { trx_id: uniqueTransaction() });
    const { ctx, sent } = ipaymuContext(network);
    const away = { ...ctx, db: new Proxy(ctx.db, { get: () => expect.unreachable() }) };
    const altered = JSON.stringify({ ...JSON.parse(body), sub_total: "1" });
    const wrong: [string, Headers][] = [
      [altered, headers],
      [body, new Headers()],
      [body, new Headers({ "x-signature": "0".repeat(64) })],
      [body, new Headers({ signature: headers.get("x-signature") ?? "" })],
      ...["", "{}", "[]", "null", "x".repeat(10_000)].map((text): [string, Headers] => [
        text,
        headers,
      ]),
    ];
    for (const [text, sentHeaders] of wrong) {
      await expect(receiveIpaymuNotice(away, sentHeaders, text)).rejects.toMatchObject({
        status: 400,
        message: "Invalid signature",
      });
    }
    expect(sent).toEqual([]);
    await receiveIpaymuNotice(away, headers, body);
    expect(sent).toHaveLength(1);
  });
});

/** Runs the refund of a charge as its queue would. */
async function runRefund(ctx: Ctx, providerRef: string) {
  const [job] = await testContext().db.run(
    rows(
      sql`select j.id from payments_refunds r join payments_charges c on c.id = r.charge_id
        join jobs j on j.dedupe_key = 'payments.refund/' || r.id where c.provider_ref = ${providerRef}`,
      z.object({ id: z.string() }),
    ),
  );
  if (!job) throw new Error("no refund job");
  await runJob(ctx, job.id, [refundJob]);
  await settleBackground();
}
