import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import { rows } from "../db/statement.ts";
import { startCharges } from "./charges.ts";
import { confirmCharge } from "./confirm.ts";
import { depositSettlement } from "./deposits.ts";
import { reconcileCharges } from "./reconcile.ts";
import {
  contextWith,
  dial,
  later,
  openPayment,
  settlements,
  standOf,
  startedPayment,
  type TestPayment,
  twin,
} from "./test-payments.ts";

const write = (query: ReturnType<typeof sql>) => testContext().db.run(rows(query, z.unknown()));

const giveUp = ({ intent_id }: TestPayment) => write(sql`select payments_give_up(${intent_id})`);

/** A run of the minute cron that finds this payment's charges due. */
async function cron(payment: TestPayment, ctx = contextWith()) {
  await write(sql`update payments_charges set check_at = now() - interval '1 day'
    where intent_id = ${payment.intent_id} and check_at is not null`);
  await reconcileCharges(ctx, settlements);
}

/** As a checkout leaves it whose provider gave no answer. */
const unanswered = ({ intent_id }: TestPayment) =>
  write(sql`update payments_charges set state = 'unknown' where intent_id = ${intent_id}`);

const atTwin = async (ref: string) => (await twin("GET", `/_orders/${ref}`)).status;

describe("a payment that was given up", () => {
  test("is opened by no run of the cron, and is over once no request for it can be on its way", async () => {
    const payment = await openPayment();
    await unanswered(payment);
    await giveUp(payment);
    await cron(payment);
    const waiting = await standOf(payment);
    expect([waiting.state, waiting.charges]).toEqual([
      "pending",
      { qris: "unknown", snap: "unknown" },
    ]);
    await Promise.all(Array.from({ length: 6 }, () => cron(payment, later(3))));
    const ended = await standOf(payment);
    expect([ended.state, ended.charges]).toEqual([
      "expired",
      { qris: "cancelled", snap: "cancelled" },
    ]);
    await expect(atTwin(payment.qris)).rejects.toThrow("404");
    await expect(atTwin(payment.snap)).rejects.toThrow("404");
  });

  test("waits for a page that may have been shown and was not recorded, until its time is over", async () => {
    const payment = await openPayment();
    await giveUp(payment);
    await cron(payment, later(3));
    expect((await standOf(payment)).charges).toEqual({ qris: "cancelled", snap: "creating" });
    await cron(payment, later(16));
    expect((await standOf(payment)).state).toBe("expired");
  });

  test("is closed at the provider by the cron where it was out of reach before", async () => {
    const payment = await startedPayment();
    await dial(payment.qris, { down: true });
    await giveUp(payment);
    await cron(payment);
    expect((await standOf(payment)).charges).toEqual({ qris: "pending", snap: "pending" });
    await dial(payment.qris, {});
    await cron(payment);
    expect((await standOf(payment)).charges).toEqual({ qris: "expired", snap: "pending" });
    expect(await atTwin(payment.qris)).toBe("expire");
  });

  test("has its code closed by the call that opened it meanwhile", async () => {
    const payment = await openPayment();
    await giveUp(payment);
    await startCharges(contextWith(), payment, { settlement: depositSettlement });
    await settleBackground();
    expect(await atTwin(payment.qris)).toBe("expire");
    expect((await standOf(payment)).charges).toEqual({ qris: "expired", snap: "pending" });
  });

  test("has its code closed also where that call comes after the payment was over", async () => {
    const payment = await openPayment();
    await unanswered(payment);
    await giveUp(payment);
    await cron(payment, later(3));
    await startCharges(contextWith(), payment, { settlement: depositSettlement });
    await settleBackground();
    expect(await atTwin(payment.qris)).toBe("expire");
    expect((await standOf(payment)).state).toBe("expired");
  });

  test("has its code closed by the cron where the call that opened it died", async () => {
    const payment = await openPayment();
    const ctx = contextWith();
    const away = () => Promise.reject(new Error("killed"));
    const killed = { ...ctx, db: Object.assign(Object.create(ctx.db), { run: away, batch: away }) };
    await startCharges(killed, payment, { settlement: depositSettlement });
    await settleBackground();
    await giveUp(payment);
    await cron(payment);
    expect(await atTwin(payment.qris)).toBe("expire");
    expect((await standOf(payment)).charges).toEqual({ qris: "expired", snap: "creating" });
  });

  test("hands out no way to pay when its opening is repeated", async () => {
    const payment = await startedPayment();
    await giveUp(payment);
    const [row] = await testContext().db.run(
      rows(
        sql`select payments_opened(${payment.intent_id}) as opened`,
        z.object({ opened: z.any() }),
      ),
    );
    const again = startCharges(
      contextWith(),
      { ...row?.opened, created_at: payment.created_at, expires_at: payment.expires_at },
      { settlement: depositSettlement, givenUp: "Sudah dibatalkan", reference: { order_id: "x" } },
    );
    await expect(again).rejects.toMatchObject({
      code: "conflict",
      message: "Sudah dibatalkan",
      meta: { order_id: "x" },
    });
  });

  test("settles what was paid all the same, once, beside every run of the cron", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    await giveUp(payment);
    await Promise.all([
      ...Array.from({ length: 5 }, () => cron(payment)),
      ...Array.from({ length: 5 }, () => confirmCharge(contextWith(), payment.qris, settlements)),
    ]);
    const { state, references, settling } = await standOf(payment);
    expect([state, references, settling]).toEqual(["paid", ["deposit"], 1]);
  });
});
