import { afterEach, describe, expect, test } from "vitest";
import { createMidtrans, type QrisInput, type SnapInput } from "./midtrans.ts";
import { failureOf, MISHAPS } from "./testing/failures.ts";
import { answer, FakeNetwork } from "./testing/fake-network.ts";

const CORE = "https://api.sandbox.midtrans.com";
const SNAP = "https://app.sandbox.midtrans.com/snap/v1";
const BASIC = "Basic U0ItTWlkLXNlcnZlci1URVNUS0VZMDAwMTo=";
const ID = "0d8178e1-c6c7-4ab4-81a6-893be9d924ab";

let network = new FakeNetwork();

afterEach(() => {
  expect(network.leftOver()).toEqual([]);
  network = new FakeNetwork();
});

function client() {
  return createMidtrans({
    serverKey: "SB-Mid-server-TESTKEY0001",
    coreUrl: CORE,
    snapUrl: SNAP,
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
  });
}

const qris: QrisInput = {
  providerRef: "ORD-2026-0001",
  amountIdr: 10_000,
  orderTime: new Date("2026-11-21T03:00:00Z"),
  expiryMinutes: 15,
  items: [
    { id: "p1", name: "Kopi Wafero", priceIdr: 6_000, quantity: 2 },
    { id: "promo", name: "Potongan", priceIdr: -2_000, quantity: 1 },
  ],
  customer: { name: "Pembeli Uji", email: "pembeli@example.com", phone: "081200000000" },
  idempotencyKey: "charge-0001",
};
const { orderTime, ...rest } = qris;
const snap: SnapInput = {
  ...rest,
  startTime: orderTime,
  finishUrl: "https://toko.example/selesai",
};

