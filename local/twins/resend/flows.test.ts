import { Webhook } from "svix";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { type Received, type Receiver, startReceiver } from "../testing/receiver.ts";
import { webhookSignature } from "./signature.ts";
import { type ResendTwin, startResendTwin } from "./twin.ts";

const apiKey = "re_test_0001";
const authorization = `Bearer ${apiKey}`;
const secret = "whsec_cmVzZW5kLXRlc3Qtc2VjcmV0LTAxMjM0NTY3ODlhYg==";
let now = Date.now();
let twin: ResendTwin;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  twin = await startResendTwin({
    apiKey,
    clock: () => now,
    webhookUrl: receiver.url,
    webhookSecret: secret,
  });
});
afterAll(async () => {
  await twin.stop();
  await receiver.stop();
});

const send = (body: unknown, headers: Record<string, string> = {}, path = "/emails") =>
  call("POST", `${twin.url}${path}`, body, { authorization, ...headers });
const newAddress = () => `${newOrderId("mail-").toLowerCase()}@example.id`;
const mail = (change: Record<string, unknown> = {}) => ({
  from: "Lumbung <halo@lumbung.example>",
  to: newAddress(),
  subject: "Pesanan dibayar",
  html: "<p>Terima kasih</p>",
  text: "Terima kasih",
  ...change,
});
const mailsTo = async (to: string) =>
  (await call("GET", `${twin.url}/_mails?to=${encodeURIComponent(to)}`)).body;
const dial = (match: string, dials: Record<string, unknown>) =>
  call("PUT", `${twin.url}/_dials`, { match, ...dials });
const ofMail = (id: string) => (one: Received) => one.body.data.email_id === id;

