import { describe, expect, it } from "vitest";
import { api, fetchWorker, type TestCall } from "./testing/api.ts";
import { envelopeOf, type Family, failureBody } from "./testing/envelopes.ts";
import { createUser } from "./testing/factories.ts";

/** A path of each contract; mounted or not, the envelope is the family's. */
const PATHS: [Family, string][] = [
  ["hosting", "/api/payment/create"],
  ["hosting", "/api/orders/unknown-7"],
  ["topup", "/api/orders/prepaid"],
  ["topup", "/api/services/typo"],
  ["market", "/api/seller/typo"],
  ["market", "/api/buyer/products/typo"],
  ["market", "/api/admin/typo"],
  ["auth", "/api/auth/register"],
  ["panel", "/v1/typo"],
  ["app", "/api/typo"],
  ["app", "/api/auth/typo"],
  ["app", "/typo"],
];

const MEGABYTE = 1024 * 1024;
const tooLarge = `{"name":"${"x".repeat(10 * MEGABYTE)}"}`;

/** The same text without a length, in pieces. */
function inPieces(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + 64 * 1024));
      at += 64 * 1024;
    },
  });
}

const jsonText = (body: BodyInit, method = "POST"): TestCall => ({
  method,
  body,
  headers: { "content-type": "application/json" },
});

describe.each(PATHS)("in the %s contract, %s", (family, path) => {
  const failure = (status: number, words?: string) => ({
    status,
    body: failureBody(family, status, words),
  });

  // The panel's contract has one answer for every body that it cannot read.
  const status = family === "panel" ? 400 : 413;
  it(`refuses 10 MB of JSON with ${status}, told in advance or sent in pieces`, async () => {
    expect(await api(path, jsonText(tooLarge))).toMatchObject(failure(status));
    expect(await api(path, jsonText(inPieces(tooLarge)))).toMatchObject(failure(status));
  });

  // Under /v1 curl's own type will do (workers/panel/bodies.test.ts).
  it.skipIf(family === "panel")(
    "refuses a body that does not say that it is JSON with 415",
    async () => {
      const bodies: TestCall[] = [
        { body: '{"a":1}' },
        { body: "a=1", headers: { "content-type": "application/x-www-form-urlencoded" } },
        { body: "<a/>", headers: { "content-type": "application/xml" } },
        { body: "{}", headers: { "content-type": "text/plain; x=application/json" } },
      ];
      for (const call of bodies) {
        expect(await api(path, { ...call, method: "POST" })).toMatchObject(failure(415));
      }
    },
  );
});

describe("an unknown path, method or trailing slash", () => {
  const below = PATHS.filter(([family]) => family !== "auth");
  it.each(below)("is answered in the %s envelope below %s", async (family, path) => {
    for (const address of [`${path}/x/y/z`, `${path}/`, `${path}/?a=1`]) {
      const answer = await api(address, { method: "DELETE" });
      expect(answer, address).toMatchObject({ status: 404, body: failureBody(family, 404) });
    }
  });
});

