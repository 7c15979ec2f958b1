import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { noticeSignature } from "./signature.ts";
import { type Merchant, type Notice, startMerchant, va } from "./test-ipaymu.ts";

let merchant: Merchant;

beforeAll(async () => {
  merchant = await startMerchant();
});
afterAll(() => merchant.stop());

const transactionOf = async (id: number) =>
  (await merchant.post("transaction", { transactionId: id })).body.Data;

/** The typed fields that a form stands for, by the documented rules. */
function normalised({ fields }: Notice): Record<string, unknown> {
  const numbers = ["trx_id", "status_code", "transaction_status_code", "paid_off"];
  const typed = Object.entries(fields).map(([name, value]) => {
    if (numbers.includes(name)) return [name, Number(value)];
    return [name, name === "is_escrow" ? value === "1" : value];
  });
  return { ...Object.fromEntries(typed), additional_info: [] };
}
const isSigned = (notice: Notice) =>
  notice.headers["x-signature"] === noticeSignature(normalised(notice), va);

async function press(path: string, values: Record<string, string> = {}) {
  const body = new URLSearchParams(values);
  return await fetch(`${merchant.twin.url}${path}`, { method: "POST", redirect: "manual", body });
}

describe("the hosted page", () => {
  it("lets a person pick a channel and pay, and tells the merchant of both", async () => {
    const { reference, sid } = await merchant.payment();
    const path = `/payment/${sid}`;
    const offer = await call("GET", `${merchant.twin.url}${path}`);
    expect(offer.text).toContain("Rp150.000");
    expect(offer.text).toContain('value="va/bca"');
    expect((await press(`${path}/pick`, { channel: "va/bca" })).status).toBe(303);
    const [pending] = await merchant.notices(reference, 1);
    expect(pending?.fields).toMatchObject({ status: "pending", status_code: "0", via: "va" });
    await press(`${path}/pay`);
    const [, paid] = await merchant.notices(reference, 2);
    expect(paid?.headers).toMatchObject({
      "content-type": "application/x-www-form-urlencoded",
      "x-timestamp": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00$/),
    });
    expect(paid?.headers["x-external-id"]).not.toBe(pending?.headers["x-external-id"]);
    expect(paid?.fields).toMatchObject({
      sid,
      reference_id: reference,
      status: "berhasil",
      status_code: "1",
      transaction_status_code: "1",
      sub_total: "150000",
      total: "150000",
      amount: "150000",
      fee: "4000",
      paid_off: "146000",
      is_escrow: "0",
      settlement_status: "settled",
      url: merchant.notifyUrl,
    });
    expect(paid?.fields.va).toBe(paid?.fields.payment_no);
    expect([pending, paid].map((one) => one && isSigned(one))).toEqual([true, true]);
    const page = await call("GET", `${merchant.twin.url}${path}`);
    expect(page.text).toContain("https://shop.example/return");
    const data = await transactionOf(Number(paid?.fields.trx_id));
    expect(data).toMatchObject({
      Status: 1,
      PaidStatus: "paid",
      ReferenceId: reference,
      SessionId: sid,
      Amount: 150_000,
    });
  });

  it("offers one group alone when the merchant asked for it, and takes no other", async () => {
    const { sid } = await merchant.payment({ paymentMethod: "qris" });
    const path = `/payment/${sid}`;
    expect((await call("GET", `${merchant.twin.url}${path}`)).text).not.toContain("va/bca");
    await press(`${path}/pick`, { channel: "va/bca" });
    expect(merchant.twin.state.sessions.get(sid)?.transaction).toBeNull();
    await press(`${path}/pick`, { channel: "qris/mpm" });
    const picture = await call("GET", `${merchant.twin.url}${path}`);
    const source = /src="(\/qr\/\d+)"/.exec(picture.text)?.[1];
    expect((await fetch(`${merchant.twin.url}${source}`)).headers.get("content-type")).toBe(
      "image/png",
    );
  });
});

