import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AppError } from "../shared/http/errors.ts";
import { createApiApp } from "./api.ts";
import { api, randomAddress, settleBackground, testContext } from "./testing/api.ts";
import { createProduct, createStore, createUser, unique } from "./testing/factories.ts";
import { order } from "./testing/orders.ts";

const LEVELS = ["log", "debug", "info", "warn", "error", "trace"] as const;
let written: string[];

beforeEach(() => {
  written = [];
  for (const level of LEVELS) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      written.push(parts.map(String).join(" "));
    });
  }
});
afterEach(() => vi.restoreAllMocks());

function expectUntold(words: Record<string, string>): void {
  const log = written.join("\n");
  for (const [what, word] of Object.entries(words)) expect(log, what).not.toContain(word);
}

describe("the log of requests", () => {
  it("tells nothing of who registers, signs in, fails to, and signs out", async () => {
    const email = `${unique("ana")}@contoh.co`;
    const phone = `08${String(Math.random()).slice(2, 12).padEnd(10, "3")}`;
    const password = unique("sandi-");
    const json = { email, phone, password, full_name: unique("Ana "), role: "buyer" };
    const address = randomAddress();
    await api("/api/auth/register", { method: "POST", json, address });
    await api("/api/auth/register", { method: "POST", json, address });
    const signedIn = await api("/api/auth/signin", { method: "POST", json: { email, password } });
    const { token } = signedIn.body;
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    await api("/api/auth/signin", { method: "POST", json: { email, password: `${password}x` } });
    await api("/api/login", { method: "POST", json: { phone, password }, address });
    await api("/api/profile", { token });
    await api("/api/profile", { token: `${token}x` });
    await api("/api/auth/logout", { method: "POST", token });
    await api("/api/login", { method: "POST", body: `{"password":"${password}` });
    const signature = token.split(".")[2];
    expectUntold({ email, phone, password, name: json.full_name, token, signature, address });
  });

  it("tells nothing of a buyer's address, of keys and of forged notices", async () => {
    const [seller, buyer] = [await createUser(["seller"]), await createUser()];
    const store = await createStore(seller);
    const placed = await order(buyer, store, [[await createProduct(store), 1]]);
    expect(placed.status).toBe(201);
    const forged = { order_id: unique("o"), status_code: "200", gross_amount: "1.00" };
    const json = { ...forged, signature_key: unique("sig") };
    await api("/api/webhooks/midtrans", { method: "POST", json });
    const courier = { method: "POST", json: { method: "x" }, token: unique("key") };
    await api("/api/webhooks/kiriminaja", courier);
    await api("/api/payment/callback", { method: "POST", json });
    await settleBackground();
    const { config } = testContext();
    expect(written.join()).toContain("callback refused");
    expectUntold({
      street: "Jl. Tebet",
      person: "Pembeli Uji",
      phone: "081298765432",
      buyer: buyer.email,
      token: buyer.token,
      signature: json.signature_key,
      bearer: courier.token,
      midtrans: config.MIDTRANS_SERVER_KEY,
      kiriminaja: config.KIRIMINAJA_API_KEY,
      jwt: config.JWT_KEYS.flat()[1] ?? "",
    });
  });
});

describe("a failure that is ours", () => {
  const app = createApiApp();
  const fail = (error: unknown) => () => {
    throw error;
  };
  const secret = "ana@contoh.co";
  app.get("/api/probe/unknown", fail(new Error(`select '${secret}'\nfrom identity_users`)));
  app.get("/api/seller/probe", fail(new TypeError(secret)));
  app.get("/v1/probe", fail(new AppError("internal", secret, { cause: new Error(secret) })));

  it.each(["/api/probe/unknown", "/api/seller/probe", "/v1/probe"])(
    "on %s is a fixed text for the caller and one line with its request id for us",
    async (path) => {
      const execution = createExecutionContext();
      const response = await app.fetch(new Request(`http://localhost:8787${path}`), env, execution);
      await waitOnExecutionContext(execution);
      const text = await response.text();
      expect(response.status).toBe(500);
      expect(text).toContain("Internal server error");
      expect(written).toHaveLength(1);
      const line = JSON.parse(written[0] ?? "");
      expect(line).toMatchObject({
        level: "error",
        requestId: response.headers.get("x-request-id"),
      });
      expect(line.stack).toMatch(/^at /);
      expect(text + written.join()).not.toContain(secret);
    },
  );
});