describe("a mounted path", () => {
  it.each<[string, Family, string]>([
    ["/api/auth/register", "auth", "POST"],
    ["/api/auth/login", "auth", "POST"],
    ["/api/register", "app", "POST"],
    ["/api/login", "app", "POST"],
    ["/api/profile/update", "app", "PUT"],
    ["/api/seller/store", "market", "PUT"],
    ["/api/seller/products", "market", "POST"],
    ["/api/buyer/cart", "market", "POST"],
    ["/api/wallet/deposit", "market", "POST"],
  ])(
    "%s answers what is no JSON, or another shape, with 400 in the %s envelope",
    async (path, family, method) => {
      const { token } = await createUser(["buyer", "seller"]);
      const deep = "[".repeat(60_000) + "]".repeat(60_000);
      for (const body of ["{", "", "nul", '{"a":}', "\u0000", "[]", "null", "7", '"x"', deep]) {
        const answer = await api(path, { ...jsonText(body, method), token });
        expect(answer, body.slice(0, 20)).toMatchObject({
          status: 400,
          body: failureBody(family, 400),
        });
      }
    },
  );

  it.each([
    ["PATCH", "/api/seller/store"],
    ["DELETE", "/api/seller/store"],
    ["POST", "/api/buyer/products"],
    ["GET", "/api/login"],
    ["GET", "/api/auth/logout"],
    ["PUT", "/api/webhooks/midtrans"],
    ["DELETE", "/docs"],
  ])("does not know %s %s", async (method, path) => {
    const answer = await api(path, { method });
    expect(answer).toMatchObject({ status: 404, body: failureBody(envelopeOf(path), 404) });
  });

  it("answers HEAD like GET without a body, and OPTIONS without work", async () => {
    for (const path of ["/", "/docs", "/openapi.json", "/api/buyer/categories"]) {
      const head = await fetchWorker(path, { method: "HEAD" });
      expect([path, head.status, await head.text()]).toEqual([path, 200, ""]);
    }
    expect((await fetchWorker("/api/typo", { method: "HEAD" })).status).toBe(404);
    expect((await fetchWorker("/api/seller/store", { method: "OPTIONS" })).status).toBe(204);
  });
});

describe("an unknown address", () => {
  it("is repeated as it was written, with its query", async () => {
    const address = "/api/tidak/ada?x=%41&y=<b>";
    expect((await api(address)).body).toEqual({
      success: false,
      message: "Endpoint /api/tidak/ada?x=%41&y=%3Cb%3E tidak ditemukan.",
    });
  });

  it.each<[string, Family]>([
    ["/api/seller/../buyer/typo", "market"],
    ["/api/seller/%2e%2e/%2E%2E/v1/typo", "panel"],
    ["/api/seller/..%2f..%2fv1/typo", "market"],
    ["/api/%73eller/typo", "market"],
    ["/%61pi/seller/typo", "market"],
    ["/api/seller%2ftypo", "app"],
    ["/api/seller%00/typo", "app"],
    ["/api//seller/typo", "app"],
    ["//api/seller/typo", "app"],
    ["/API/seller/typo", "app"],
    ["/api/Seller/store", "app"],
    ["/api/seller/%ff%fe%zz", "market"],
    ["/api/seller/typo;x=1", "market"],
    ["/api/seller/%F0%9F%8C%BE", "market"],
    [`/api/seller/${"x".repeat(8000)}`, "market"],
    ["/v1/%73ites/../typo", "panel"],
  ])("%s fails as the path that it really is", async (path, family) => {
    const answer = await api(path);
    expect(answer).toMatchObject({ status: 404, body: failureBody(family, 404) });
  });

  it("does not lead around the sign-in of the path that it spells otherwise", async () => {
    for (const path of [
      "/api/%73eller/store",
      "/api/buyer/../seller/store",
      "/%61pi/seller/store",
    ]) {
      expect(await api(path)).toMatchObject({ status: 401, body: failureBody("market", 401) });
    }
  });
});

describe("the panel's paths", () => {
  it("answer another method with 405 JSON, also where the path holds an id, and what is unknown with 404", async () => {
    const refused = { status: 405, body: failureBody("panel", 405, "method not allowed") };
    expect(await api("/v1/sites", { method: "PUT" })).toMatchObject(refused);
    expect(await api("/v1/sites/site_1", { method: "PATCH" })).toMatchObject(refused);
    expect(await api("/healthz", { method: "DELETE" })).toMatchObject(refused);
    const unknown = { status: 404, body: failureBody("panel", 404, "not found") };
    expect(await api("/v1/sites/site_1/x")).toMatchObject(unknown);
    expect(await api("/v1/typo", { method: "DELETE" })).toMatchObject(unknown);
    expect((await api("/v1/sites/site_1", { method: "DELETE" })).status).toBe(401);
  });
});

describe("GET /", () => {
  it("welcomes in plain text", async () => {
    const answer = await api("/");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(answer.body).toContain("Lumbung");
  });
});
