import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import {
  BASIC,
  CORE,
  fakeMidtrans,
  ID,
  qris,
  SNAP,
  snap,
  transaction,
} from "../testing/midtrans.ts";
import type { QrisInput } from "./requests.ts";

const network = new FakeNetwork();
const client = () => fakeMidtrans(network);

afterEach(() => {
  network.verify();
});

const actions = [
  { name: "deeplink-redirect", method: "GET", url: "gojek://pay" },
  { name: "generate-qr-code-v2", method: "GET", url: `${CORE}/v4/qris/${ID}/qr-code` },
  { name: "generate-qr-code", method: "GET", url: `${CORE}/v2/qris/${ID}/qr-code` },
];

describe("chargeQris", () => {
  const url = `${CORE}/v2/charge`;

  test("sends the documented request", async () => {
    network.on("POST", url, answer(200, transaction()));
    await client().chargeQris(qris);
    expect(network.sent[0]?.headers).toEqual({
      accept: "application/json",
      authorization: BASIC,
      "content-type": "application/json",
      "idempotency-key": "charge-0001",
      "user-agent": "lumbung/1",
    });
    expect(network.firstJson()).toEqual({
      payment_type: "qris",
      transaction_details: { order_id: "ORD-2026-0001", gross_amount: 10_000 },
      qris: { acquirer: "gopay" },
      custom_expiry: {
        order_time: "2026-11-21 10:00:00 +0700",
        expiry_duration: 15,
        unit: "minute",
      },
      item_details: [
        { id: "p1", price: 6_000, quantity: 2, name: "Kopi Wafero" },
        { id: "promo", price: -2_000, quantity: 1, name: "Potongan" },
      ],
      customer_details: {
        first_name: "Pembeli Uji",
        email: "pembeli@example.com",
        phone: "081200000000",
      },
    });
  });

  test("gives the QR's content, the plain picture by name, and the expiry", async () => {
    const body = transaction({
      actions,
      qr_string: "0002010102",
      expiry_time: "2026-11-21 10:15:00",
    });
    network.on("POST", url, answer(200, body));
    expect(await client().chargeQris(qris)).toEqual({
      transactionId: ID,
      qrString: "0002010102",
      qrImageUrl: `${CORE}/v2/qris/${ID}/qr-code`,
      expiresAt: new Date("2026-11-21T03:15:00Z"),
      status: "pending",
    });
  });

  test("reads the other name of the expiry, and lives without QR text and actions", async () => {
    network.on("POST", url, answer(201, transaction({ expire_time: "2026-11-21 10:15:00" })));
    expect(await client().chargeQris(qris)).toMatchObject({
      qrString: null,
      qrImageUrl: null,
      expiresAt: new Date("2026-11-21T03:15:00Z"),
    });
  });

  test.each([
    ["400", "invalid", "not_done", false],
    ["401", "unauthorised", "not_done", false],
    ["402", "refused", "not_done", false],
    ["202", "refused", "not_done", false],
    // The reference is taken: perhaps by an earlier try of this very charge.
    ["406", "refused", "unknown", false],
    ["429", "rate_limited", "not_done", true],
    ["505", "unavailable", "unknown", true],
  ] as const)("body code %s under HTTP 200 is %s, %s", async (code, kind, outcome, retryable) => {
    const body = { status_code: code, status_message: "no", id: "x" };
    for (let attempt = 0; attempt < (retryable ? 3 : 1); attempt += 1) {
      network.on("POST", url, answer(200, body));
    }
    const error = await failureOf(client().chargeQris(qris));
    expect(error).toMatchObject({ provider: "midtrans", kind, outcome, retryable, code });
  });

  test("a duplicate after a lost answer is in doubt, so the charge is looked up and not made again", async () => {
    network.on("POST", url, answer(502, "gateway"));
    network.on("POST", url, answer(200, { status_code: "406", status_message: "duplicate" }));
    const error = await failureOf(client().chargeQris(qris));
    expect(error).toMatchObject({ kind: "refused", code: "406", outcome: "unknown" });
  });

  test("a first call that still runs under the key is waited for", async () => {
    network.on("POST", url, answer(202, {}));
    network.on("POST", url, answer(200, transaction()));
    expect((await client().chargeQris(qris)).status).toBe("pending");
    expect(new Set(network.sent.map((sent) => sent.headers["idempotency-key"])).size).toBe(1);
  });

  test.each([
    ["another order", { order_id: "ORD-2026-0002" }],
    ["another amount", { gross_amount: "9999.00" }],
  ])("an answer for %s is a bad answer in doubt", async (_, changes) => {
    network.on("POST", url, answer(200, transaction(changes)));
    const error = await failureOf(client().chargeQris(qris));
    expect(error).toMatchObject({ kind: "bad_answer", outcome: "unknown", retryable: false });
  });

  test("an amount with a fraction is a bad answer", async () => {
    const odd = answer(200, transaction({ gross_amount: "10000.50" }));
    network.on("POST", url, odd).on("POST", url, odd).on("POST", url, odd);
    const error = await failureOf(client().chargeQris(qris));
    expect(error).toMatchObject({ kind: "bad_answer", outcome: "unknown" });
  });

  test.each<[string, Partial<QrisInput>]>([
    ["items that do not add up", { amountIdr: 9_999 }],
    ["a fraction of a rupiah", { amountIdr: 0.5, items: [] }],
    ["nothing to pay", { amountIdr: 0, items: [] }],
    ["an order id with a slash", { providerRef: "ORD/1" }],
    ["an order id of 51 characters", { providerRef: "A".repeat(51) }],
    ["a key that Midtrans would ignore", { idempotencyKey: "k".repeat(37) }],
    ["an expiry of no minutes", { expiryMinutes: 0 }],
  ])("%s is refused before anything is sent", async (_, changes) => {
    const error = await failureOf(client().chargeQris({ ...qris, ...changes }));
    expect(error).toMatchObject({ kind: "invalid", outcome: "not_done", retryable: false });
    expect(network.sent).toEqual([]);
  });
});