describe("sending", () => {
  it("keeps the mail, readable by id and by recipient", async () => {
    const to = newAddress();
    const sent = await send(mail({ to: [`Budi <${to}>`], reply_to: "a@b.id" }));
    expect(sent).toMatchObject({
      status: 200,
      body: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect(sent.headers.get("ratelimit-limit")).toBe("5");
    const read = await call("GET", `${twin.url}/emails/${sent.body.id}`, undefined, {
      authorization,
    });
    expect(read.body).toMatchObject({
      object: "email",
      id: sent.body.id,
      to: [`Budi <${to}>`],
      html: "<p>Terima kasih</p>",
      reply_to: ["a@b.id"],
      last_event: "delivered",
    });
    expect(await mailsTo(to.toUpperCase())).toMatchObject([
      { id: sent.body.id, text: "Terima kasih" },
    ]);
  });

  const refused: [string, Record<string, unknown>, number, string][] = [
    ["from is missing", { from: undefined }, 422, "missing_required_field"],
    ["to is missing", { to: [] }, 422, "missing_required_field"],
    ["subject is missing", { subject: "" }, 422, "missing_required_field"],
    ["there is no content", { html: undefined, text: undefined }, 422, "missing_required_field"],
    ["from is no address", { from: "Lumbung" }, 422, "invalid_from_address"],
    ["from lacks its bracket", { from: "Lumbung <a@b.id" }, 422, "invalid_from_address"],
    ["to is no address", { to: "budi" }, 422, "validation_error"],
    ["there are 51 recipients", { to: Array(51).fill("a@b.id") }, 422, "validation_error"],
    ["template meets html", { template: { id: "x" } }, 422, "validation_error"],
    ["a tag has a space", { tags: [{ name: "a b", value: "c" }] }, 422, "validation_error"],
    ["a header is a number", { headers: { "X-A": 1 } }, 422, "validation_error"],
    ["an attachment is empty", { attachments: [{ filename: "a" }] }, 422, "invalid_attachment"],
  ];
  it.each(refused)("is refused when %s", async (_name, change, statusCode, name) => {
    const answer = await send(mail(change));
    expect(answer).toMatchObject({
      status: statusCode,
      body: { statusCode, name, message: expect.any(String) },
    });
  });

  it("wants a key, the right one, a User-Agent and JSON", async () => {
    const none = await call("POST", `${twin.url}/emails`, mail());
    expect(none).toMatchObject({ status: 401, body: { name: "missing_api_key" } });
    const wrong = await send(mail(), { authorization: "Bearer re_other" });
    expect(wrong).toMatchObject({ status: 403, body: { name: "invalid_api_key" } });
    expect((await send(mail(), { "user-agent": "" })).status).toBe(403);
    expect((await send(mail(), { "content-type": "text/plain" })).status).toBe(400);
    const unknown = await call("GET", `${twin.url}/emails/x`, undefined, { authorization });
    expect(unknown).toMatchObject({ status: 404, body: { name: "not_found" } });
  });

  it("sends a batch whole or not at all, unless it is permissive", async () => {
    const [first, last] = [newAddress(), newAddress()];
    const batch = [mail({ to: first }), mail({ from: "x" }), mail({ to: last })];
    expect((await send(batch, {}, "/emails/batch")).status).toBe(422);
    expect(await mailsTo(first)).toEqual([]);
    const headers = { "x-batch-validation": "permissive" };
    const permissive = await send(batch, headers, "/emails/batch");
    expect(permissive.body).toMatchObject({ data: { length: 2 }, errors: [{ index: 1 }] });
    const good = await send([mail(), mail()], {}, "/emails/batch");
    expect(good.body).toEqual({ data: [{ id: expect.any(String) }, { id: expect.any(String) }] });
    const many = Array.from({ length: 101 }, () => mail());
    expect((await send(many, {}, "/emails/batch")).status).toBe(422);
  });
});

describe("Idempotency-Key", () => {
  it("sends once a day for one payload, and refuses another payload with 409", async () => {
    const to = newAddress();
    const key = { "idempotency-key": `order-paid/${to}` };
    const first = await send(mail({ to }), key);
    expect((await send(mail({ to }), key)).body).toEqual(first.body);
    const other = await send(mail({ to, subject: "lain" }), key);
    expect(other).toMatchObject({ status: 409, body: { name: "invalid_idempotent_request" } });
    expect(await mailsTo(to)).toMatchObject([{ idempotency_key: `order-paid/${to}` }]);
    now += 24 * 3_600_000;
    await send(mail({ to }), key);
    expect(await mailsTo(to)).toHaveLength(2);
  });

  it("answers 409 while the first is running, and 400 for a key of 257 characters", async () => {
    const to = newAddress();
    await dial(to, { delayMs: { value: 200, count: 1 } });
    const key = { "idempotency-key": to };
    const both = await Promise.all([send(mail({ to }), key), send(mail({ to }), key)]);
    expect(both.map((one) => one.status).sort()).toEqual([200, 409]);
    expect(both.map((one) => one.body.name)).toContain("concurrent_idempotent_requests");
    const long = await send(mail(), { "idempotency-key": "k".repeat(257) });
    expect(long).toMatchObject({ status: 400, body: { name: "invalid_idempotency_key" } });
  });
});

describe("limits", () => {
  it("answers 429 with retry-after by dial, for what it matches only", async () => {
    const to = newAddress();
    await dial(to, { tooMany: { count: 1 } });
    expect((await send(mail())).status).toBe(200);
    const over = await send(mail({ to }));
    expect(over).toMatchObject({ status: 429, body: { name: "rate_limit_exceeded" } });
    expect(over.headers.get("retry-after")).toBe("1");
    expect((await send(mail({ to }))).status).toBe(200);
    await dial(to, { tooMany: { value: "daily_quota_exceeded", count: 1 } });
    expect((await send(mail({ to }))).body.name).toBe("daily_quota_exceeded");
  });

  it("counts by the second when a rate is set, and knows verified domains", async () => {
    const options = {
      apiKey,
      clock: () => now,
      perSecond: 2,
      verifiedDomains: ["lumbung.example"],
    };
    const strict = await startResendTwin(options);
    const post = (body: unknown) => call("POST", `${strict.url}/emails`, body, { authorization });
    expect((await post(mail())).headers.get("ratelimit-remaining")).toBe("1");
    expect(await post(mail({ from: "a@other.example" }))).toMatchObject({
      status: 403,
      body: { name: "validation_error" },
    });
    expect((await post(mail())).status).toBe(429);
    now += 1000;
    expect((await post(mail())).status).toBe(200);
    await strict.stop();
  });
});

describe("webhooks", () => {
  it("are signed as the documented vector", () => {
    const body =
      '{"type":"email.delivered","created_at":"2026-01-01T00:00:00.000Z","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618"}}';
    expect(webhookSignature(secret, "msg_2testVector0001", 1_767_225_600, body)).toBe(
      "v1,bXaiIKQU05Gm3oVOWOB4B0+hItKCnBLm7EMV4dNcXC8=",
    );
  });

  const verify = ({ raw, headers }: Received) =>
    new Webhook(secret).verify(raw, headers as Record<string, string>);

  it("are accepted by svix; a retry keeps its id, and a forged one is refused", async () => {
    now = Date.now();
    const to = newAddress();
    await dial(to, { retryScale: 0 });
    receiver.answers.push({ status: 503 });
    const { id } = (await send(mail({ to }))).body;
    const got = await receiver.until(3, ofMail(id));
    for (const one of got) verify(one);
    const sent = got.filter((one) => one.body.type === "email.sent");
    expect(sent).toHaveLength(2);
    expect(new Set(sent.map((one) => one.headers["svix-id"])).size).toBe(1);
    await dial(to, { forge: true });
    await call("POST", `${twin.url}/_event/${id}`, { type: "bounced" });
    const [bounced] = (await receiver.until(4, ofMail(id))).slice(-1);
    expect(bounced?.body).toMatchObject({ type: "email.bounced", data: { bounce: {} } });
    expect(() => bounced && verify(bounced)).toThrow();
    const unknown = await call("POST", `${twin.url}/_event/${id}`, { type: "eaten" });
    expect(unknown.status).toBe(409);
  });
});

it("shows people the mails in a frame that can do nothing", async () => {
  const to = newAddress();
  await send(mail({ to, html: '<script>alert("x")</script>', subject: "<b>Halo</b>" }));
  const page = await call("GET", `${twin.url}/?to=${encodeURIComponent(to)}`);
  expect(page.text).toContain("&lt;b&gt;Halo&lt;/b&gt;");
  expect(page.text).toContain('sandbox=""');
  expect(page.text).not.toContain("<script>");
});
