import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { type MidtransTwin, startMidtransTwin } from "./twin.ts";

const serverKey = "SB-Mid-server-TESTKEY0001";
const authorization = `Basic ${Buffer.from(`${serverKey}:`).toString("base64")}`;
let now = Date.parse("2026-11-21T05:00:00Z");
let twin: MidtransTwin;

beforeAll(async () => {
  twin = await startMidtransTwin({ serverKey, clock: () => now });
});
afterAll(() => twin.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  call("POST", `${twin.url}${path}`, body, { authorization, ...headers });
const status = (id: string) =>
  call("GET", `${twin.url}/v2/${id}/status`, undefined, { authorization });
const good = (change: Record<string, unknown> = {}, id = newOrderId()) => ({
  payment_type: "qris",
  transaction_details: { order_id: id, gross_amount: 10_000 },
  ...change,
});
const details = (order_id: unknown, gross_amount: unknown) => ({
  transaction_details: { order_id, gross_amount },
});

it("wants the key as Basic user with an empty password", () => {
  expect(authorization).toBe("Basic U0ItTWlkLXNlcnZlci1URVNUS0VZMDAwMTo=");
});

describe("a charge is refused with body code 400", () => {
  const item = { id: "1", name: "Kopi", price: 5000, quantity: 2 };
  const cases: [string, Record<string, unknown>][] = [
    ["without payment type", { payment_type: undefined }],
    ["with an unknown payment type", { payment_type: "barter" }],
    ["without order id", details(undefined, 10_000)],
    ["with an order id of another alphabet", details("ORD 1/2", 10_000)],
    ["with an order id of 51 characters", details("X".repeat(51), 10_000)],
    ["with an amount in a string", details(newOrderId(), "10000")],
    ["with decimals", details(newOrderId(), 10_000.5)],
    ["with amount zero", details(newOrderId(), 0)],
    ["whose items do not add up", { item_details: [{ ...item, quantity: 1 }] }],
    ["with an item whose price is text", { item_details: [{ ...item, price: "5000" }] }],
    ["with a wrong acquirer", { qris: { acquirer: "dana" } }],
    ["with a bank that is none", { payment_type: "bank_transfer", bank_transfer: { bank: "x" } }],
    ["with an expiry under 20 s", { custom_expiry: { expiry_duration: 19, unit: "second" } }],
    ["with an expiry over 7 days", { custom_expiry: { expiry_duration: 8, unit: "day" } }],
    [
      "with an expiry in a foreign form",
      { custom_expiry: { order_time: "2026-11-21T12:00:00Z", expiry_duration: 5 } },
    ],
    [
      "with an expiry that is over",
      { custom_expiry: { order_time: "2026-11-21 11:00:00", expiry_duration: 5 } },
    ],
    ["with an e-mail that is none", { customer_details: { email: "nobody" } }],
  ];
  it.each(cases)("%s", async (_name, change) => {
    const answer = await post("/v2/charge", good(change));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status_code: "400" });
    expect(answer.body.validation_messages.length).toBeGreaterThan(0);
  });
});

describe("further refusals", () => {
  it("a body that is not JSON, and one not called JSON", async () => {
    const send = (type: string, body: string) =>
      fetch(`${twin.url}/v2/charge`, {
        method: "POST",
        headers: { authorization, "content-type": type },
        body,
      }).then((response) => response.json());
    expect(await send("application/json", "{oops")).toMatchObject({ status_code: "400" });
    expect(await send("text/plain", JSON.stringify(good()))).toMatchObject({ status_code: "400" });
  });

  it("a payment type that is not switched on: 402", async () => {
    const answer = await post("/v2/charge", good({ payment_type: "shopeepay" }));
    expect(answer.body).toMatchObject({ status_code: "402" });
  });

  it("a used order id: 406, unless it expired; then a new transaction stands under it", async () => {
    const id = newOrderId();
    const first = await post("/v2/charge", good({}, id));
    expect((await post("/v2/charge", good({}, id))).body).toMatchObject({ status_code: "406" });
    await post(`/v2/${id}/expire`, null);
    const second = await post("/v2/charge", good({}, id));
    expect(second.body).toMatchObject({ status_code: "201", transaction_status: "pending" });
    expect(second.body.transaction_id).not.toBe(first.body.transaction_id);
    expect((await status(id)).body.transaction_id).toBe(second.body.transaction_id);
    expect((await status(first.body.transaction_id)).body).toMatchObject({ status_code: "407" });
  });

  it("more than three notification addresses", async () => {
    const urls = Array.from({ length: 4 }, (_, index) => `http://localhost:1/${index}`).join(",");
    const answer = await post("/v2/charge", good(), { "x-override-notification": urls });
    expect(answer.body).toMatchObject({ status_code: "400" });
  });

  it("Snap says what is wrong in error_messages, with HTTP 400", async () => {
    const wrong = await post("/snap/v1/transactions", details(newOrderId(), 1.5));
    expect(wrong).toMatchObject({ status: 400, body: { error_messages: [expect.any(String)] } });
    const id = newOrderId();
    expect((await post("/snap/v1/transactions", details(id, 1000))).status).toBe(201);
    expect((await post("/snap/v1/transactions", details(id, 1000))).status).toBe(400);
    const unit = { ...details(newOrderId(), 1000), expiry: { duration: 5, unit: "second" } };
    expect((await post("/snap/v1/transactions", unit)).status).toBe(400);
  });
});

