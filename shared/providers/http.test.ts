import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createHttp, type HttpOptions, type HttpRequest } from "./http.ts";
import { failureOf, MISHAPS } from "./testing/failures.ts";
import { answer, broken, FakeNetwork, type Reply, stuckInBody } from "./testing/fake-network.ts";

const BASE = "https://api.example.com/base";
const URL_OF_THING = `${BASE}/things/1`;

const network = new FakeNetwork();
let waits: number[] = [];

afterEach(() => {
  network.verify();
  waits = [];
});

function client(options: Partial<HttpOptions> = {}) {
  return createHttp({
    provider: "example",
    baseUrl: BASE,
    timeoutMs: 25,
    fetch: network.fetch,
    headers: { authorization: "Bearer top-secret" },
    random: () => 0.5,
    sleep: async (ms) => {
      waits.push(ms);
    },
    now: () => new Date("2026-11-21T00:00:00Z"),
    ...options,
  });
}

const schema = z.object({ id: z.number() });
const thing = { method: "GET", path: "/things/1", schema, idempotent: true } as const;
const order: HttpRequest<{ id: number }> = {
  method: "POST",
  path: "/things/1",
  json: { amount: 1 },
  schema,
  idempotent: false,
};

function replies(method: string, ...list: Reply[]) {
  for (const reply of list) network.on(method, URL_OF_THING, reply);
}

describe("the wire", () => {
  test("carries method, address, headers and body as given, and follows no redirect", async () => {
    network.on("POST", `${BASE}/things?q=a+b%26c`, answer(201, { id: 7, more: true }));
    const got = await client().request({
      ...order,
      path: "/things",
      query: { q: "a b&c" },
      headers: { "idempotency-key": "k-1" },
    });
    expect(got).toEqual({ id: 7 });
    expect(network.sent[0]).toEqual({
      method: "POST",
      url: `${BASE}/things?q=a+b%26c`,
      headers: {
        accept: "application/json",
        authorization: "Bearer top-secret",
        "content-type": "application/json",
        "idempotency-key": "k-1",
        "user-agent": "lumbung/1",
      },
      body: '{"amount":1}',
      redirect: "manual",
    });
  });

  test("a call without a body has no content type", async () => {
    replies("GET", answer(200, { id: 1 }));
    await client().request(thing);
    expect(network.sent[0]?.body).toBeNull();
    expect(network.sent[0]?.headers).not.toHaveProperty("content-type");
  });

  test.each(["/a/../b", "/a/%2e%2e/b", "/a?b", "/a#b", "/a b", "//evil\\@host"])(
    "the path %j is refused before anything is sent",
    async (path) => {
      const error = await failureOf(client().request({ ...thing, path }));
      expect(error).toMatchObject({ kind: "invalid", outcome: "not_done", retryable: false });
      expect(network.sent).toEqual([]);
    },
  );

  test.each(["ftp://example.com", "javascript:alert(1)", "example.com"])(
    "the base %j is refused before anything is sent",
    async (baseUrl) => {
      const error = await failureOf(client({ baseUrl }).request(thing));
      expect(error).toMatchObject({ kind: "invalid", outcome: "not_done" });
    },
  );

  test("a base with a port, upper case or a final slash works", async () => {
    network.on("GET", "http://localhost:9/base/things/1", answer(200, { id: 1 }));
    await client({ baseUrl: "HTTP://LOCALHOST:9/base/" }).request(thing);
  });

  test("a header that cannot be written is refused without quoting it", async () => {
    const call = client().request({ ...thing, headers: { "x-key": "secret\nvalue" } });
    const error = await failureOf(call);
    expect(error).toMatchObject({ kind: "invalid", outcome: "not_done" });
    expect(error.message).not.toContain("secret");
  });
});

