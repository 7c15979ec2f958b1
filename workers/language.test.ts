import { describe, expect, it } from "vitest";
import { UnstorableText } from "../shared/db/errors.ts";
import { AppError } from "../shared/http/errors.ts";
import { failureOn } from "../shared/http/families.ts";
import { api, type TestCall } from "./testing/api.ts";
import { isInLanguage } from "./testing/envelopes.ts";
import { createUser } from "./testing/factories.ts";

const MEGABYTES = `{"name":"${"x".repeat(11 * 1024 * 1024)}"}`;
const typed = (body: string, type = "application/json"): TestCall => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});

const ENGLISH = ["/api/services/nickname", "/api/orders/prepaid", "/api/reseller/keys"];
const INDONESIAN = ["/api/buyer/cart", "/api/wallet/deposit", "/api/auth/register"];
const BODIES: [string, TestCall][] = [
  ["a body of another shape", typed('{"name":[],"slug":7,"amount":"x","email":{},"target":[]}')],
  ["a list", typed("[]")],
  ["no JSON", typed("{")],
  ["another type", typed("a=1", "application/x-www-form-urlencoded")],
  ["too long a body", typed(MEGABYTES)],
];

describe.each(BODIES)("%s is refused", (_, call) => {
  it.each(ENGLISH)("in English at %s", async (path) => {
    const { status, body } = await refusal(path, call);
    expect([status >= 400 && status < 500, isInLanguage(path, body)], body.message).toEqual([
      true,
      true,
    ]);
    expect(body.message).toMatch(/\b(is|are|must|expected|Not|not|Must|required)\b/);
  });

  it.each(INDONESIAN)("in Indonesian at %s", async (path) => {
    const { status, body } = await refusal(path, call);
    expect([status >= 400 && status < 500, isInLanguage(path, body)], body.error).toEqual([
      true,
      true,
    ]);
    expect(body.error).toMatch(/\b(tidak|bukan|harus|terlalu|wajib|diharapkan)\b/i);
  });
});

async function refusal(path: string, call: TestCall) {
  const { token } = await createUser(["buyer", "seller"]);
  return await api(path, { ...call, token });
}

it("what stands below all APIs refuses in the language of each", async () => {
  const { token } = await createUser(["buyer", "seller"]);
  const wordsOn = (path: string, error: AppError) => failureOn(path, error).body;
  expect(wordsOn("/api/services", new UnstorableText())).toMatchObject({
    message: "The text has characters that cannot be used",
  });
  expect(wordsOn("/api/seller/store", new UnstorableText())).toMatchObject({
    error: "Teks berisi karakter yang tidak dapat dipakai",
  });
  const poor = new AppError("insufficient_balance", "Saldo tidak cukup");
  expect(wordsOn("/api/orders/game", poor)).toMatchObject({ message: "Insufficient balance" });
  expect(wordsOn("/api/gifts", poor)).toMatchObject({ message: "Saldo tidak cukup" });
  const agency = await api("/api/agency/apply", { ...typed("[]"), token });
  expect([agency.status, agency.body.message]).toEqual([400, "Family name is required"]);
  const long = { family_name: "x".repeat(101), region: "Blitar", phone: "0812345678901" };
  const refused = await api("/api/agency/apply", { ...typed(JSON.stringify(long)), token });
  expect(refused.body.message).toBe("Family name is required (100 characters at most)");
  expect(wordsOn("/api/agency/apply", new AppError("rate_limited", ""))).toMatchObject({
    message: expect.not.stringContaining("Terlalu"),
  });
});
