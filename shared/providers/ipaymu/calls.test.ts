import { afterEach, describe, expect, test } from "vitest";
import { failureOf, MISHAPS } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";
import {
  API_KEY,
  BASE,
  fakeIpaymu,
  ok,
  redirect,
  SESSION,
  transaction,
  VA,
} from "../testing/ipaymu.ts";
import { signRequest } from "./signature.ts";

const network = new FakeNetwork();
const client = () => fakeIpaymu(network);
const at = (path: string) => `${BASE}${path}`;
const page = (
  Data: unknown = { SessionID: SESSION, Url: "https://sandbox.ipaymu.com/payment/x" },
) => answer(200, { Status: 200, Message: "success", Data });

afterEach(() => {
  network.verify();
});

describe("createRedirect", () => {
  test("sends the documented request, signed over its very bytes", async () => {
    network.on("POST", at("/payment"), page());
    expect(await client().createRedirect(redirect)).toEqual({
      sessionId: SESSION,
      url: "https://sandbox.ipaymu.com/payment/x",
    });
    expect(network.firstJson()).toEqual({
      product: ["Paket Hosting Personal"],
      qty: [1],
      price: [150_000],
      description: ["Paket Hosting Personal"],
      returnUrl: "https://shop.example/return",
      notifyUrl: "https://shop.example/api/payment/callback",
      cancelUrl: "https://shop.example/cancel",
      referenceId: "ORD-2026-0001",
      buyerName: "Budi",
      buyerEmail: "budi@example.com",
      buyerPhone: "081234567890",
      expired: 24,
      expiredType: "hours",
      feeDirection: "MERCHANT",
    });
    const [sent] = network.sent;
    const signature = await signRequest({ va: VA, apiKey: API_KEY }, "POST", sent?.body ?? "");
    expect(sent?.headers).toMatchObject({
      va: VA,
      signature,
      timestamp: "20261121100000",
      "content-type": "application/json",
    });
    expect(JSON.stringify(sent)).not.toContain(API_KEY);
  });

  test("counts in minutes what is not whole hours, and leaves out what it does not know of the buyer", async () => {
    network.on("POST", at("/payment"), page());
    const { buyer, ...rest } = redirect;
    await client().createRedirect({
      ...rest,
      expiryMinutes: 15,
      buyer: { name: buyer?.name ?? "" },
    });
    const sent = network.firstJson();
    expect(sent).toMatchObject({ expired: 15, expiredType: "minutes", buyerName: "Budi" });
    expect(sent).not.toHaveProperty("buyerEmail");
  });

  test("reads the other spelling of the session", async () => {
    network.on("POST", at("/payment"), page({ SessionId: "s-1", Url: "http://localhost/p" }));
    expect(await client().createRedirect(redirect)).toEqual({
      sessionId: "s-1",
      url: "http://localhost/p",
    });
  });

  test.each([
    { Data: { SessionID: SESSION, Url: "javascript:alert(1)" } },
    { Data: { SessionID: SESSION } },
    { Data: { Url: "https://sandbox.ipaymu.com/payment/x" } },
    { Data: null },
    {},
  ])("without a page to show (%j) it is a bad answer in doubt", async (body) => {
    network.on("POST", at("/payment"), answer(200, { Status: 200, ...body }));
    const error = await failureOf(client().createRedirect(redirect));
    expect(error).toMatchObject({ kind: "bad_answer", outcome: "unknown" });
  });

  test.each(MISHAPS)("$name is reported as it is, and never sent again", async (mishap) => {
    network.on("POST", at("/payment"), mishap.reply);
    const error = await failureOf(client().createRedirect(redirect));
    const { kind, outcome, retryable } = mishap;
    expect(error).toMatchObject({ provider: "ipaymu", kind, outcome, retryable });
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(API_KEY);
  });

  test.each([
    { amountIdr: 0 },
    { amountIdr: -5 },
    { amountIdr: 10.5 },
    { amountIdr: Number.NaN },
    { expiryMinutes: 0 },
    { expiryMinutes: 1.5 },
    { providerRef: "" },
    { providerRef: "a/b" },
  ])("%j is refused before anything is sent", async (changes) => {
    const error = await failureOf(client().createRedirect({ ...redirect, ...changes }));
    expect(error).toMatchObject({ kind: "invalid", outcome: "not_done" });
    expect(network.sent).toEqual([]);
  });
});

