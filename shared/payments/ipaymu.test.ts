import { sql } from "drizzle-orm";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import { rows } from "../db/statement.ts";
import { answer, broken, FakeNetwork, silent } from "../providers/testing/fake-network.ts";
import { BASE, ok, SESSION } from "../providers/testing/ipaymu.ts";
import { startCharges } from "./charges.ts";
import { depositSettlement } from "./deposits.ts";
import { reconcileCharges } from "./reconcile.ts";
import {
  ipaymuContext,
  openIpaymu,
  shows,
  tells,
  transactionOf,
  uniqueTransaction,
} from "./test-ipaymu.ts";
import { settlements, standOf, type TestPayment } from "./test-payments.ts";

const network = new FakeNetwork();
afterEach(() => {
  network.verify();
});

const URL = "https://sandbox.ipaymu.com/payment/x";
const opens = () =>
  network.on("POST", `${BASE}/payment`, answer(200, ok({ SessionID: SESSION, Url: URL })));
const start = (payment: TestPayment, customer = {}) =>
  startCharges(ipaymuContext(network).ctx, payment, {
    settlement: depositSettlement,
    description: "Isi saldo",
    customer,
  });

/** Makes this payment due, and puts everybody else's off. */
async function makeDue(payment: TestPayment) {
  await testContext().db.run(
    rows(
      sql`update payments_charges set check_at = case when intent_id = ${payment.intent_id}
        then now() - interval '1 second' else now() + interval '1 hour' end where check_at is not null`,
      z.unknown(),
    ),
  );
}

describe("a payment by iPaymu", () => {
  test("is a page to pay on, that says whom to tell and for how long it may be paid", async () => {
    const payment = await openIpaymu({ minutes: 30 });
    opens();
    const started = await start(payment, { name: "Budi", email: "budi@example.com", phone: null });
    expect(started).toEqual({ qrCode: null, paymentUrl: URL });
    const { APP_URL } = testContext().config;
    expect(network.firstJson()).toMatchObject({
      product: ["Isi saldo"],
      price: [25_000],
      referenceId: payment.redirect,
      notifyUrl: `${APP_URL}/api/payment/callback`,
      returnUrl: APP_URL,
      cancelUrl: APP_URL,
      buyerName: "Budi",
      buyerEmail: "budi@example.com",
      expired: 30,
      expiredType: "minutes",
      feeDirection: "MERCHANT",
    });
    await settleBackground();
    expect((await standOf(payment)).charges).toEqual({ redirect: "pending" });
  });

  test("that is asked for late may be paid no longer than its intent", async () => {
    const payment = await openIpaymu({ minutes: 30 });
    const { ctx } = ipaymuContext(network, new Date(payment.created_at.getTime() + 20 * 60_000));
    opens();
    await startCharges(ctx, payment, { settlement: depositSettlement });
    expect(network.firstJson()).toMatchObject({ expired: 10, product: ["Pembayaran"] });
    await settleBackground();
  });

  test("that the provider refuses has failed", async () => {
    const payment = await openIpaymu();
    network.on("POST", `${BASE}/payment`, answer(200, { Status: 400, Message: "invalid request" }));
    await expect(start(payment)).rejects.toMatchObject({ status: 503 });
    expect((await standOf(payment)).state).toBe("failed");
  });

  test.each([
    ["silent", silent],
    ["cut off", broken(null)],
    ["rubbish", answer(200, "<html>")],
  ])("whose answer is %s is in doubt, is asked once, and stays open", async (_, reply) => {
    const payment = await openIpaymu();
    network.on("POST", `${BASE}/payment`, reply);
    await expect(start(payment)).rejects.toMatchObject({ status: 503 });
    await settleBackground();
    expect(await standOf(payment)).toMatchObject({
      state: "pending",
      charges: { redirect: "unknown" },
    });
  });
});

describe("the cron", () => {
  test("settles a payment whose callback was lost", async () => {
    const payment = await openIpaymu();
    opens();
    await start(payment);
    await settleBackground();
    const paid = transactionOf(payment, { TransactionId: uniqueTransaction() });
    shows(network, [paid]);
    tells(network, paid);
    await makeDue(payment);
    await reconcileCharges(ipaymuContext(network).ctx, settlements);
    expect(await standOf(payment)).toMatchObject({ state: "paid", references: ["deposit"] });
  });

  test("gives a payment whose answer was lost a page that can be paid", async () => {
    const payment = await openIpaymu();
    network.on("POST", `${BASE}/payment`, silent);
    await expect(start(payment)).rejects.toMatchObject({ status: 503 });
    await settleBackground();
    shows(network, []);
    opens();
    await makeDue(payment);
    await reconcileCharges(ipaymuContext(network).ctx, settlements);
    expect((await standOf(payment)).charges).toEqual({ redirect: "pending" });
  });

  test("closes what nobody paid, and not while the history cannot be read", async () => {
    const payment = await openIpaymu();
    opens();
    await start(payment);
    await settleBackground();
    const later = new Date(Date.now() + 16 * 60_000);
    for (let n = 0; n < 3; n += 1) network.on("POST", `${BASE}/history`, answer(503, "busy"));
    await makeDue(payment);
    await reconcileCharges(ipaymuContext(network, later).ctx, settlements);
    expect((await standOf(payment)).state).toBe("pending");
    shows(network, []);
    await makeDue(payment);
    await reconcileCharges(ipaymuContext(network, later).ctx, settlements);
    expect((await standOf(payment)).state).toBe("expired");
  });
});
