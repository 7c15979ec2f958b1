import { describe, expect, test } from "vitest";
import { hmacSha256Hex } from "../../crypto/index.ts";
import { API_KEY, CALLBACK, formOf, SIGNATURES, VA } from "../testing/ipaymu.ts";
import { type CallbackSignatures, isSigned, mapCallbackStatus, readCallback } from "./callback.ts";
import { signRequest } from "./signature.ts";

const account = { va: VA, apiKey: API_KEY };
const json = (changes: Record<string, unknown> = {}) => JSON.stringify({ ...CALLBACK, ...changes });
const signed = (body: string, signatures: CallbackSignatures) =>
  isSigned(account, body, signatures);
const plain = { xSignature: SIGNATURES.plain };

describe("X-Signature", () => {
  test("holds for JSON, whatever the order of its fields", async () => {
    expect(await signed(json(), plain)).toBe(true);
    const turned = Object.fromEntries(Object.entries(CALLBACK).reverse());
    expect(await signed(JSON.stringify(turned, null, 2), plain)).toBe(true);
  });

  test("holds for the same callback as a form", async () => {
    expect(await signed(formOf(CALLBACK), plain)).toBe(true);
    const spelled = `${formOf({ ...CALLBACK, is_escrow: "false" })}&additional_info=%5B%5D`;
    expect(await signed(spelled, plain)).toBe(true);
  });

  test("holds with letters outside ASCII, escaped or raw", async () => {
    const body = json({ buyer_name: "José Ñandú" });
    expect(await signed(body, { xSignature: SIGNATURES.escapedLetters })).toBe(true);
    expect(await signed(body, { xSignature: SIGNATURES.rawLetters })).toBe(true);
    const form = formOf({ ...CALLBACK, buyer_name: "José Ñandú" });
    expect(await signed(form, { xSignature: SIGNATURES.escapedLetters })).toBe(true);
  });

  test("holds with figures and flags as numbers, as the vendor's own example signs them", async () => {
    const told = { amount: "150000", is_escrow: false, trx_id: 193205 };
    const numbers = '{"amount":150000,"is_escrow":0,"trx_id":193205}';
    const xSignature = await hmacSha256Hex(VA, numbers);
    expect(await signed(JSON.stringify(told), { xSignature })).toBe(true);
    const other = JSON.stringify({ ...told, amount: "150001" });
    expect(await signed(other, { xSignature })).toBe(false);
  });

  test("is over fields in byte order", async () => {
    const body = json({ referenceId: "ORD-2026-0001" });
    expect(await signed(body, { xSignature: SIGNATURES.twoReferences })).toBe(true);
    expect(await signed(body, { xSignature: SIGNATURES.localeSorted })).toBe(false);
  });

  test("is over escaped slashes", async () => {
    expect(await signed(json(), { xSignature: SIGNATURES.unescapedSlash })).toBe(false);
  });

  test("may stand in the body instead, and is no part of itself", async () => {
    expect(await signed(json({ signature: SIGNATURES.plain }), {})).toBe(true);
    expect(await signed(`${formOf(CALLBACK)}&signature=${SIGNATURES.plain}`, {})).toBe(true);
  });

  test.each([
    ["another order", { reference_id: "ORD-2026-0002" }],
    ["another transaction", { trx_id: 193206 }],
    ["another status", { status_code: 0 }],
    ["another amount", { sub_total: "1" }],
    ["an amount as a number", { amount: 150000 }],
    ["a field more", { note: "x" }],
    ["a field less", { via: undefined }],
    ["another prototype", { ["__proto__"]: { a: 1 }, sid: "x" }],
  ])("of %s is refused", async (_, changes) => {
    expect(await signed(json(changes), plain)).toBe(false);
  });

  test.each(["", "x", SIGNATURES.plain.slice(1), `${SIGNATURES.plain}0`, undefined, null])(
    "%j is refused",
    async (xSignature) => {
      expect(await signed(json(), { xSignature })).toBe(false);
    },
  );

  test("of another account is refused", async () => {
    expect(await isSigned({ va: "0000001234567891", apiKey: API_KEY }, json(), plain)).toBe(false);
  });

  test.each(["", " ", "{}", "[]", "null", '"text"', "{", "=", "\u0000", "a".repeat(5000)])(
    "no body like %j passes",
    async (body) => {
      expect(await signed(body, plain)).toBe(false);
      expect(readCallback(body)).toBeNull();
    },
  );
});

