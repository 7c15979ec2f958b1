import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { requestSignature } from "./signature.ts";
import { apiKey, cart, type Merchant, signed, startMerchant, va } from "./test-ipaymu.ts";
import { startIpaymuTwin } from "./twin.ts";

let merchant: Merchant;
let now = Date.parse("2026-11-21T12:00:00+07:00");

beforeAll(async () => {
  merchant = await startMerchant(() => now);
});
afterAll(() => merchant.stop());

describe("a call is unauthorized", () => {
  const body = { transactionId: "193205" };
  const text = JSON.stringify(body);
  const cases: [string, Record<string, string>][] = [
    ["with another account", { va: "1179000899" }],
    ["with a signature under another key", { signature: requestSignature("POST", va, text, "x") }],
    ["with the signature of another body", signed("POST", '{"transactionId":"193206"}')],
    ["with the signature of another method", signed("GET", text)],
    ["with an empty signature", { signature: "" }],
    ["with a timestamp in milliseconds", { timestamp: "1795237200000" }],
    ["with a timestamp in ISO form", { timestamp: "2026-11-21T12:00:00" }],
  ];
  it.each(cases)("%s", async (_name, change) => {
    const answer = await merchant.post("transaction", body, change);
    expect(answer).toMatchObject({ status: 401, body: { Status: 401, Message: "unauthorized" } });
  });

  it("signed over other bytes than were sent", async () => {
    const sent = '{"transactionId": "193205"}';
    const answer = await fetch(`${merchant.twin.url}/api/v2/transaction`, {
      method: "POST",
      headers: signed("POST", text),
      body: sent,
    });
    expect(answer.status).toBe(401);
  });

  it("as a GET that hashes nothing instead of an empty object", async () => {
    const path = `${merchant.twin.url}/api/v2/payment-channels`;
    expect((await call("GET", path, undefined, signed("GET", ""))).status).toBe(401);
    expect((await merchant.get("payment-channels")).status).toBe(200);
  });
});

it("refuses a body that is not called JSON", async () => {
  const body = new URLSearchParams({ transactionId: "1" }).toString();
  const answer = await fetch(`${merchant.twin.url}/api/v2/transaction`, {
    method: "POST",
    headers: signed("POST", body, { "content-type": "application/x-www-form-urlencoded" }),
    body,
  });
  expect(answer.status).toBe(400);
});

describe("a hosted payment is refused, naming the field", () => {
  const cases: [string, string, Record<string, unknown>][] = [
    ["without products", "product", { product: undefined }],
    ["with a product that is no list", "product", { product: "Kopi" }],
    ["with fewer prices than products", "price", { price: [] }],
    ["with more quantities than products", "qty", { qty: [1, 2] }],
    ["with a quantity of zero", "qty", { qty: [0] }],
    ["with a price as text", "price", { price: ["150000"] }],
    ["with a broken price", "price", { price: [1.5] }],
    ["without description", "description", { description: undefined }],
    ["without return address", "returnUrl", { returnUrl: undefined }],
    ["without notice address", "notifyUrl", { notifyUrl: undefined }],
    ["without cancel address", "cancelUrl", { cancelUrl: undefined }],
    ["with an address that is none", "notifyUrl", { notifyUrl: "shop.example" }],
    ["with an e-mail that is none", "buyerEmail", { buyerEmail: "budi" }],
    ["with an unknown fee direction", "feeDirection", { feeDirection: "merchant" }],
    ["with an unknown method", "paymentMethod", { paymentMethod: "giro" }],
    ["with an expiry that is no number", "expired", { expired: "24" }],
    ["with an unknown unit of expiry", "expiredType", { expiredType: "weeks" }],
    ["with another's account", "account", { account: "1179000899" }],
  ];
  it.each(cases)("%s", async (_name, field, change) => {
    const answer = await merchant.post("payment", cart(merchant.notifyUrl, change));
    expect(answer).toMatchObject({
      status: 400,
      body: { Status: 400, Error: { [field]: [expect.any(String)] } },
    });
  });
});

describe("a direct payment is refused, naming the field", () => {
  const cases: [string, Record<string, unknown>][] = [
    ["name", { name: undefined }],
    ["phone", { phone: undefined }],
    ["email", { email: "budi" }],
    ["amount", { amount: "150000" }],
    ["amount", { amount: 0 }],
    ["notifyUrl", { notifyUrl: undefined }],
    ["referenceId", { referenceId: undefined }],
    ["paymentMethod", { paymentMethod: "giro" }],
    ["paymentChannel", { paymentChannel: "qris" }],
    ["paymentChannel", { paymentMethod: "va", paymentChannel: "mpm" }],
  ];
  it.each(cases)("%s of %o", async (field, change) => {
    expect(await merchant.direct(change)).toMatchObject({
      status: 400,
      body: { Status: 400, Error: { [field]: [expect.any(String)] } },
    });
  });
});