describe("payments", () => {
  it("a direct QRIS payment has its code and no payment number in notices", async () => {
    const { body } = await merchant.direct();
    expect(body).toMatchObject({
      Status: 200,
      Data: { Via: "QRIS", Channel: "MPM", SubTotal: 150_000, Fee: 1050, Total: 150_000 },
    });
    expect(body.Data.PaymentNo).toBe(body.Data.QrString);
    const [pending] = await merchant.notices(body.Data.ReferenceId, 1);
    expect(pending?.fields.payment_no).toBe("");
    expect(pending?.fields).not.toHaveProperty("va");
  });

  it("the buyer bears the fee when asked, and when nothing is said", async () => {
    const { body } = await merchant.direct({ feeDirection: "BUYER" });
    expect(body.Data).toMatchObject({ SubTotal: 150_000, Fee: 1050, Total: 151_050 });
    const silent = await merchant.direct({ feeDirection: undefined });
    expect(silent.body.Data.Total).toBe(151_050);
    await merchant.hand("pay", body.Data.TransactionId);
    expect(await transactionOf(body.Data.TransactionId)).toMatchObject({ Amount: 151_050 });
  });

  it("a repeated reference is another payment", async () => {
    const referenceId = newOrderId("R");
    const [one, other] = [
      await merchant.direct({ referenceId }),
      await merchant.direct({ referenceId }),
    ];
    expect(one.body.Data.TransactionId).not.toBe(other.body.Data.TransactionId);
    expect(one.body.Data.SessionId).not.toBe(other.body.Data.SessionId);
  });

  it("failure, error, cancel and refund are seen in queries alone", async () => {
    const hands: [string, number][] = [
      ["fail", 5],
      ["error", 4],
      ["cancel", 2],
    ];
    for (const [hand, code] of hands) {
      const { TransactionId, ReferenceId } = (await merchant.direct()).body.Data;
      await merchant.notices(ReferenceId, 1);
      await merchant.hand(hand, TransactionId);
      expect(await transactionOf(TransactionId)).toMatchObject({ Status: code });
      expect(merchant.twin.notices(ReferenceId)).toHaveLength(1);
      expect((await merchant.hand("refund", TransactionId)).status).toBe(409);
    }
    const { TransactionId, ReferenceId } = (await merchant.direct()).body.Data;
    await merchant.hand("pay", TransactionId);
    await merchant.hand("refund", TransactionId);
    expect(await transactionOf(TransactionId)).toMatchObject({ Status: 3 });
    expect(merchant.twin.notices(ReferenceId)).toHaveLength(2);
  });

  it("money that comes later shows as code 6 until it is settled", async () => {
    const { TransactionId, ReferenceId } = (await merchant.direct()).body.Data;
    await merchant.hand("pay", TransactionId, { settled: false });
    const [, paid] = await merchant.notices(ReferenceId, 2);
    expect(paid?.fields).toMatchObject({
      status_code: "1",
      transaction_status_code: "6",
      settlement_status: "unsettle",
    });
    expect(await transactionOf(TransactionId)).toMatchObject({ Status: 6, PaidStatus: "paid" });
    await merchant.hand("settle", TransactionId);
    expect(await transactionOf(TransactionId)).toMatchObject({ Status: 1 });
  });

  it("escrow, when asked for, is code 7", async () => {
    const { TransactionId, ReferenceId } = (await merchant.direct({ escrow: true })).body.Data;
    await merchant.hand("pay", TransactionId);
    expect(await transactionOf(TransactionId)).toMatchObject({ Status: 7 });
    const [, paid] = await merchant.notices(ReferenceId, 2);
    expect(paid?.fields.is_escrow).toBe("1");
    expect(paid && isSigned(paid)).toBe(true);
  });

  it("a payment of another amount shows in the query too", async () => {
    const { TransactionId } = (await merchant.direct()).body.Data;
    await merchant.hand("pay", TransactionId, { amount: 1000 });
    expect(await transactionOf(TransactionId)).toMatchObject({ Amount: 1000, Status: 1 });
  });
});

describe("lists", () => {
  it("history finds a hosted payment whose notice was lost", async () => {
    const { reference, sid } = await merchant.payment();
    await merchant.dial(reference, { lose: true });
    await merchant.hand("pay", sid);
    const { body } = await merchant.post("history", { status: 1, limit: 20, order: "desc" });
    const row = body.Data.Transaction.find((one: Record<string, unknown>) => one.SessionId === sid);
    expect(row).toMatchObject({ ReferenceId: reference, Status: 1 });
    expect(body.Data.Pagination).toMatchObject({ per_page: 20, current_page: 1 });
  });

  it("history pages by so many rows, newest first", async () => {
    const made = [await merchant.direct(), await merchant.direct(), await merchant.direct()];
    const ids = made.map((one) => one.body.Data.TransactionId).reverse();
    const page = async (number: number) =>
      (await merchant.post("history", { limit: 1, page: number })).body.Data.Transaction;
    const rows = [...(await page(1)), ...(await page(2)), ...(await page(3))];
    expect(rows.map((row) => row.TransactionId)).toEqual(ids);
  });

  it("channels come in groups with their fees, one group without any", async () => {
    const { body } = await merchant.get("payment-channels");
    const qris = body.Data.find((group: Record<string, unknown>) => group.Code === "qris");
    expect(qris.Channels[0]).toMatchObject({
      Code: "mpm",
      FeatureStatus: "active",
      TransactionFee: { ActualFee: 0.7, ActualFeeType: "PERCENT" },
    });
    const bare = body.Data.find((group: Record<string, unknown>) => group.Code === "ewallet-asia");
    expect(bare).not.toHaveProperty("Channels");
  });

  it("the balance grows by what is paid off", async () => {
    const balance = async () => (await merchant.post("balance", { account: va })).body.Data;
    const before = (await balance()).MerchantBalance;
    await merchant.hand("pay", (await merchant.direct()).body.Data.TransactionId);
    expect((await balance()).MerchantBalance - before).toBe(148_950);
  });
});

it("shows people the payments, escaped, with buttons", async () => {
  const { sid } = await merchant.payment({ referenceId: "<b>I</b>" });
  const page = await call("GET", `${merchant.twin.url}/`);
  expect(page.text).toContain("&lt;b&gt;I&lt;/b&gt;");
  expect(page.text).toContain(`action="/_pay/${sid}"`);
  const paid = await fetch(`${merchant.twin.url}/_pay/${sid}`, {
    method: "POST",
    redirect: "manual",
    headers: { accept: "text/html" },
    body: new URLSearchParams(),
  });
  expect(paid.status).toBe(303);
  const order = await call("GET", `${merchant.twin.url}/_orders/${sid}`);
  expect(order.body).toMatchObject({ status_code: 1 });
});
