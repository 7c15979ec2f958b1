import { describe, expect, test } from "vitest";
import { sha512Hex } from "../../crypto/index.ts";
import { verifyNotice } from "./notice.ts";

const KEY = "SB-Mid-server-TESTKEY0001";

/** Signatures of providers/midtrans.md §6, computed there for ORD-2026-0001 and this key. */
const VECTORS = {
  "200":
    "96c7fd0c47b717180e5fd731632b7ec05ccde9e38407e6569ef24cb3deb753113d669f5d5786308177e82dc23d9d8fafcc20f4747b483ca23cb65a83f855d334",
  "201":
    "70fb3185adf1f15eb9f91932547a4c4a9cf67da4921d3de7b07c5d807d0283f1d7a379b75948e261fe27c23784d7ebd92d1c2be3f01f64e9bc8e981b73bef7c0",
  "202":
    "6096fbd3226caf18e5b56fc98cf29ea371c9338c7d9ba682347b8555720ab66e7aa648a97a04170cd9f0c3448f0642fa65c3908efe35b4fc414653bf688bc33f",
} as const;
const WRONG_FORMAT =
  "be2d6261fb0cf6b60bb11ce8805b3143a7f7b99ab0a57b96f9a335eef68e6928717cef032cdc87a2d33031f8158ec6564f857ae3e54deff370dfed3ca048d51e";

function notice(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    transaction_time: "2026-11-21 10:00:00",
    transaction_status: "settlement",
    transaction_id: "0d8178e1-c6c7-4ab4-81a6-893be9d924ab",
    status_message: "midtrans payment notification",
    status_code: "200",
    signature_key: VECTORS["200"],
    settlement_time: "2026-11-21 10:01:00",
    payment_type: "qris",
    order_id: "ORD-2026-0001",
    merchant_id: "G000000001",
    gross_amount: "10000.00",
    fraud_status: "accept",
    currency: "IDR",
    issuer: "gopay",
    ...changes,
  };
}

const verify = (body: unknown) => verifyNotice(KEY, JSON.stringify(body));

describe("the signature", () => {
  test.each(["200", "201", "202"] as const)("vector %s is accepted", async (status_code) => {
    const accepted = await verify(notice({ status_code, signature_key: VECTORS[status_code] }));
    expect(accepted).toMatchObject({ providerRef: "ORD-2026-0001", statusCode: status_code });
  });

  test("is over the amount exactly as received: the rupiah form never matches", async () => {
    expect(await verify(notice({ gross_amount: "10000", signature_key: WRONG_FORMAT }))).toBeNull();
    expect(await verify(notice({ signature_key: WRONG_FORMAT }))).toBeNull();
    expect(await verify(notice({ gross_amount: "10000.0" }))).toBeNull();
  });

  test.each([
    ["another order", { order_id: "ORD-2026-0002" }],
    ["another amount", { gross_amount: "20000.00" }],
    ["another code", { status_code: "201" }],
    ["the code as a number", { status_code: 200 }],
    ["the amount as a number", { gross_amount: 10000 }],
    ["no signature", { signature_key: undefined }],
    ["an empty signature", { signature_key: "" }],
    ["a signature that is no text", { signature_key: ["x"] }],
    ["a cut signature", { signature_key: VECTORS["200"].slice(0, 127) }],
    ["one changed digit", { signature_key: VECTORS["200"].replace(/.$/, "5") }],
  ])("%s is refused", async (_, changes) => {
    expect(await verify(notice(changes))).toBeNull();
  });

  test("of another key is refused", async () => {
    expect(await verifyNotice("SB-Mid-server-OTHERKEY", JSON.stringify(notice()))).toBeNull();
  });

  test.each(["", "null", "[]", "{}", "not json", '"text"'])(
    "the body %j is refused",
    async (body) => {
      expect(await verifyNotice(KEY, body)).toBeNull();
    },
  );

  test.each([
    { order_id: "ORD-2026-00012", status_code: "011", gross_amount: "0000.00" },
    { order_id: "ORD-2026-000", status_code: "120", gross_amount: "110000.00" },
    { order_id: "ORD-2026-000120", status_code: "110", gross_amount: "000.00" },
  ])("borders between the signed fields cannot be moved to $order_id", async (moved) => {
    const text = `${moved.order_id}${moved.status_code}${moved.gross_amount}`;
    expect(text).toBe("ORD-2026-000120110000.00");
    expect(await verify(notice({ ...moved, signature_key: VECTORS["201"] }))).toBeNull();
  });
});

