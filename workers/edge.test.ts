import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApiApp } from "./api.ts";
import { api, fetchWorker, randomAddress, type TestCall } from "./testing/api.ts";
import { createUser } from "./testing/factories.ts";

const ALLOWED = "https://app.lumbung.example";
const app = createApiApp();

/** The API under other variables or bindings than the run's own. */
async function apiWith(changes: object, path: string, init: RequestInit = {}): Promise<Response> {
  const execution = createExecutionContext();
  const request = new Request(`http://localhost:8787${path}`, init);
  const response = await app.fetch(request, { ...env, ...changes }, execution);
  await waitOnExecutionContext(execution);
  return response;
}

const TOO_MANY = { data: null, error: "Too many requests", meta: {} };

/** Statuses of that many requests from one address within one minute of the platform's clock. */
async function statuses(count: number, path: string, call: TestCall = {}): Promise<number[]> {
  for (;;) {
    const address = randomAddress();
    const minute = Math.floor(Date.now() / 60_000);
    const seen: number[] = [];
    for (let i = 0; i < count; i++) {
      const response = await fetchWorker(path, { ...call, address });
      await response.arrayBuffer();
      seen.push(response.status);
    }
    if (Math.floor(Date.now() / 60_000) === minute) return seen;
  }
}

describe("the rate limit", () => {
  it.each([
    ["/api/seller/store", 401],
    ["/api/buyer/orders/7/track", 401],
    ["/api/admin/typo", 404],
    ["/api/wallet", 401],
    ["/api/auth/logout", 404],
  ])("lets an address ask %s 100 times a minute, and not once more", async (path, usual) => {
    const seen = await statuses(101, path);
    expect(seen.slice(0, 100).filter((status) => status !== usual)).toEqual([]);
    expect(seen[100]).toBe(429);
  });

  it("answers 429 in exactly the contract's words, says when to come back, and spares other addresses", async () => {
    const address = randomAddress();
    let answer = await api("/api/buyer/cart", { address });
    for (let i = 0; i < 250 && answer.status !== 429; i++) {
      answer = await api("/api/buyer/cart", { address });
    }
    expect(answer).toMatchObject({ status: 429, body: TOO_MANY });
    expect(answer.headers.get("retry-after")).toBe("60");
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect((await api("/api/buyer/cart")).status).toBe(401);
  });

  it("counts all paths of the contract together and no header that the caller writes", async () => {
    const keys: string[] = [];
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: true };
      },
    };
    const paths = ["/api/seller/store", "/api/buyer/cart", "/api/auth/logout", "/api/ai/chat"];
    for (const [i, path] of paths.entries()) {
      const headers = {
        "cf-connecting-ip": "203.0.113.9",
        "x-forwarded-for": `198.51.100.${i}`,
        "x-real-ip": `198.51.100.${i}`,
        "true-client-ip": `198.51.100.${i}`,
        forwarded: `for=198.51.100.${i}`,
      };
      await apiWith({ API_LIMIT: limiter }, path, { headers });
    }
    expect(keys).toEqual(Array(paths.length).fill("203.0.113.9"));
  });

  it("never meets a provider's notice, a path of the mobile app, the panel or a picture", async () => {
    const closed = { limit: async () => ({ success: false }) };
    const ask = (path: string, method = "GET") =>
      apiWith({ API_LIMIT: closed }, path, {
        method,
        headers: { "cf-connecting-ip": "203.0.113.9" },
      });
    expect((await ask("/api/seller/store")).status).toBe(429);
    for (const path of ["/api/webhooks/midtrans", "/api/webhooks/kiriminaja"]) {
      expect((await ask(path, "POST")).status, path).not.toBe(429);
    }
    for (const path of [
      "/api/profile",
      "/api/typo",
      "/v1/typo",
      "/uploads/x",
      "/docs",
      "/api/plans",
    ]) {
      expect((await ask(path)).status, path).not.toBe(429);
    }
  });

  it("counts an address per route on the other paths, whatever row it asks for", async () => {
    const keys: string[] = [];
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        keys.push(key);
        return { success: keys.length < 4 };
      },
    };
    const headers = { "cf-connecting-ip": "203.0.113.9" };
    const seen: number[] = [];
    for (const path of [
      "/api/profile",
      "/api/chat/messages/1",
      "/api/chat/messages/2",
      "/api/profile",
    ]) {
      seen.push((await apiWith({ ROUTE_LIMIT: limiter }, path, { headers })).status);
    }
    expect(keys.map((key) => key.split(" ")[1])).toEqual([
      "/api/profile",
      "/api/chat/messages/:id",
      "/api/chat/messages/:id",
      "/api/profile",
    ]);
    expect(seen[3]).toBe(429);
    await apiWith({ ROUTE_LIMIT: limiter }, "/api/payment/callback", { method: "POST", headers });
    expect(keys).toHaveLength(4);
  });

  it("is not spent by a browser's preflight", async () => {
    const closed = { limit: async () => ({ success: false }) };
    const preflight = { method: "OPTIONS", headers: { origin: ALLOWED } };
    expect((await apiWith({ API_LIMIT: closed }, "/api/seller/store", preflight)).status).toBe(204);
  });

  it("is raised by RATE_LIMIT_FACTOR: an address then has that many shares, used evenly", async () => {
    const used = new Map<string, number>();
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        used.set(key, (used.get(key) ?? 0) + 1);
        return { success: (used.get(key) ?? 0) <= 100 };
      },
    };
    const changes = { API_LIMIT: limiter, RATE_LIMIT_FACTOR: "3" };
    const headers = { "cf-connecting-ip": "203.0.113.9" };
    const seen: number[] = [];
    for (let i = 0; i < 301; i++) {
      seen.push((await apiWith(changes, "/api/seller/store", { headers })).status);
    }
    expect(seen.indexOf(429)).toBe(300);
    expect([...used.values()].sort()).toEqual([100, 100, 101]);
  });
});

