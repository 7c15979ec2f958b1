import { Webhook } from "svix";
import { afterEach, describe, expect, test } from "vitest";
import { createResend, type Mail } from "./resend.ts";
import { failureOf, MISHAPS } from "./testing/failures.ts";
import { answer, FakeNetwork } from "./testing/fake-network.ts";

const URL_OF_MAILS = "https://api.resend.com/emails";

const network = new FakeNetwork();
let waits: number[] = [];

afterEach(() => {
  network.verify();
  waits = [];
});

function client() {
  return createResend({
    apiKey: "re_test_0001",
    baseUrl: "https://api.resend.com",
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async (ms) => {
      waits.push(ms);
    },
  });
}

const mail: Mail = {
  from: "Lumbung <halo@lumbung.example>",
  to: "pembeli@example.com",
  subject: "Pembayaran diterima",
  html: "<p>Terima kasih</p>",
  text: "Terima kasih",
  replyTo: "toko@example.com",
  tags: [{ name: "event", value: "order-paid" }],
  idempotencyKey: "order-paid/ORD-1",
};

const refusal = (statusCode: number, name: string) =>
  answer(statusCode, { statusCode, name, message: "about pembeli@example.com" });

describe("sendMail", () => {
  test("sends the documented request under its key", async () => {
    network.on("POST", URL_OF_MAILS, answer(200, { id: "mail-1" }));
    expect(await client().sendMail(mail)).toEqual({ id: "mail-1" });
    expect(network.sent[0]?.headers).toEqual({
      accept: "application/json",
      authorization: "Bearer re_test_0001",
      "content-type": "application/json",
      "idempotency-key": "order-paid/ORD-1",
      "user-agent": "lumbung/1",
    });
    expect(network.firstJson()).toEqual({
      from: "Lumbung <halo@lumbung.example>",
      to: ["pembeli@example.com"],
      subject: "Pembayaran diterima",
      html: "<p>Terima kasih</p>",
      text: "Terima kasih",
      reply_to: "toko@example.com",
      tags: [{ name: "event", value: "order-paid" }],
    });
  });

  test.each([
    [400, "invalid_idempotency_key", "invalid", "not_done"],
    [401, "missing_api_key", "unauthorised", "not_done"],
    [403, "invalid_api_key", "unauthorised", "not_done"],
    [403, "validation_error", "invalid", "not_done"],
    [409, "invalid_idempotent_request", "refused", "not_done"],
    [422, "missing_required_field", "invalid", "not_done"],
  ] as const)("HTTP %i %s is %s and final", async (status, name, kind, outcome) => {
    network.on("POST", URL_OF_MAILS, refusal(status, name));
    const error = await failureOf(client().sendMail(mail));
    expect(error).toMatchObject({ kind, outcome, retryable: false, status, code: name });
    expect(error.message).not.toContain("pembeli");
  });

  test("a mail that is being sent under the same key is tried again, later in doubt", async () => {
    const busy = refusal(409, "concurrent_idempotent_requests");
    network.on("POST", URL_OF_MAILS, busy).on("POST", URL_OF_MAILS, answer(200, { id: "mail-1" }));
    expect(await client().sendMail(mail)).toEqual({ id: "mail-1" });
    for (let attempt = 0; attempt < 3; attempt += 1) network.on("POST", URL_OF_MAILS, busy);
    expect(await failureOf(client().sendMail(mail))).toMatchObject({
      retryable: true,
      outcome: "unknown",
    });
  });

  test("a short rate limit is waited for", async () => {
    const limited = answer(429, { name: "rate_limit_exceeded" }, { "retry-after": "1" });
    network.on("POST", URL_OF_MAILS, limited).on("POST", URL_OF_MAILS, answer(200, { id: "m" }));
    await client().sendMail(mail);
    expect(waits).toEqual([1000]);
  });

  test.each([
    ["rate_limit_exceeded", { "retry-after": "60" }, 60_000],
    ["daily_quota_exceeded", {}, 3_600_000],
    ["monthly_quota_exceeded", {}, 3_600_000],
  ])("%s is handed to the caller with a pause", async (name, headers, retryAfterMs) => {
    network.on("POST", URL_OF_MAILS, answer(429, { name, message: "no" }, headers));
    const error = await failureOf(client().sendMail(mail));
    expect(error).toMatchObject({
      kind: "rate_limited",
      retryable: true,
      outcome: "not_done",
      retryAfterMs,
    });
    expect(waits).toEqual([]);
  });

  test.each<[string, Partial<Mail>]>([
    ["an empty key", { idempotencyKey: "" }],
    ["a key of 257 characters", { idempotencyKey: "k".repeat(257) }],
    ["a key with a line break", { idempotencyKey: "a\nb" }],
    ["nobody to write to", { to: [] }],
    ["51 recipients", { to: Array.from({ length: 51 }, (_, index) => `p${index}@example.com`) }],
  ])("%s is refused before anything is sent", async (_, changes) => {
    const error = await failureOf(client().sendMail({ ...mail, ...changes }));
    expect(error).toMatchObject({ kind: "invalid", outcome: "not_done" });
    expect(network.sent).toEqual([]);
  });

  test.each(MISHAPS)("reports $name as $kind, $outcome", async (mishap) => {
    const { kind, outcome, retryable } = mishap;
    const repeated = retryable && kind !== "timeout" && kind !== "rate_limited";
    for (let attempt = 0; attempt < (repeated ? 3 : 1); attempt += 1) {
      network.on("POST", URL_OF_MAILS, mishap.reply);
    }
    const error = await failureOf(client().sendMail(mail));
    expect(error).toMatchObject({ provider: "resend", kind, outcome, retryable });
    expect(error.message).not.toMatch(/re_test|pembeli/);
  });
});