describe("a verified notice", () => {
  test("is told in our words, with Jakarta times and whole rupiah", async () => {
    expect(await verify(notice())).toEqual({
      transactionId: "0d8178e1-c6c7-4ab4-81a6-893be9d924ab",
      providerRef: "ORD-2026-0001",
      status: "paid",
      statusCode: "200",
      amountIdr: 10_000,
      paymentType: "qris",
      paidAt: new Date("2026-11-21T03:01:00Z"),
      expiresAt: null,
      refundedIdr: null,
      refunds: [],
      eventKey: "ORD-2026-0001:10000:0d8178e1-c6c7-4ab4-81a6-893be9d924ab:settlement:200:accept",
    });
  });

  test("with a fraction of a rupiah or another currency is not read", async () => {
    const gross_amount = "10000.50";
    const signature_key = await sha512Hex(`ORD-2026-0001200${gross_amount}${KEY}`);
    expect(await verify(notice({ gross_amount, signature_key }))).toBeNull();
    expect(await verify(notice({ currency: "USD" }))).toBeNull();
  });

  test("of a status word that does not fit its code does not pay", async () => {
    const forged = await verify(notice({ status_code: "201", signature_key: VECTORS["201"] }));
    expect(forged?.status).toBe("review");
  });

  test("new fields and odd details do not hide it", async () => {
    const odd = await verify(notice({ brand_new: { a: 1 }, refunds: "none", expiry_time: "soon" }));
    expect(odd).toMatchObject({ status: "paid", refunds: [], expiresAt: null });
  });
});

describe("the event key", () => {
  const keyOf = async (changes: Record<string, unknown>) =>
    (await verify(notice(changes)))?.eventKey;

  test("is equal for a repeat, whatever the case and the details", async () => {
    const again = {
      transaction_status: "SETTLEMENT",
      status_message: "again",
      fraud_status: undefined,
    };
    expect(await keyOf(again)).toBe(await keyOf({}));
  });

  test("names the order and the amount too, as a transaction's id can be anybody's", async () => {
    const signed = async (changes: Record<string, string>) => {
      const { order_id, gross_amount } = { ...notice(), ...changes };
      return { ...changes, signature_key: await sha512Hex(`${order_id}200${gross_amount}${KEY}`) };
    };
    const keys = [
      await keyOf({}),
      await keyOf(await signed({ order_id: "ORD-2026-0002" })),
      await keyOf(await signed({ gross_amount: "20000.00" })),
    ];
    expect(new Set(keys).size).toBe(3);
    expect(keys).not.toContain(undefined);
  });

  test("tells a refund from its confirmation by the bank", async () => {
    const refunds = [{ refund_key: "r-1", refund_amount: "10000.00" }];
    const confirmed = [{ ...refunds[0], bank_confirmed_at: "2026-11-22 09:00:00" }];
    const refund = { transaction_status: "refund", refund_amount: "10000.00" };
    const first = await keyOf({ ...refund, refunds });
    const second = await keyOf({ ...refund, refunds: confirmed });
    expect(first).not.toBe(second);
  });

  test("tells a challenged capture from the accepted one", async () => {
    const capture = { transaction_status: "capture" };
    const challenged = await keyOf({ ...capture, fraud_status: "challenge" });
    expect(challenged).not.toBe(await keyOf({ ...capture, fraud_status: "accept" }));
  });
});