describe("CORS", () => {
  const changes = { CORS_ORIGINS: ALLOWED };
  const from = (origin: string, path = "/api/buyer/categories", init: RequestInit = {}) =>
    apiWith(changes, path, { ...init, headers: { origin, ...init.headers } });

  it("lets an origin of the allow-list read, with credentials", async () => {
    const { headers } = await from(ALLOWED);
    expect(headers.get("access-control-allow-origin")).toBe(ALLOWED);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("vary")).toMatch(/origin/i);
  });

  it("lets its failures be read too", async () => {
    const { status, headers } = await from(ALLOWED, "/api/seller/store");
    expect(status).toBe(401);
    expect(headers.get("access-control-allow-origin")).toBe(ALLOWED);
  });

  it.each([
    "https://evil.example",
    "null",
    "*",
    `${ALLOWED}.evil.example`,
    "https://evil.example/https://app.lumbung.example",
    "http://app.lumbung.example",
    "",
  ])("tells the origin %j nothing, and never says *", async (origin) => {
    for (const method of ["GET", "OPTIONS"]) {
      const { headers } = await from(origin, "/api/buyer/categories", { method });
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  it("answers the preflight of an allowed origin with what it may send", async () => {
    const { status, headers } = await from(ALLOWED, "/api/buyer/orders", {
      method: "OPTIONS",
      headers: {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
      },
    });
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(ALLOWED);
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      expect(headers.get("access-control-allow-methods")).toContain(method);
    }
    for (const header of ["authorization", "content-type", "idempotency-key"]) {
      expect(headers.get("access-control-allow-headers")).toContain(header);
    }
  });

  it("is not for the panel", async () => {
    const { headers } = await from(ALLOWED, "/v1/sites");
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("allows nobody where no origin is configured", async () => {
    const { headers } = await apiWith({ CORS_ORIGINS: "" }, "/api/buyer/categories", {
      headers: { origin: "" },
    });
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("every answer", () => {
  const ANSWERS: [string, TestCall][] = [
    ["/", {}],
    ["/docs", {}],
    ["/api/buyer/categories", {}],
    ["/api/seller/store", {}],
    ["/api/typo", {}],
    ["/v1/typo", {}],
    ["/uploads/typo.jpg", {}],
    ["/api/login", { method: "POST", body: "x" }],
    ["/api/webhooks/midtrans", { method: "POST", body: "{" }],
  ];

  it.each(ANSWERS)(
    "of %s has the security headers and a request id of its own",
    async (path, call) => {
      const [one, two] = [await fetchWorker(path, call), await fetchWorker(path, call)];
      expect(one.headers.get("x-content-type-options")).toBe("nosniff");
      expect(one.headers.get("x-frame-options")).toBe("SAMEORIGIN");
      expect(one.headers.get("referrer-policy")).toBe("no-referrer");
      expect(one.headers.get("strict-transport-security")).toMatch(/max-age=\d{7,}/);
      expect(one.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(one.headers.get("x-powered-by")).toBeNull();
      expect(one.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(two.headers.get("x-request-id")).not.toBe(one.headers.get("x-request-id"));
    },
  );

  it("does not take its request id from the caller", async () => {
    const { headers } = await api("/", { headers: { "x-request-id": "mine" } });
    expect(headers.get("x-request-id")).not.toBe("mine");
  });

  it.each(["/api/buyer/categories", "/api/seller/store", "/api/typo", "/v1/typo", "/healthz"])(
    "of %s is kept by no cache",
    async (path) => {
      expect((await fetchWorker(path)).headers.get("cache-control")).toBe("no-store");
    },
  );

  it("to a signed-in user is kept by no cache", async () => {
    const { token } = await createUser();
    const { status, headers } = await api("/api/profile", { token });
    expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
  });

  it("to somebody without a token is JSON and never a redirect (LC-20)", async () => {
    for (const path of ["/api/profile", "/api/seller/store", "/api/wallet", "/api/buyer/orders"]) {
      const { status, headers } = await api(path, { headers: { accept: "text/html" } });
      expect([status, headers.get("location")]).toEqual([401, null]);
      expect(headers.get("content-type")).toContain("application/json");
    }
  });
});
