import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { type Receiver, startReceiver } from "../testing/receiver.ts";
import { signature } from "./bodies.ts";
import { type MidtransTwin, startMidtransTwin } from "./twin.ts";

interface Client {
  charge(body: unknown): Promise<Record<string, unknown>>;
  createTransaction(body: unknown): Promise<{ token: string; redirect_url: string }>;
  transaction: Record<
    "status" | "cancel" | "expire" | "refund" | "notification",
    (id: unknown, body?: unknown) => Promise<Record<string, unknown>>
  >;
}

// The official client is CommonJS without types.
const require = createRequire(import.meta.url);
const library = require("midtrans-client") as Record<
  "CoreApi" | "Snap",
  new (options: {
    isProduction: boolean;
    serverKey: string;
  }) => Client
>;
const addresses = require("midtrans-client/lib/apiConfig") as Record<string, string>;

const serverKey = "SB-Mid-server-TESTKEY0001";
let twin: MidtransTwin;
let receiver: Receiver;
let core: Client;
let snap: Client;

beforeAll(async () => {
  receiver = await startReceiver();
  twin = await startMidtransTwin({ serverKey, notifyUrl: receiver.url });
  addresses.CORE_SANDBOX_BASE_URL = twin.url;
  addresses.SNAP_SANDBOX_BASE_URL = `${twin.url}/snap/v1`;
  core = new library.CoreApi({ isProduction: false, serverKey });
  snap = new library.Snap({ isProduction: false, serverKey });
});
afterAll(async () => {
  await twin.stop();
  await receiver.stop();
});

const qris = (order_id: string, gross_amount = 10_000) => ({
  payment_type: "qris",
  transaction_details: { order_id, gross_amount },
});
const ofOrder = (id: string) => (one: { body: { order_id: string } }) => one.body.order_id === id;

