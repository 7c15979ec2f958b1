import { describe, expect, test } from "vitest";
import { z } from "zod";
import { hmacSha256Hex, sha256Hex } from "../../shared/crypto/index.ts";
import { api, standIns, testContext } from "../testing/api.ts";
import { createUser, unique } from "../testing/factories.ts";

const callback = (body: string, headers: Record<string, string> = {}) =>
  api("/api/payment/callback", { method: "POST", body, headers });

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_TYPE = { "content-type": "application/json" };

/** A callback about an order that nobody knows; the two lists are one callback in the order that is signed. */
function unknownOrder() {
  const told = { amount: "5000", reference_id: unique("LB-"), status: "berhasil", status_code: 1 };
  return { ...told, sub_total: "5000", trx_id: 193205 };
}

const ownSignature = (told: Record<string, unknown>) =>
  hmacSha256Hex(testContext().config.IPAYMU_VA, JSON.stringify(told).replaceAll("/", "\\/"));

async function specSignature(body: string): Promise<string> {
  const { IPAYMU_VA, IPAYMU_API_KEY } = testContext().config;
  const text = `POST:${IPAYMU_VA}:${await sha256Hex(body)}:${IPAYMU_API_KEY}`;
  return await hmacSha256Hex(IPAYMU_API_KEY, text);
}

async function roundTripsOf(headers: Headers): Promise<number> {
  const id = headers.get("x-request-id");
  const answer = await fetch(`${standIns().databaseHttpUrl}/_counts?request_id=${id}`);
  return z.object({ count: z.number() }).parse(await answer.json()).count;
}

describe("GET /api/payment/channels", () => {
  test("shows a signed-in user the ways to pay", async () => {
    const { token } = await createUser();
    const { status, body } = await api("/api/payment/channels", { token });
    expect(status).toBe(200);
    expect(body.success).toBe(true);
    expect(body.data).toContainEqual({
      id: "bca",
      name: expect.any(String),
      channel: "bca",
      description: expect.any(String),
      enabled: true,
      logo: expect.stringContaining("http"),
      category: "bank",
      fee: { ActualFee: expect.any(Number), ActualFeeType: "FLAT", AdditionalFee: 0 },
    });
  });
});

describe("POST /api/payment/callback", () => {
  test("takes JSON with X-Signature, with no database on the way", async () => {
    const told = unknownOrder();
    const signature = await ownSignature(told);
    const { status, body, headers } = await callback(JSON.stringify(told), {
      ...JSON_TYPE,
      "x-signature": signature,
    });
    expect({ status, body }).toEqual({ status: 200, body: { success: true } });
    expect(await roundTripsOf(headers)).toBe(0);
  });

  test("takes a form with X-Signature", async () => {
    const told = unknownOrder();
    const signature = await ownSignature({ additional_info: [], ...told });
    const form = new URLSearchParams(
      Object.entries(told).map(([name, value]) => [name, String(value)]),
    );
    const answer = await callback(form.toString(), { ...FORM, "x-signature": signature });
    expect(answer).toMatchObject({ status: 200, body: { success: true } });
  });

  test.each([1, 0, -1, -2, 42])(
    "takes the specification's body and header with code %i",
    async (status_code) => {
      const reference_id = unique("LB-");
      const body = JSON.stringify({ trx_id: "193205", status: 1, status_code, reference_id });
      const answer = await callback(body, {
        ...JSON_TYPE,
        signature: await specSignature(body),
      });
      expect(answer).toMatchObject({ status: 200, body: { success: true } });
    },
  );

  test("refuses what is unsigned, altered or signed with another key, in its contract's words", async () => {
    const told = unknownOrder();
    const body = JSON.stringify(told);
    const altered = JSON.stringify({ ...told, status_code: 0 });
    const { IPAYMU_VA } = testContext().config;
    const wrong = [
      await callback(body),
      await callback(body, { ...JSON_TYPE, "x-signature": await hmacSha256Hex("1", body) }),
      await callback(body, { ...JSON_TYPE, signature: await hmacSha256Hex(IPAYMU_VA, body) }),
      await callback(altered, { ...JSON_TYPE, "x-signature": await ownSignature(told) }),
      await callback(altered, { ...JSON_TYPE, signature: await specSignature(body) }),
      await callback("{", { ...JSON_TYPE, signature: await specSignature("{") }),
      await callback("", { signature: await specSignature("") }),
      await callback("a=1", { ...FORM, signature: await specSignature("a=1") }),
    ];
    for (const { status, body: answer } of wrong) {
      expect({ status, answer }).toEqual({
        status: 400,
        answer: { error: "Invalid signature", status: 400 },
      });
    }
  });

  test("refuses too much, another method and odd bytes in its contract's envelope", async () => {
    const big = await callback("x".repeat(300_000), JSON_TYPE);
    expect(big).toMatchObject({ status: 413, body: { status: 413, error: expect.any(String) } });
    const get = await api("/api/payment/callback");
    expect(get).toMatchObject({ status: 404, body: { status: 404, error: expect.any(String) } });
    const bytes = new Uint8Array([0xff, 0xfe, 0x00, 0x7b]);
    const odd = await api("/api/payment/callback", { method: "POST", body: bytes });
    expect(odd.status).toBe(400);
  });
});