function transaction(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    status_code: "201",
    status_message: "QRIS transaction is created",
    transaction_id: ID,
    order_id: "ORD-2026-0001",
    merchant_id: "G000000001",
    gross_amount: "10000.00",
    currency: "IDR",
    payment_type: "qris",
    transaction_time: "2026-11-21 10:00:00",
    transaction_status: "pending",
    fraud_status: "accept",
    acquirer: "gopay",
    ...changes,
  };
}

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
    expect(JSON.parse(network.sent[0]?.body ?? "")).toEqual({
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
    expect(JSON.parse(network.sent[0]?.body ?? "")).toMatchObject({
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

describe("getStatus", () => {
  const url = `${CORE}/v2/ORD-2026-0001/status`;
  const settled = transaction({
    status_code: "200",
    transaction_status: "settlement",
    settlement_time: "2026-11-21 10:01:00",
  });

  test("asks by GET without a body and tells a settled payment", async () => {
    network.on("GET", url, answer(200, settled));
    expect(await client().getStatus("ORD-2026-0001")).toMatchObject({
      transactionId: ID,
      providerRef: "ORD-2026-0001",
      status: "paid",
      amountIdr: 10_000,
      paidAt: new Date("2026-11-21T03:01:00Z"),
    });
    expect(network.sent[0]?.body).toBeNull();
  });

  test("takes the transaction id as well", async () => {
    network.on("GET", `${CORE}/v2/${ID}/status`, answer(200, settled));
    expect((await client().getStatus(ID))?.providerRef).toBe("ORD-2026-0001");
  });

  test.each([200, 407])("an expired order speaks in body code 407 (HTTP %i)", async (status) => {
    network.on(
      "GET",
      url,
      answer(status, transaction({ status_code: "407", transaction_status: "expire" })),
    );
    expect((await client().getStatus("ORD-2026-0001"))?.status).toBe("expired");
  });

  test.each([200, 404])("an unknown order (HTTP %i, body 404) is null", async (status) => {
    network.on(
      "GET",
      url,
      answer(status, { status_code: "404", status_message: "Transaction doesn't exist." }),
    );
    expect(await client().getStatus("ORD-2026-0001")).toBeNull();
  });

  test("a 404 that is not Midtrans' own is a failure, never 'unknown order'", async () => {
    network.on("GET", url, answer(404, "<html>not found</html>"));
    expect(await failureOf(client().getStatus("ORD-2026-0001"))).toMatchObject({ kind: "refused" });
  });

  test("the status of another order is a bad answer", async () => {
    network.on("GET", url, answer(200, { ...settled, order_id: "ORD-2026-0002" }));
    expect(await failureOf(client().getStatus("ORD-2026-0001"))).toMatchObject({
      kind: "bad_answer",
    });
  });

  test("tells refunds, and which of them the bank has confirmed", async () => {
    const refunds = [
      { refund_key: "r-1", refund_amount: "4000.00", bank_confirmed_at: "2026-11-22 09:00:00" },
      { refund_key: "r-2", refund_amount: "1000.00" },
    ];
    const body = {
      ...settled,
      transaction_status: "partial_refund",
      refund_amount: "5000.00",
      refunds,
    };
    network.on("GET", url, answer(200, body));
    expect(await client().getStatus("ORD-2026-0001")).toMatchObject({
      status: "partly_refunded",
      refundedIdr: 5_000,
      refunds: [
        { refundKey: "r-1", amountIdr: 4_000, bankConfirmedAt: new Date("2026-11-22T02:00:00Z") },
        { refundKey: "r-2", amountIdr: 1_000, bankConfirmedAt: null },
      ],
    });
  });

  test.each(["a/b#c", "..", "", "a b", "a%2fb"])(
    "the id %j never reaches another path",
    async (id) => {
      expect(await failureOf(client().getStatus(id))).toMatchObject({ kind: "invalid" });
      expect(network.sent).toEqual([]);
    },
  );
});

describe("expire, cancel and refund", () => {
  const at = (what: string) => `${CORE}/v2/ORD-2026-0001/${what}`;
  const giveBack = {
    ref: "ORD-2026-0001",
    refundKey: "refund-1",
    amountIdr: 10_000,
    reason: "Stok habis",
  };

  test("expire succeeds with body code 407 and sends no body", async () => {
    network.on(
      "POST",
      at("expire"),
      answer(200, transaction({ status_code: "407", transaction_status: "expire" })),
    );
    expect(await client().expire("ORD-2026-0001")).toBe("expired");
    expect(network.sent[0]?.body).toBeNull();
  });

  test("cancel succeeds with 200", async () => {
    network.on(
      "POST",
      at("cancel"),
      answer(200, transaction({ status_code: "200", transaction_status: "cancel" })),
    );
    expect(await client().cancel("ORD-2026-0001")).toBe("cancelled");
  });

  test("refund sends key, amount and reason", async () => {
    const body = transaction({
      status_code: "200",
      transaction_status: "refund",
      refund_amount: "10000.00",
    });
    network.on("POST", at("refund"), answer(200, body));
    expect(await client().refund(giveBack)).toEqual({ status: "refunded", refundedIdr: 10_000 });
    expect(JSON.parse(network.sent[0]?.body ?? "")).toEqual({
      refund_key: "refund-1",
      amount: 10_000,
      reason: "Stok habis",
    });
  });

  test.each(["412", "414"])("refund code %s is a certain refusal", async (code) => {
    network.on("POST", at("refund"), answer(200, { status_code: code, status_message: "no" }));
    const error = await failureOf(client().refund(giveBack));
    expect(error).toMatchObject({ kind: "refused", outcome: "not_done", code });
  });

  test("a refund key used before is in doubt", async () => {
    network.on("POST", at("refund"), answer(200, { status_code: "406" }));
    expect(await failureOf(client().refund(giveBack))).toMatchObject({
      outcome: "unknown",
      code: "406",
    });
  });

  test("too late to cancel is a certain refusal, but after a lost answer it is in doubt", async () => {
    const late = answer(200, { status_code: "412", status_message: "cannot be modified" });
    network.on("POST", at("cancel"), late);
    expect(await failureOf(client().cancel("ORD-2026-0001"))).toMatchObject({
      code: "412",
      outcome: "not_done",
    });
    network.on("POST", at("cancel"), answer(500, "")).on("POST", at("cancel"), late);
    expect(await failureOf(client().cancel("ORD-2026-0001"))).toMatchObject({
      code: "412",
      outcome: "unknown",
    });
  });
});

describe("every call", () => {
  const midtransOf = client;
  const calls: [string, string, string, () => Promise<unknown>][] = [
    ["chargeQris", "POST", `${CORE}/v2/charge`, () => midtransOf().chargeQris(qris)],
    ["createSnap", "POST", `${SNAP}/transactions`, () => midtransOf().createSnap(snap)],
    ["getStatus", "GET", `${CORE}/v2/A1/status`, () => midtransOf().getStatus("A1")],
    [
      "refund",
      "POST",
      `${CORE}/v2/A1/refund`,
      () => midtransOf().refund({ ref: "A1", refundKey: "k", amountIdr: 1, reason: "r" }),
    ],
  ];

  describe.each(calls)("%s", (_, method, url, call) => {
    test.each(MISHAPS)("reports $name as $kind, $outcome", async (mishap) => {
      const { kind, outcome, retryable } = mishap;
      const repeated = retryable && kind !== "timeout" && kind !== "rate_limited";
      for (let attempt = 0; attempt < (repeated ? 3 : 1); attempt += 1)
        network.on(method, url, mishap.reply);
      const error = await failureOf(call());
      expect(error).toMatchObject({ provider: "midtrans", kind, outcome, retryable });
      expect(error.message).not.toMatch(/TESTKEY|U0It|Pembeli/);
    });
  });
});