describe("createSnap", () => {
  const url = `${SNAP}/transactions`;
  const created = {
    token: "tok-1",
    redirect_url: "https://app.sandbox.midtrans.com/snap/v3/redirection/tok-1",
  };

  test("sends the documented request and gives the page", async () => {
    network.on("POST", url, answer(201, created));
    expect(await client().createSnap(snap)).toEqual({
      token: "tok-1",
      redirectUrl: created.redirect_url,
    });
    expect(network.sent[0]?.headers.authorization).toBe(BASIC);
    expect(network.firstJson()).toMatchObject({
      transaction_details: { order_id: "ORD-2026-0001", gross_amount: 10_000 },
      expiry: { start_time: "2026-11-21 10:00:00 +0700", duration: 15, unit: "minute" },
      callbacks: { finish: "https://toko.example/selesai" },
    });
  });

  test("a validation error is invalid and not done", async () => {
    network.on(
      "POST",
      url,
      answer(400, { error_messages: ["transaction_details.gross_amount is required"] }),
    );
    const error = await failureOf(client().createSnap(snap));
    expect(error).toMatchObject({ kind: "invalid", outcome: "not_done", status: 400 });
  });

  test.each([
    "transaction_details.order_id sudah digunakan",
    "transaction_details.order_id has already been taken",
  ])("%j leaves open who took it", async (text) => {
    network.on("POST", url, answer(400, { error_messages: [text] }));
    const error = await failureOf(client().createSnap(snap));
    expect(error).toMatchObject({ kind: "refused", outcome: "unknown", code: "duplicate" });
  });

  test("errors under a status of success are a refusal", async () => {
    network.on("POST", url, answer(200, { error_messages: ["no"] }));
    expect(await failureOf(client().createSnap(snap))).toMatchObject({ kind: "refused" });
  });

  test("a page that is no web address is a bad answer", async () => {
    const odd = answer(201, { token: "t", redirect_url: "javascript:alert(1)" });
    network.on("POST", url, odd).on("POST", url, odd).on("POST", url, odd);
    expect(await failureOf(client().createSnap(snap))).toMatchObject({ kind: "bad_answer" });
  });
});