describe("a body's own Status", () => {
  test.each([
    [200, { Status: 401, Message: "unauthorized" }, "unauthorised", "not_done", "401"],
    [401, { Status: 401, Message: "unauthorized" }, "unauthorised", "not_done", "401"],
    [200, { Status: "400", Error: { product: ["wajib"] } }, "invalid", "not_done", "400"],
    [
      406,
      { Status: 406, Message: "Invalid IP 203.0.113.7" },
      "unauthorised",
      "not_done",
      "invalid_ip",
    ],
    [200, { Status: 400, Message: "Invalid Domain" }, "unauthorised", "not_done", "invalid_domain"],
    [200, { Status: 503, Message: "busy" }, "unavailable", "unknown", "503"],
    [200, { Status: "odd" }, "bad_answer", "unknown", "odd"],
    [200, { Status: 201, Data: {} }, "bad_answer", "unknown", "201"],
    [200, { Status: 404 }, "refused", "not_done", "404"],
  ] as const)("HTTP %i with %j is %s, %s", async (status, body, kind, outcome, code) => {
    network.on("POST", at("/payment"), answer(status, body));
    const error = await failureOf(client().createRedirect(redirect));
    expect(error).toMatchObject({ kind, outcome, code });
  });
});

describe("getTransaction", () => {
  test("asks by iPaymu's number and reads what is told", async () => {
    network.on("POST", at("/transaction"), answer(200, ok(transaction())));
    expect(await client().getTransaction("193205")).toEqual({
      transactionId: "193205",
      providerRef: "ORD-2026-0001",
      status: "paid",
      amountIdr: 150_000,
      paidAt: new Date("2026-11-21T02:48:08Z"),
    });
    expect(network.sent[0]?.body).toBe('{"transactionId":"193205"}');
  });

  test("reads numbers that come as texts, and does without dates and reference", async () => {
    const odd = { TransactionId: "193205", Amount: "150000", Status: "0", SuccessDate: null };
    network.on(
      "POST",
      at("/transaction"),
      answer(200, ok(transaction({ ...odd, ReferenceId: null }))),
    );
    expect(await client().getTransaction("193205")).toMatchObject({
      status: "pending",
      amountIdr: 150_000,
      providerRef: null,
      paidAt: null,
    });
  });

  test.each([
    answer(404, { Status: 404, Message: "not found" }),
    answer(200, { Status: 400, Message: "error - invalid request" }),
    answer(200, ok(null)),
    answer(200, ok([])),
  ])("knows nothing of some (%#)", async (reply) => {
    network.on("POST", at("/transaction"), reply);
    expect(await client().getTransaction("193205")).toBeNull();
  });

  test.each([
    ["a proxy's 404", answer(404, "<html>"), "refused", 1],
    ["a fraction", answer(200, ok(transaction({ Amount: "150000.5" }))), "bad_answer", 3],
    ["a negative amount", answer(200, ok(transaction({ Amount: -150000 }))), "bad_answer", 3],
    ["another transaction", answer(200, ok(transaction({ TransactionId: 7 }))), "bad_answer", 1],
    ["our address refused", answer(200, { Status: 400, Message: "Invalid IP" }), "unauthorised", 1],
  ])("%s does not read as unpaid", async (_, reply, kind, asked) => {
    for (let n = 0; n < asked; n += 1) network.on("POST", at("/transaction"), reply);
    const error = await failureOf(client().getTransaction("193205"));
    expect(error.kind).toBe(kind);
  });
});

test("a refusal of our address says which address iPaymu saw, where it says so", async () => {
  const body = { Status: 406, Message: "Invalid IP 203.0.113.7" };
  network.on("POST", at("/payment"), answer(406, body));
  const error = await failureOf(client().createRedirect(redirect));
  expect(error).toMatchObject({ code: "invalid_ip", seenAddress: "203.0.113.7" });
  expect(String(error)).toContain("saw our address as 203.0.113.7");
});