describe("the specification's `signature` header", () => {
  const body = '{"trx_id":"193205","status":1,"status_code":1,"reference_id":"ORD-2026-0001"}';

  test("is the formula of requests over the raw body", async () => {
    const signature = await signRequest(account, "POST", body);
    expect(await signed(body, { signature })).toBe(true);
    expect(await signed(body, { signature: signature.toUpperCase() })).toBe(true);
    expect(await signed(`${body} `, { signature })).toBe(false);
    expect(await signed(body.replace("0001", "0002"), { signature })).toBe(false);
  });

  test("of a form is over the form", async () => {
    const form = "trx_id=193205&status_code=1&status=1&reference_id=ORD-2026-0001";
    expect(await signed(form, { signature: await signRequest(account, "POST", form) })).toBe(true);
  });

  test("made with another key is refused, and so is X-Signature's formula with the key", async () => {
    const forged = await signRequest({ va: VA, apiKey: VA }, "POST", body);
    expect(await signed(body, { signature: forged })).toBe(false);
    expect(await signed(json(), { signature: SIGNATURES.plain })).toBe(false);
  });
});

describe("a callback", () => {
  test("is read alike from JSON and from a form", () => {
    const told = {
      transactionId: "193205",
      providerRef: "ORD-2026-0001",
      status: "paid",
      amountIdr: 150_000,
      eventKey: "193205/ORD-2026-0001/1/1",
    };
    expect(readCallback(json())).toEqual(told);
    expect(readCallback(formOf(CALLBACK))).toEqual(told);
  });

  test.each([
    ["the specification's fields only", { status: 1, status_code: 1 }],
    ["the code as a text", { status: "berhasil", status_code: "1" }],
    ["the code under `status` alone", { status: "1" }],
  ])("with %s is read", (_, told) => {
    const body = { trx_id: "TRX-1", reference_id: "ORD-2026-0001", ...told };
    expect(readCallback(JSON.stringify(body))).toMatchObject({ status: "paid", amountIdr: null });
  });

  test("with the fee on the buyer's side tells the price", () => {
    const told = readCallback(json({ sub_total: "148950", total: "150000", amount: "150000" }));
    expect(told?.amountIdr).toBe(148_950);
  });

  test.each(["150000.50", "-1", "1e6", "banyak", "", [], {}, 0.5])(
    "with the amount %j equals no amount",
    (sub_total) => {
      expect(readCallback(json({ sub_total }))?.amountIdr).toBeNaN();
    },
  );

  test.each([
    ["no transaction", { trx_id: undefined }],
    ["an odd transaction", { trx_id: "1/../2" }],
    ["another spelling of one", { trx_id: "0193205" }],
    ["no reference", { reference_id: undefined }],
    ["an endless reference", { reference_id: "x".repeat(65) }],
    ["a reference that is no text", { reference_id: ["x"] }],
    ["a NUL in its reference", { reference_id: "ORD\u0000" }],
    ["half a letter in its reference", { reference_id: "ORD\ud800" }],
    ["a NUL for its status", { status_code: undefined, status: "\u0000" }],
  ])("with %s is none", (_, changes) => {
    expect(readCallback(json(changes))).toBeNull();
  });

  test("as a form that holds a NUL, spelled or raw, is none", () => {
    expect(readCallback(formOf({ ...CALLBACK, reference_id: "ORD\u0000" }))).toBeNull();
    expect(readCallback(`${formOf(CALLBACK)}&note=\u0000`)).toBeNull();
  });

  test("has one key for its repeats and another for its next news", () => {
    const key = (changes: Record<string, unknown>) => readCallback(json(changes))?.eventKey;
    expect(key({ system_notes: "again" })).toBe(key({}));
    expect(readCallback(formOf(CALLBACK))?.eventKey).toBe(key({}));
    expect(key({ status_code: 0, transaction_status_code: 0 })).not.toBe(key({}));
    expect(key({ transaction_status_code: 6 })).not.toBe(key({}));
    expect(key({ trx_id: 193206 })).not.toBe(key({}));
  });
});

test.each([
  [1, "berhasil", "paid"],
  [6, "berhasil", "paid"],
  [0, "pending", "pending"],
  [-1, "", "expired"],
  [-2, "expired", "expired"],
  [-2, "", "expired"],
  [-2, "gagal", "failed"],
  [-2, "FAILED", "failed"],
  [7, "", "review"],
  [42, "berhasil", "review"],
  [null, "berhasil", "review"],
] as const)("code %s with the word %j is %s", (code, word, status) => {
  expect(mapCallbackStatus(code, word)).toBe(status);
});