/** The vector of providers/resend.md §2. */
const SECRET = "whsec_cmVzZW5kLXRlc3Qtc2VjcmV0LTAxMjM0NTY3ODlhYg==";
const SIGNED = {
  id: "msg_2testVector0001",
  timestamp: 1_767_225_600,
  body: '{"type":"email.delivered","created_at":"2026-01-01T00:00:00.000Z","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618"}}',
  signature: "v1,bXaiIKQU05Gm3oVOWOB4B0+hItKCnBLm7EMV4dNcXC8=",
};
const at = (seconds: number) => new Date((SIGNED.timestamp + seconds) * 1000);

function headers(changes: Record<string, string> = {}) {
  return new Headers({
    "svix-id": SIGNED.id,
    "svix-timestamp": String(SIGNED.timestamp),
    "svix-signature": SIGNED.signature,
    ...changes,
  });
}

describe("verifyWebhook", () => {
  const verify = (
    changes: Record<string, string> = {},
    body = SIGNED.body,
    now = at(0),
    secret = SECRET,
  ) => client().verifyWebhook(body, headers(changes), secret, now);

  test("accepts the vector and reads it", async () => {
    expect(await verify()).toEqual({
      id: SIGNED.id,
      type: "email.delivered",
      emailId: "56761188-7520-42d8-8898-ff6fc54ce618",
      occurredAt: new Date("2026-01-01T00:00:00Z"),
      bounceType: null,
    });
  });

  test("accepts what an independent signer signs", async () => {
    const body = JSON.stringify({
      type: "email.bounced",
      created_at: "2026-01-01T00:00:00.000Z",
      data: { email_id: "mail-9", bounce: { type: "Permanent", subType: "General" } },
    });
    const signature = new Webhook(SECRET).sign(SIGNED.id, at(0), body);
    expect(await verify({ "svix-signature": signature }, body)).toMatchObject({
      type: "email.bounced",
      bounceType: "Permanent",
    });
  });

  test("one right signature among several is enough, in any place", async () => {
    const wrong = `v1,${"A".repeat(43)}=`;
    for (const list of [
      `${wrong} ${SIGNED.signature}`,
      `${SIGNED.signature} ${wrong}`,
      `v1a,x ${SIGNED.signature}`,
    ]) {
      expect(await verify({ "svix-signature": list })).not.toBeNull();
    }
  });

  test.each([-300, 0, 300])("a clock %i s away is tolerated", async (seconds) => {
    expect(await verify({}, SIGNED.body, at(seconds))).not.toBeNull();
  });

  test.each([-301, 301, 86_400])("a clock %i s away is not", async (seconds) => {
    expect(await verify({}, SIGNED.body, at(seconds))).toBeNull();
  });

  test.each<[string, Record<string, string>]>([
    ["another id", { "svix-id": "msg_other" }],
    ["another time within the tolerance", { "svix-timestamp": String(SIGNED.timestamp + 1) }],
    ["a time that is no number", { "svix-timestamp": "1e9" }],
    ["no signature", { "svix-signature": "" }],
    ["another version", { "svix-signature": SIGNED.signature.replace("v1", "v2") }],
    ["a signature without version", { "svix-signature": SIGNED.signature.slice(3) }],
  ])("%s is refused", async (_, changes) => {
    expect(await verify(changes)).toBeNull();
  });

  test("a changed body, another secret and missing headers are refused", async () => {
    expect(await verify({}, `${SIGNED.body} `)).toBeNull();
    expect(
      await verify({}, SIGNED.body, at(0), "whsec_b3RoZXItc2VjcmV0LTAxMjM0NTY3ODlhYg=="),
    ).toBeNull();
    expect(await client().verifyWebhook(SIGNED.body, new Headers(), SECRET, at(0))).toBeNull();
  });

  test.each(["", "whsec_", "whsec_not base64"])("the secret %j accepts nothing", async (secret) => {
    expect(await verify({}, SIGNED.body, at(0), secret)).toBeNull();
  });
});