describe("time", () => {
  it("expires a QRIS charge after its 15 minutes, lazily on read", async () => {
    const id = newOrderId();
    const charged = await post("/v2/charge", good({}, id));
    expect(charged.body.expire_time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    now += 15 * 60_000 - 1;
    expect((await status(id)).body).toMatchObject({ transaction_status: "pending" });
    now += 1;
    expect((await status(id)).body).toMatchObject({
      status_code: "407",
      transaction_status: "expire",
    });
    expect((await call("POST", `${twin.url}/_pay/${id}`, {})).status).toBe(409);
    const forced = await call("POST", `${twin.url}/_pay/${id}`, { force: true });
    expect(forced.body).toMatchObject({ status: "settlement" });
  });

  it("keeps to a custom expiry, counted from its order time in GMT+7", async () => {
    const order_time = new Date(now + 7 * 3_600_000 - 60_000)
      .toISOString()
      .slice(0, 19)
      .replace("T", " ");
    const custom_expiry = { order_time: `${order_time} +0700`, expiry_duration: 3, unit: "minute" };
    const id = newOrderId();
    await post("/v2/charge", good({ custom_expiry }, id));
    now += 119_000;
    expect((await status(id)).body).toMatchObject({ transaction_status: "pending" });
    now += 1001;
    expect((await status(id)).body).toMatchObject({ transaction_status: "expire" });
  });

  it("tells of the expiry when the clock is swept", async () => {
    const id = newOrderId();
    await post("/v2/charge", good({ custom_expiry: { expiry_duration: 20, unit: "second" } }, id));
    now += 20_000;
    twin.sweep();
    expect(twin.notices(id).map((one) => one.event)).toEqual(["pending", "expire"]);
  });

  it("keeps a Snap page's own expiry for the method picked on it", async () => {
    const id = newOrderId();
    const expiry = { duration: 5, unit: "minutes" };
    const { body } = await post("/snap/v1/transactions", { ...details(id, 1000), expiry });
    await fetch(`${body.redirect_url}/pick`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ method: "qris" }),
    });
    now += 5 * 60_000;
    expect((await status(id)).body).toMatchObject({ transaction_status: "expire" });
    expect((await call("GET", body.redirect_url)).text).toContain("kedaluwarsa");
  });
});

describe("Idempotency-Key", () => {
  it("gives the first answer for five minutes, whatever the body; then acts again", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const first = await post("/v2/charge", good(), key);
    expect((await post("/v2/charge", good(), key)).body).toEqual(first.body);
    now += 5 * 60_000;
    const later = await post("/v2/charge", good(), key);
    expect(later.body.order_id).not.toBe(first.body.order_id);
  });

  it("does not keep refusals, and ignores keys of more than 36 characters", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const wrong = good({ payment_type: "barter" });
    expect((await post("/v2/charge", wrong, key)).body.status_code).toBe("400");
    expect((await post("/v2/charge", good(), key)).body.status_code).toBe("201");
    const long = { "idempotency-key": "k".repeat(37) };
    const id = newOrderId();
    await post("/v2/charge", good({}, id), long);
    expect((await post("/v2/charge", good({}, id), long)).body.status_code).toBe("406");
  });

  it("answers 202 while the first call is still running", async () => {
    const id = newOrderId();
    const key = { "idempotency-key": crypto.randomUUID() };
    await call("PUT", `${twin.url}/_dials`, { match: id, delayMs: { value: 300, count: 1 } });
    const twice = [1, 2].map(() => post("/v2/charge", good({}, id), key));
    const answers = await Promise.all(twice);
    expect(answers.map((one) => one.status).sort()).toEqual([200, 202]);
  });
});
