import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import { rows } from "../db/statement.ts";
import { confirmCharge } from "./confirm.ts";
import {
  contextWith,
  dial,
  later,
  settlements,
  standOf,
  startedPayment,
  twin,
} from "./test-payments.ts";

const confirmNow = (ref: string, ctx = contextWith()) => confirmCharge(ctx, ref, settlements);

describe("a paid charge", () => {
  test("is settled by the provider's own answer, whoever asks and how often", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    const all = await Promise.all(Array.from({ length: 12 }, () => confirmNow(payment.qris)));
    expect(all.every(({ kind }) => kind === "done")).toBe(true);
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
  });

  test("whose settlement was committed but not heard of is settled once", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    const ctx = contextWith();
    const lost = Object.assign(Object.create(ctx.db), {
      run: ctx.db.run.bind(ctx.db),
      batch: async (queries: Parameters<typeof ctx.db.batch>[0]) => {
        await ctx.db.batch(queries);
        throw new Error("the answer was lost");
      },
    });
    await expect(confirmNow(payment.qris, { ...ctx, db: lost })).rejects.toThrow("lost");
    await confirmNow(payment.qris);
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
  });

  test("ends the other channel at the provider as far as it can", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.snap}`);
    await confirmNow(payment.snap);
    await settleBackground();
    expect(await twin("GET", `/v2/${payment.qris}/status`)).toMatchObject({
      transaction_status: "expire",
    });
  });

  test("of a sold-out purpose goes back by itself", async () => {
    const payment = await startedPayment({ purpose: "sold_out" });
    await twin("POST", `/_pay/${payment.qris}`);
    await confirmNow(payment.qris);
    await confirmNow(payment.qris);
    const stand = await standOf(payment);
    expect(stand.refunds).toEqual([{ state: "queued", reason: "sold_out" }]);
    expect(stand.references).toEqual(["refund"]);
  });

  test("with another amount moves nothing and calls a person", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`, { gross_amount: 1_000 });
    expect(await confirmNow(payment.qris)).toEqual({ kind: "odd", finding: "amount_mismatch" });
    await confirmNow(payment.qris);
    expect(await standOf(payment)).toMatchObject({ state: "pending", references: [] });
    const [mails] = await testContext().db.run(
      rows(
        sql`select count(*)::int as n from jobs where payload->'data'->'facts'->>'tagihan' = ${payment.qris}`,
        z.object({ n: z.number() }),
      ),
    );
    expect(mails?.n).toBe(1);
  });

  test("with another amount holds nothing any more once its time is over", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`, { gross_amount: 1_000 });
    const over = later(60);
    await confirmNow(payment.qris, over);
    await confirmNow(payment.snap, over);
    expect(await standOf(payment)).toMatchObject({ state: "expired", references: [] });
  });

  test("that is reversed afterwards keeps its money and calls a person", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    await confirmNow(payment.qris);
    await twin("POST", `/_chargeback/${payment.qris}`);
    expect(await confirmNow(payment.qris)).toMatchObject({ finding: "payment_disputed" });
    expect(await standOf(payment)).toMatchObject({ state: "paid", wallet: 25_000 });
  });
});

describe("an unpaid charge", () => {
  test("is left alone while it may be paid", async () => {
    const payment = await startedPayment();
    expect(await confirmNow(payment.qris)).toEqual({ kind: "waiting" });
    expect(await confirmNow(payment.snap)).toEqual({ kind: "absent" });
    expect((await standOf(payment)).state).toBe("pending");
  });

  test("releases when the provider says that both channels are over", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_expire/${payment.qris}`);
    await confirmNow(payment.qris);
    expect((await standOf(payment)).state).toBe("pending");
    // The page was never used, so the provider knows nothing of it: over once its time is.
    await confirmNow(payment.snap, later(16));
    expect((await standOf(payment)).state).toBe("expired");
  });

  test("is not released by our clock alone", async () => {
    const payment = await startedPayment();
    expect(await confirmNow(payment.qris, later(60))).toEqual({ kind: "waiting" });
    expect((await standOf(payment)).charges.qris).toBe("pending");
  });

  test("a declined try on the payment page leaves it open until its time is over", async () => {
    const payment = await startedPayment();
    const { redirect_url } = await twin("GET", `/_orders/${payment.snap}`);
    await fetch(`${redirect_url}/pick`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "method=qris",
      redirect: "manual",
    });
    await twin("POST", `/_deny/${payment.snap}`);
    expect(await confirmNow(payment.snap)).toEqual({ kind: "waiting" });
    await confirmNow(payment.snap, later(16));
    expect((await standOf(payment)).charges.snap).toBe("failed");
  });

  test("paid after it was given up goes back", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_expire/${payment.qris}`);
    await confirmNow(payment.qris);
    await confirmNow(payment.snap, later(16));
    await twin("POST", `/_pay/${payment.qris}`, { force: true });
    await confirmNow(payment.qris);
    expect(await standOf(payment)).toMatchObject({
      state: "expired",
      refunds: [{ state: "queued", reason: "paid_late" }],
    });
  });

  test("a provider that is down changes nothing", async () => {
    const payment = await startedPayment();
    await twin("POST", `/_pay/${payment.qris}`);
    for (const fault of [{ down: true }, { rubbish: true }, { refuse: 503 }, { refuse: 401 }]) {
      await dial(payment.qris, fault);
      await expect(confirmNow(payment.qris)).rejects.toMatchObject({ name: "ProviderError" });
    }
    await twin("DELETE", `/_dials?match=${payment.qris}`);
    expect((await standOf(payment)).state).toBe("pending");
    await confirmNow(payment.qris);
    expect((await standOf(payment)).state).toBe("paid");
  });
});
