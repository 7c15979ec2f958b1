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

const confirmNow = (ref: string, ctx = contextWith()) => confirmCharge(ctx, ref, settlements);

describe("the cron", () => {
  /** Makes the charges of a payment due now, and puts everybody else's off. */
  async function makeDue(payment: TestPayment) {
    await testContext().db.run(
      rows(
        sql`update payments_charges set check_at = case when intent_id = ${payment.intent_id}
          then now() - interval '1 second' else now() + interval '1 hour' end where check_at is not null`,
        z.unknown(),
      ),
    );
  }

  test("settles a payment whose notice was lost", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.snap}`);
    await makeDue(payment);
    await reconcileCharges(contextWith(), settlements);
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
  });

  test("gives a payment whose Worker died a code that can be paid", async () => {
    const payment = await openPayment();
    await makeDue(payment);
    await reconcileCharges(contextWith(), settlements);
    expect((await standOf(payment)).charges).toEqual({ qris: "pending", snap: "pending" });
    await twin("POST", `/_pay/${payment.qris}`);
    await confirmNow(payment.qris);
    expect((await standOf(payment)).state).toBe("paid");
  });

  test("finds the code of a charge that was made and not recorded, without making another", async () => {
    const payment = await openPayment();
    const ctx = contextWith();
    const away = () => Promise.reject(new Error("killed"));
    const killed = { ...ctx, db: Object.assign(Object.create(ctx.db), { run: away, batch: away }) };
    const started = await startCharges(killed, payment, { settlement: depositSettlement });
    await settleBackground();
    expect((await standOf(payment)).charges).toEqual({ qris: "creating", snap: "creating" });
    await makeDue(payment);
    await reconcileCharges(contextWith(), settlements);
    const [recorded] = await testContext().db.run(
      rows(
        sql`select max(qr_string) as qr, max(payment_url) as url from payments_charges
          where intent_id = ${payment.intent_id}`,
        z.object({ qr: z.string(), url: z.string() }),
      ),
    );
    expect(recorded).toEqual({ qr: started.qrCode, url: started.paymentUrl });
    expect((await twin("GET", `/_orders/${payment.qris}`)).transactions).toHaveLength(1);
  });

  test("releases what nobody paid", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_expire/${payment.qris}`);
    await makeDue(payment);
    await reconcileCharges(later(16), settlements);
    expect((await standOf(payment)).state).toBe("expired");
  });

  test("one bad charge stops no other, and is asked about again", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.snap}`);
    await dial(payment.qris, { down: true });
    await makeDue(payment);
    await reconcileCharges(contextWith(), settlements);
    expect((await standOf(payment)).state).toBe("paid");
    const [qris] = await testContext().db.run(
      rows(
        sql`select check_at > now() as again from payments_charges where provider_ref = ${payment.qris}`,
        z.object({ again: z.boolean() }),
      ),
    );
    expect(qris?.again).toBe(true);
  });

  test("two runs at once ask about each charge once", async () => {
    const payment = await startedPayment();
    await makeDue(payment);
    const asked: string[] = [];
    const ctx = contextWith();
    const { midtrans } = ctx.providers;
    const counting = {
      ...ctx,
      providers: {
        ...ctx.providers,
        midtrans: {
          ...midtrans,
          getStatus: (id: string) => {
            asked.push(id);
            return midtrans.getStatus(id);
          },
        },
      },
    };
    await Promise.all([1, 2, 3].map(() => reconcileCharges(counting, settlements)));
    expect(asked).toHaveLength(2);
  });
});