describe("the official client", () => {
  it("charges QRIS, reads it, and is told of the payment with the right signature", async () => {
    const id = newOrderId();
    const charged = await core.charge(qris(id));
    expect(charged).toMatchObject({
      status_code: "201",
      transaction_status: "pending",
      gross_amount: "10000.00",
      currency: "IDR",
      acquirer: "gopay",
      fraud_status: "accept",
    });
    expect(charged.qr_string).toMatch(/^000201/);
    expect(await core.transaction.status(id)).toMatchObject({
      status_code: "201",
      signature_key: signature(id, "201", "10000.00", serverKey),
    });
    await call("POST", `${twin.url}/_pay/${id}`, {});
    const [pending, settled] = await receiver.until(2, ofOrder(id));
    expect(pending?.body).toMatchObject({ transaction_status: "pending", status_code: "201" });
    expect(settled?.headers["user-agent"]).toBe("Veritrans");
    expect(settled?.headers.authorization).toBeUndefined();
    expect(settled?.body).toMatchObject({
      transaction_status: "settlement",
      status_code: "200",
      transaction_type: "on-us",
      issuer: "gopay",
      signature_key: signature(id, "200", "10000.00", serverKey),
    });
    expect(await core.transaction.notification(settled?.body)).toMatchObject({
      transaction_id: charged.transaction_id,
      transaction_status: "settlement",
      settlement_time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });
  });

  it("serves a PNG of the QR without a key at each action address", async () => {
    const charged = await core.charge(qris(newOrderId()));
    const actions = charged.actions as { name: string; url: string }[];
    expect(actions.map((one) => one.name)).toEqual(["generate-qr-code", "generate-qr-code-v2"]);
    for (const action of actions) {
      const picture = await fetch(action.url);
      expect(picture.headers.get("content-type")).toBe("image/png");
      const bytes = Buffer.from(await picture.arrayBuffer());
      expect(bytes.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
    }
  });

  it("cancels before settlement only, and expires pending ones only (407 resolves)", async () => {
    const cancelled = newOrderId();
    await core.charge(qris(cancelled));
    expect(await core.transaction.cancel(cancelled)).toMatchObject({ status_code: "200" });
    expect(await core.transaction.status(cancelled)).toMatchObject({
      status_code: "202",
      transaction_status: "cancel",
    });
    await expect(core.transaction.cancel(cancelled)).rejects.toMatchObject({
      ApiResponse: { status_code: "412" },
    });
    const expired = newOrderId();
    await core.charge(qris(expired));
    expect(await core.transaction.expire(expired)).toMatchObject({ status_code: "407" });
    expect(await core.transaction.status(expired)).toMatchObject({ status_code: "407" });
    await expect(core.transaction.expire(expired)).rejects.toMatchObject({
      ApiResponse: { status_code: "412" },
    });
    const [, notice] = await receiver.until(2, ofOrder(expired));
    expect(notice?.body).toMatchObject({
      transaction_status: "expire",
      status_code: "202",
      signature_key: signature(expired, "202", "10000.00", serverKey),
    });
  });

  it("gets 404 in the body for an unknown order, and 401 for a wrong key", async () => {
    await expect(core.transaction.status("NOBODY-1")).rejects.toMatchObject({
      httpStatusCode: "404",
    });
    const stranger = new library.CoreApi({ isProduction: false, serverKey: "SB-Mid-server-other" });
    await expect(stranger.charge(qris(newOrderId()))).rejects.toMatchObject({
      httpStatusCode: 401,
    });
    const thief = new library.Snap({ isProduction: false, serverKey: "SB-Mid-server-other" });
    await expect(thief.createTransaction({})).rejects.toMatchObject({ httpStatusCode: 401 });
  });

  it("makes a Snap order that has no status until a method is picked on its page", async () => {
    const id = newOrderId();
    const { token, redirect_url } = await snap.createTransaction({
      transaction_details: { order_id: id, gross_amount: 25_000 },
      item_details: [{ id: "1", name: "Kopi <b>", price: 12_500, quantity: 2 }],
      callbacks: { finish: "http://toko.localhost:8787/selesai" },
    });
    expect(redirect_url).toBe(`${twin.url}/snap/v3/redirection/${token}`);
    await expect(core.transaction.status(id)).rejects.toMatchObject({ httpStatusCode: "404" });
    const choose = await call("GET", redirect_url);
    expect(choose.text).toContain("Rp25.000");
    expect(choose.text).toContain("Kopi &lt;b&gt;");
    const form = { "content-type": "application/x-www-form-urlencoded" };
    await fetch(`${redirect_url}/pick`, { method: "POST", headers: form, body: "method=qris" });
    expect(await core.transaction.status(id)).toMatchObject({ transaction_status: "pending" });
    const page = await call("GET", redirect_url);
    expect(page.text).toContain("Bayar sekarang");
    expect(page.text).toContain("/qr-code");
    await fetch(`${redirect_url}/pay`, { method: "POST", headers: form, body: "" });
    expect(await core.transaction.status(id)).toMatchObject({
      transaction_status: "settlement",
      payment_type: "qris",
      gross_amount: "25000.00",
    });
    expect((await call("GET", redirect_url)).text).toContain("transaction_status=settlement");
  });

  it("charges virtual accounts, GoPay and Mandiri bill with their own fields", async () => {
    const base = () => ({
      transaction_details: { order_id: newOrderId(), gross_amount: 10_000 },
    });
    const bank = (name: string) => ({
      ...base(),
      payment_type: "bank_transfer",
      bank_transfer: { bank: name },
    });
    expect(await core.charge(bank("bca"))).toMatchObject({
      va_numbers: [{ bank: "bca", va_number: expect.stringMatching(/^\d+$/) }],
    });
    expect(await core.charge(bank("permata"))).toHaveProperty("permata_va_number");
    expect(
      await core.charge({
        ...base(),
        payment_type: "echannel",
        echannel: { bill_info1: "Bayar:", bill_info2: "Kopi" },
      }),
    ).toMatchObject({ biller_code: "70012", bill_key: expect.any(String) });
    const gopay = await core.charge({ ...base(), payment_type: "gopay" });
    expect((gopay.actions as { name: string }[]).map((one) => one.name)).toEqual([
      "generate-qr-code",
      "deeplink-redirect",
      "get-status",
      "cancel",
    ]);
  });
});

describe("refunds", () => {
  const paid = async (amount = 10_000, body: unknown = {}) => {
    const id = newOrderId();
    await core.charge(qris(id, amount));
    await call("POST", `${twin.url}/_pay/${id}`, body);
    return id;
  };

  it("are told twice, the second time with the bank's confirmation", async () => {
    const id = await paid();
    await call("PUT", `${twin.url}/_dials`, { match: id, bankConfirmMs: 0 });
    const body = { refund_key: `${id}-1`, amount: 10_000, reason: "habis" };
    expect(await core.transaction.refund(id, body)).toMatchObject({
      status_code: "200",
      transaction_status: "refund",
      refund_amount: "10000.00",
      refund_key: `${id}-1`,
    });
    const refunds = (await receiver.until(4, ofOrder(id))).slice(2).map((one) => one.body);
    expect(refunds.map((one) => [one.transaction_status, one.status_code])).toEqual([
      ["refund", "200"],
      ["refund", "200"],
    ]);
    expect(refunds[0].refunds[0]).not.toHaveProperty("bank_confirmed_at");
    expect(refunds[1].refunds[0]).toMatchObject({
      refund_key: `${id}-1`,
      bank_confirmed_at: expect.any(String),
    });
  });

  it("refuse the same key (406), more than is left (414) and what is not settled (412)", async () => {
    const id = await paid();
    const give = (key: string, amount: number, order = id) =>
      core.transaction.refund(order, { refund_key: key, amount, reason: "x" });
    expect(await give("a", 4000)).toMatchObject({ transaction_status: "partial_refund" });
    await expect(give("a", 4000)).rejects.toMatchObject({ ApiResponse: { status_code: "406" } });
    await expect(give("b", 6001)).rejects.toMatchObject({ ApiResponse: { status_code: "414" } });
    await expect(give("c", -1)).rejects.toMatchObject({ ApiResponse: { status_code: "414" } });
    expect(await give("d", 6000)).toMatchObject({ transaction_status: "refund" });
    expect(await core.transaction.status(id)).toMatchObject({ refund_amount: "10000.00" });
    const unpaid = newOrderId();
    await core.charge(qris(unpaid));
    await expect(give("e", 1, unpaid)).rejects.toMatchObject({
      ApiResponse: { status_code: "412" },
    });
  });

  it("are not there for virtual accounts (412)", async () => {
    const id = newOrderId();
    await core.charge({
      payment_type: "bank_transfer",
      bank_transfer: { bank: "bni" },
      transaction_details: { order_id: id, gross_amount: 10_000 },
    });
    await call("POST", `${twin.url}/_pay/${id}`, {});
    await expect(core.transaction.refund(id, { amount: 10_000 })).rejects.toMatchObject({
      ApiResponse: { status_code: "412" },
    });
  });
});
