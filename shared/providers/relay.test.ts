import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { toHex, utf8 } from "../crypto/index.ts";
import type { FetchInit } from "./http.ts";
import { createHttp } from "./http.ts";
import { relaySignature, throughRelay } from "./relay.ts";
import { answer, FakeNetwork } from "./testing/fake-network.ts";

const KEY = "local-relay-key-0001-vwxyz-abcdef";
const RELAY = "https://relay.example/relay/v1";

const network = new FakeNetwork();
afterEach(() => network.verify());

const relay = throughRelay({
  url: "https://relay.example/",
  key: KEY,
  hosts: ["panel.example.net:8888", "MY.ipaymu.com"],
  fetch: network.fetch,
  now: () => new Date(1_700_000_000_999),
  nonce: () => "AAECAwQFBgcICQoLDA0ODw",
});

const http = createHttp({
  provider: "panel",
  baseUrl: "https://panel.example.net:8888",
  timeoutMs: 20_000,
  fetch: relay,
  sleep: async () => undefined,
});
const stop = () =>
  http.request({
    method: "POST",
    path: "/site",
    query: { action: "SiteStop" },
    form: { id: "7", name: "toko.example" },
    schema: z.object({ status: z.literal(true) }),
    idempotent: false,
  });
const relays = (status: number, body: unknown, headers: Record<string, string>) =>
  network.on("POST", RELAY, answer(status, body, headers));

describe("the signature", () => {
  test.each([
    {
      signed: {
        method: "POST",
        target: "https://panel.example.net:8888/site?action=SiteStop",
        time: 1_700_000_000,
        nonce: "AAECAwQFBgcICQoLDA0ODw",
        timeoutMs: 20_000,
        headers:
          "W1siY29udGVudC10eXBlIiwiYXBwbGljYXRpb24veC13d3ctZm9ybS11cmxlbmNvZGVkIl0sWyJ1c2VyLWFnZW50IiwibHVtYnVuZy8xIl1d",
        body: utf8("id=7&name=toko.example"),
      },
      signature: "79bb626f92ac0aa0bebeabc036f7729bfcc76366b23842ea856a2e59d66e8ea5",
    },
    {
      signed: {
        method: "GET",
        target: "https://my.ipaymu.com/api/v2/payment-channels",
        time: 1_700_000_000,
        nonce: "Dw4NDAsKCQgHBgUEAwIBAA",
        timeoutMs: 10_000,
        headers: "W1sidmEiLCIwMDAwMDAxMjM0NTY3ODkwIl1d",
        body: new Uint8Array(),
      },
      signature: "b288f95e8094cdd1976eddd08dfa11eac80228fd4410b46588d2997715660466",
    },
    {
      signed: {
        method: "POST",
        target: "https://panel.example.net:8888/files?action=upload",
        time: 1_700_000_001,
        nonce: "AAECAwQFBgcICQoLDA0ODw",
        timeoutMs: 60_000,
        headers: "W1siY29udGVudC10eXBlIiwiYXBwbGljYXRpb24vb2N0ZXQtc3RyZWFtIl1d",
        body: new Uint8Array([0, 255, 13, 10, 128]),
      },
      signature: "efff7edac1b189e85546d8ce455aeb223f6d64684396f1bfeaec022a681246da",
    },
  ])("matches the vector of docs/relay.md for $signed.target", async ({ signed, signature }) => {
    expect(await relaySignature(KEY, signed)).toBe(signature);
  });
});

describe("a call to a listed host", () => {
  test("goes through the relay, signed, with nothing outside the signature", async () => {
    relays(200, { status: true }, { "relay-status": "200" });
    expect(await stop()).toEqual({ status: true });
    const [sent] = network.sent;
    const {
      "relay-signature": signature,
      "relay-headers": headers = "",
      ...rest
    } = sent?.headers ?? {};
    expect(rest).toEqual({
      "content-type": "application/octet-stream",
      "relay-method": "POST",
      "relay-target": "https://panel.example.net:8888/site?action=SiteStop",
      "relay-time": "1700000000",
      "relay-nonce": "AAECAwQFBgcICQoLDA0ODw",
      "relay-timeout": "20000",
    });
    expect(JSON.parse(atob(headers.replaceAll("-", "+").replaceAll("_", "/")))).toEqual([
      ["accept", "application/json"],
      ["content-type", "application/x-www-form-urlencoded"],
      ["user-agent", "lumbung/1"],
    ]);
    expect(signature).toBe(
      await relaySignature(KEY, {
        method: "POST",
        target: "https://panel.example.net:8888/site?action=SiteStop",
        time: 1_700_000_000,
        nonce: "AAECAwQFBgcICQoLDA0ODw",
        timeoutMs: 20_000,
        headers,
        body: utf8("id=7&name=toko.example"),
      }),
    );
  });

  test("carries bytes as they are", async () => {
    let carried = "";
    const fetch = async (_: string, init: FetchInit) => {
      carried = toHex(new Uint8Array(init.body as Uint8Array));
      return new Response("7", { headers: { "relay-status": "200" } });
    };
    const bytes = new Uint8Array([0, 255, 13, 10, 128]);
    await throughRelay({ url: "https://r.example", key: KEY, hosts: ["a.example"], fetch })(
      "https://a.example/files",
      { method: "POST", body: bytes },
    );
    expect(carried).toBe("00ff0d0a80");
  });

  test("passes on the provider's own failure", async () => {
    relays(503, "busy", { "relay-status": "503" });
    await expect(stop()).rejects.toMatchObject({ kind: "unavailable", status: 503 });
  });

  test.each([
    "bad_request",
    "too_large",
    "bad_signature",
    "stale",
    "replayed",
    "forbidden_host",
    "busy",
    "unreachable",
  ])("that the relay answers with %s was surely not made", async (code) => {
    relays(502, { error: code }, { "relay-error": code });
    const failure = { kind: "unavailable", outcome: "not_done", retryable: true };
    await expect(stop()).rejects.toMatchObject(failure);
  });

  test.each([
    ["broken", { "relay-error": "broken" }, "unavailable"],
    ["timeout", { "relay-error": "timeout" }, "timeout"],
    ["a word that nobody agreed on", { "relay-error": "odd" }, "unavailable"],
    ["neither header (a page of a proxy)", {}, "unavailable"],
    ["another status than it says", { "relay-status": "200" }, "unavailable"],
  ])("that is answered with %s is in doubt", async (_, headers, kind) => {
    relays(502, { status: true }, headers as Record<string, string>);
    await expect(stop()).rejects.toMatchObject({ kind, outcome: "unknown" });
  });
});

test("a call to any other host goes directly and shows the relay nothing", async () => {
  network.on("GET", "https://panel.example.net/x", answer(200, {}));
  network.on("GET", "https://panel.example.net.evil.example:8888/x", answer(200, {}));
  await relay("https://panel.example.net/x", { method: "GET" });
  await relay("https://panel.example.net.evil.example:8888/x", { method: "GET" });
  expect(network.sent.map(({ headers }) => Object.keys(headers))).toEqual([[], []]);
});
