import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { runJob } from "../jobs/jobs.ts";
import { startCharges } from "./charges.ts";
import { confirmCharge } from "./confirm.ts";
import { refundJob } from "./refunds.ts";
import {
  contextWith,
  dial,
  openPayment,
  settlements,
  soldOut,
  standOf,
  type TestPayment,
  twin,
} from "./test-payments.ts";

const EMAIL = "pembeli@test.example";

/** A payment that its purpose did not take, with its refund waiting. */
async function refundable(options: { issuer?: string } = {}): Promise<TestPayment> {
  const payment = await openPayment({ purpose: "sold_out", email: EMAIL });
  await startCharges(contextWith(), payment, { settlement: soldOut });
  await settleBackground();
  // The bank confirms at once unless a test says otherwise.
  await dial(payment.qris, { bankConfirmMs: 1 });
  await twin("POST", `/_pay/${payment.qris}`, options);
  await confirmCharge(contextWith(), payment.qris, settlements);
  return payment;
}

const jobShape = z.object({ id: z.string(), refund_id: z.string() });

async function jobOf(payment: TestPayment) {
  const [job] = await testContext().db.run(
    rows(
      sql`select j.id, r.id as refund_id from payments_refunds r join payments_charges c on c.id = r.charge_id
        join jobs j on j.dedupe_key = 'payments.refund/' || r.id where c.intent_id = ${payment.intent_id}`,
      jobShape,
    ),
  );
  if (!job) throw new Error("no refund job");
  return job;
}

/** Runs the refund's job as if its time had come. */
async function work(payment: TestPayment, ctx: Ctx = contextWith()) {
  const { id } = await jobOf(payment);
  await ctx.db.run(rows(sql`update jobs set run_at = now() where id = ${id}`, z.unknown()));
  const ran = await runJob(ctx, id, [refundJob]);
  await settleBackground();
  return ran;
}

/** Works until the job ends; the bank of the twin takes its milliseconds. */
async function workThrough(payment: TestPayment, ctx?: Ctx) {
  for (let turn = 0; turn < 50; turn += 1) {
    const ran = await work(payment, ctx);
    if (ran === "success" || ran === "failed") return ran;
  }
  return "still going";
}

const refundsAt = async (ref: string) =>
  z
    .array(z.object({ refund_key: z.string() }))
    .parse((await twin("GET", `/v2/${ref}/status`)).refunds ?? []);

async function mailsOf(payment: TestPayment) {
  return await testContext().db.run(
    rows(
      sql`select payload->>'to' as "to", payload->'data'->>'to' as ending from jobs
        where kind = 'mail.send' and payload->'data'->>'payment' = ${payment.qris}`,
      z.object({ to: z.string(), ending: z.string() }),
    ),
  );
}