describe("failures", () => {
  test.each(MISHAPS)(
    "$name is $kind, $outcome, and never repeated for a writing call",
    async (mishap) => {
      replies("POST", mishap.reply);
      const error = await failureOf(client().request(order));
      const { kind, outcome, retryable } = mishap;
      expect(error).toMatchObject({ provider: "example", kind, outcome, retryable });
      expect(network.sent).toHaveLength(1);
    },
  );

  test("a body that never ends is a timeout", async () => {
    replies("POST", stuckInBody);
    const error = await failureOf(client().request(order));
    expect(error).toMatchObject({ kind: "timeout", outcome: "unknown", retryable: true });
  });

  test.each([
    [400, "invalid"],
    [403, "unauthorised"],
    [404, "refused"],
    [409, "refused"],
    [422, "invalid"],
  ] as const)("HTTP %i is %s and surely not done", async (status, kind) => {
    replies("POST", answer(status, {}));
    const error = await failureOf(client().request(order));
    expect(error).toMatchObject({ kind, status, outcome: "not_done", retryable: false });
  });

  test("texts hold the call, the status and the code, but no key, query or body", async () => {
    const judge: HttpOptions["judge"] = () => ({ kind: "refused", code: "E12" });
    network.on("GET", `${URL_OF_THING}?token=hidden`, answer(200, { note: "private words" }));
    const call = client({ judge }).request({ ...thing, query: { token: "hidden" } });
    const error = await failureOf(call);
    expect(error.message).toBe("example GET /things/1: refused, status 200, code E12");
    expect(error.code).toBe("E12");
    expect(JSON.stringify(error)).not.toMatch(/hidden|private|top-secret/);
  });

  test("a code that may hold a person's words is dropped", async () => {
    const judge: HttpOptions["judge"] = () => ({ kind: "refused", code: "Budi of Jalan Mawar" });
    replies("POST", answer(200, {}));
    const error = await failureOf(client({ judge }).request(order));
    expect(error.code).toBeUndefined();
    expect(error.message).not.toContain("Budi");
  });

  test("an unexpected shape names fields, never values", async () => {
    replies("POST", answer(200, { id: "Jalan Mawar" }));
    const error = await failureOf(client().request(order));
    expect(error.message).toContain("id invalid_type");
    expect(error.message).not.toContain("Mawar");
  });

  test("a verdict of the body outweighs a status below 500, and no body outweighs a 5xx", async () => {
    const judge: HttpOptions["judge"] = () => "success";
    replies("GET", answer(404, { id: 1 }));
    expect(await client({ judge }).request(thing)).toEqual({ id: 1 });
    replies("POST", answer(502, { id: 1 }));
    const error = await failureOf(client({ judge }).request(order));
    expect(error).toMatchObject({ kind: "unavailable", outcome: "unknown" });
  });
});

describe("retries", () => {
  test("an idempotent call is repeated with full jitter until it succeeds", async () => {
    replies("GET", answer(500, ""), broken(null), answer(200, { id: 1 }));
    expect(await client().request(thing)).toEqual({ id: 1 });
    expect(waits).toEqual([100, 200]);
  });

  test("repeats are bounded", async () => {
    replies("GET", answer(500, ""), answer(500, ""), answer(503, ""));
    const error = await failureOf(client().request(thing));
    expect(error).toMatchObject({ kind: "unavailable", status: 503 });
  });

  test("a refusal is not repeated", async () => {
    replies("GET", answer(404, {}));
    expect(await failureOf(client().request(thing))).toMatchObject({ kind: "refused" });
  });

  test("a refusal after a doubtful attempt leaves the outcome in doubt", async () => {
    replies("POST", answer(502, ""), answer(409, {}));
    const error = await failureOf(client().request({ ...order, idempotent: true }));
    expect(error).toMatchObject({ kind: "refused", status: 409, outcome: "unknown" });
  });

  test("a refusal after an attempt that never left stays certain", async () => {
    replies("POST", broken("ECONNREFUSED"), answer(409, {}));
    const error = await failureOf(client().request({ ...order, idempotent: true }));
    expect(error).toMatchObject({ kind: "refused", outcome: "not_done" });
  });

  test("a short pause that the provider asks for is kept", async () => {
    replies("GET", answer(429, {}, { "retry-after": "3" }), answer(200, { id: 1 }));
    await client().request(thing);
    expect(waits).toEqual([3000]);
  });

  test("a date as Retry-After is understood", async () => {
    const date = "Sat, 21 Nov 2026 00:00:02 GMT";
    replies("GET", answer(503, {}, { "retry-after": date }), answer(200, { id: 1 }));
    await client().request(thing);
    expect(waits).toEqual([2000]);
  });

  test.each([
    ["60", 60_000],
    ["999999", 3_600_000],
  ])("a long pause (%s s) is handed to the caller, capped at an hour", async (seconds, ms) => {
    replies("GET", answer(429, {}, { "retry-after": seconds }));
    const error = await failureOf(client().request(thing));
    expect(error).toMatchObject({ kind: "rate_limited", retryable: true, retryAfterMs: ms });
    expect(waits).toEqual([]);
  });

  test("a timeout is not repeated within the call", async () => {
    replies("GET", stuckInBody);
    expect(await failureOf(client().request(thing))).toMatchObject({ kind: "timeout" });
  });
});
