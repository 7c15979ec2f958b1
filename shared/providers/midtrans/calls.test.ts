import { afterEach, describe, expect, test } from "vitest";
import { failureOf, MISHAPS } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import { CORE, fakeMidtrans, ID, qris, SNAP, snap, transaction } from "../testing/midtrans.ts";

const network = new FakeNetwork();
const client = () => fakeMidtrans(network);

afterEach(() => {
  network.verify();
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
    expect(network.firstJson()).toEqual({
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
  const calls: [string, string, string, () => Promise<unknown>][] = [
    ["chargeQris", "POST", `${CORE}/v2/charge`, () => client().chargeQris(qris)],
    ["createSnap", "POST", `${SNAP}/transactions`, () => client().createSnap(snap)],
    ["getStatus", "GET", `${CORE}/v2/A1/status`, () => client().getStatus("A1")],
    [
      "refund",
      "POST",
      `${CORE}/v2/A1/refund`,
      () => client().refund({ ref: "A1", refundKey: "k", amountIdr: 1, reason: "r" }),
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