describe("a refund", () => {
  test("goes back once, under its own id, and is done when the provider's answer shows it", async () => {
    const payment = await refundable();
    expect(await workThrough(payment)).toBe("success");
    const { refund_id } = await jobOf(payment);
    expect(await refundsAt(payment.qris)).toEqual([{ refund_key: refund_id }]);
    const stand = await standOf(payment);
    expect(stand).toMatchObject({
      state: "refunded",
      charges: { qris: "refunded" },
      references: ["refund", "refunded"],
      refunds: [{ state: "refunded", reason: "sold_out" }],
    });
    expect(await mailsOf(payment)).toEqual([{ to: EMAIL, ending: "refunded" }]);
  });

  test("waits for the bank, whose notice may end it too", async () => {
    const payment = await refundable();
    await dial(payment.qris, { bankConfirmMs: 600_000 });
    expect(await work(payment)).toBe("unknown");
    expect(await work(payment)).toBe("unknown");
    expect(await refundsAt(payment.qris)).toHaveLength(1);
    expect((await standOf(payment)).refunds).toMatchObject([{ state: "requested" }]);
    // A day later the provider's own word is enough.
    const tomorrow = contextWith({ now: new Date(Date.now() + 25 * 3_600_000) });
    expect(await confirmCharge(tomorrow, payment.qris, settlements)).toEqual({ kind: "done" });
    expect((await standOf(payment)).refunds).toMatchObject([{ state: "refunded" }]);
    expect(await work(payment)).toBe("success");
    expect((await standOf(payment)).references).toEqual(["refund", "refunded"]);
  });

  test("whose answer was lost is asked about and not sent under another key", async () => {
    const payment = await refundable();
    await dial(payment.qris, { timeOut: { path: "/refund" }, bankConfirmMs: 1 });
    const impatient = contextWith({ timeoutMs: 200 });
    expect(await work(payment, impatient)).toBe("unknown");
    expect(await workThrough(payment)).toBe("success");
    expect(await refundsAt(payment.qris)).toHaveLength(1);
    expect((await standOf(payment)).references).toEqual(["refund", "refunded"]);
  });

  test.each([
    ["down", { down: { path: "/refund", value: true } }],
    ["answering rubbish", { rubbish: { path: "/refund", value: true } }],
    ["refusing our key", { refuse: { path: "/refund", value: 401 } }],
  ])("to a provider that is %s is owed until it works", async (_, fault) => {
    const payment = await refundable();
    await dial(payment.qris, fault);
    await dial(payment.qris, { ...fault, bankConfirmMs: 1 });
    expect(await work(payment)).toBe("unknown");
    expect((await standOf(payment)).references).toEqual(["refund"]);
    await twin("DELETE", `/_dials?match=${payment.qris}`);
    await dial(payment.qris, { bankConfirmMs: 1 });
    expect(await workThrough(payment)).toBe("success");
    expect(await refundsAt(payment.qris)).toHaveLength(1);
  });

  test("that the provider refuses for good goes to the payer's wallet", async () => {
    const payment = await refundable();
    await dial(payment.qris, { refuse: { path: "/refund", value: 412 } });
    expect(await workThrough(payment)).toBe("success");
    const stand = await standOf(payment);
    expect(stand).toMatchObject({
      wallet: 25_000,
      references: ["refund", "credited"],
      refunds: [{ state: "credited" }],
    });
    expect(await mailsOf(payment)).toEqual([{ to: EMAIL, ending: "credited" }]);
    expect(await work(payment)).toBe("skipped");
    expect((await standOf(payment)).wallet).toBe(25_000);
  });

  test("that cannot be repeated under its key any more goes to the wallet, if surely not done", async () => {
    const payment = await refundable();
    await dial(payment.qris, { down: { path: "/refund", value: true } });
    expect(await work(payment)).toBe("unknown");
    const nextWeek = contextWith({ now: new Date(Date.now() + 7 * 86_400_000) });
    expect(await work(payment, nextWeek)).toBe("success");
    expect(await standOf(payment)).toMatchObject({
      wallet: 25_000,
      refunds: [{ state: "credited" }],
    });
  });

  test("made by somebody at the provider's own desk calls a person", async () => {
    const payment = await openPayment();
    await startCharges(contextWith(), payment, { settlement: soldOut });
    await twin("POST", `/_pay/${payment.qris}`);
    await confirmCharge(contextWith(), payment.qris, settlements);
    await twin("POST", `/v2/${payment.qris}/refund`, {
      refund_key: "desk",
      amount: 25_000,
      reason: "x",
    });
    expect(await confirmCharge(contextWith(), payment.qris, settlements)).toMatchObject({
      finding: "refunded_elsewhere",
    });
    expect(await standOf(payment)).toMatchObject({ state: "paid", wallet: 25_000 });
  });

  test("two workers at once end it once", async () => {
    const payment = await refundable();
    await work(payment);
    const ctx = contextWith({ now: new Date(Date.now() + 25 * 3_600_000) });
    const again = Array.from({ length: 10 }, () => confirmCharge(ctx, payment.qris, settlements));
    await Promise.all([...again, work(payment, ctx)]);
    const stand = await standOf(payment);
    expect(stand.references).toEqual(["refund", "refunded"]);
    expect(await mailsOf(payment)).toHaveLength(1);
  });
});