describe("other refusals", () => {
  it("an unknown transaction, a reference in its place, and none", async () => {
    const { reference } = await merchant.payment();
    expect((await merchant.post("transaction", { transactionId: 5 })).status).toBe(404);
    expect((await merchant.post("transaction", { transactionId: reference })).status).toBe(400);
    expect((await merchant.post("transaction", {})).status).toBe(400);
  });

  it("a history page of more than 20 rows", async () => {
    expect((await merchant.post("history", { limit: 21 })).status).toBe(400);
  });

  it("the balance of another account", async () => {
    expect((await merchant.post("balance", {})).status).toBe(400);
    expect((await merchant.post("balance", { account: "1179000899" })).status).toBe(400);
    expect((await merchant.post("balance", { account: va })).status).toBe(200);
  });

  it("an unknown path", async () => {
    expect((await merchant.post("refund", {})).body).toEqual({ Status: 404, Message: "not found" });
  });
});

describe("time", () => {
  const minutes = (count: number) => {
    now += count * 60_000;
  };
  const expiryOf = async (change: Record<string, unknown>) => {
    const began = now;
    const { body } = await merchant.direct(change);
    const expired = Date.parse(`${body.Data.Expired.replace(" ", "T")}+07:00`);
    return (expired - began) / 3_600_000;
  };

  it("expires a payment after the hours asked for, lazily on read", async () => {
    const { body } = await merchant.direct({
      paymentMethod: "va",
      paymentChannel: "bni",
      expired: 5,
      expiredType: "minutes",
    });
    const read = () => merchant.post("transaction", { transactionId: body.Data.TransactionId });
    minutes(5);
    now -= 1;
    expect((await read()).body.Data).toMatchObject({ Status: 0, PaidStatus: "unpaid" });
    now += 1;
    expect((await read()).body.Data).toMatchObject({ Status: -2 });
    const late = await merchant.hand("pay", body.Data.TransactionId);
    expect(late.status).toBe(409);
    const forced = await merchant.hand("pay", body.Data.TransactionId, { force: true });
    expect(forced.body.status_code).toBe(1);
  });

  it("keeps each channel's own limit", async () => {
    const of = (paymentMethod: string, paymentChannel: string, expired = 48) =>
      expiryOf({ paymentMethod, paymentChannel, expired });
    expect(await of("va", "bni")).toBe(48);
    expect(await of("va", "bsi")).toBe(3);
    expect(await of("va", "bri", 1)).toBe(1);
    expect(await of("va", "bca", 1)).toBe(12);
    expect(await of("cstore", "alfamart")).toBe(24);
    expect(await of("qris", "mpm")).toBe(24);
  });

  it("can give a QRIS code the five minutes of the documentation", async () => {
    const referenceId = newOrderId("Q");
    await merchant.dial(referenceId, { qrisMinutes: 5 });
    expect(await expiryOf({ referenceId })).toBe(5 / 60);
  });

  it("closes a hosted page on which nothing was picked, without a notice", async () => {
    const { sid, reference } = await merchant.payment({ expired: 1 });
    minutes(60);
    const path = `${merchant.twin.url}/payment/${sid}`;
    expect((await call("GET", path)).text).toContain("tidak dapat dilanjutkan");
    expect((await merchant.hand("pay", reference)).status).toBe(409);
    expect(merchant.twin.notices(reference)).toEqual([]);
  });

  it("tells of the expiry when the clock is swept", async () => {
    const { body } = await merchant.direct({
      expired: 1,
      paymentMethod: "va",
      paymentChannel: "bni",
    });
    await merchant.notices(body.Data.ReferenceId, 1);
    minutes(60);
    merchant.twin.sweep();
    const told = await merchant.notices(body.Data.ReferenceId, 2);
    expect(told[1]?.fields).toMatchObject({ status: "expired", status_code: "-2", paid_at: "" });
  });
});

it("says in clear words that a port is taken", async () => {
  await expect(startIpaymuTwin({ va, apiKey, port: merchant.twin.port })).rejects.toThrow(
    `iPaymu twin: port ${merchant.twin.port} is taken by another program`,
  );
});
