import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { shardOf } from "./session-id.ts";
import { newEcho, newShard, PollingClient, urlOf, WireClient } from "./testing/client.ts";

const POLL = "EIO=4&transport=polling";

async function echoSession(stub: DurableObjectStub): Promise<PollingClient> {
  return await PollingClient.open(stub);
}

describe("an Engine.IO handshake", () => {
  it("tells a polling client its session, the possible upgrade and all times and limits", async () => {
    const stub = newShard("plain");
    const { handshake } = await PollingClient.open(stub);
    expect(handshake).toEqual({
      sid: expect.stringMatching(/^plain-[\w-]+\.[\w-]{22}$/),
      upgrades: ["websocket"],
      pingInterval: 25_000,
      pingTimeout: 20_000,
      maxPayload: 1_000_000,
    });
  });

  it("offers a WebSocket client no upgrade", async () => {
    const client = await WireClient.open(newShard("plain"));
    const frame = String(await client.next());
    expect(frame[0]).toBe("0");
    expect(JSON.parse(frame.slice(1)).upgrades).toEqual([]);
  });

  it("puts the shard's name into the session id, and nothing else is taken for one", async () => {
    const { sid } = await PollingClient.open(newShard("plain"));
    expect(shardOf(sid)).toMatch(/^plain-/);
    for (const forged of [
      "",
      "x",
      "s1.",
      `${"x".repeat(65)}.${"a".repeat(22)}`,
      `../x.${"a".repeat(22)}`,
      null,
    ]) {
      expect(shardOf(forged)).toBeNull();
    }
  });

  it.each([
    ["no transport", "EIO=4", "GET", 0, "Transport unknown"],
    ["an unknown transport", "EIO=4&transport=abc", "GET", 0, "Transport unknown"],
    [
      "an inherited name as transport",
      "EIO=4&transport=constructor",
      "GET",
      0,
      "Transport unknown",
    ],
    ["a forged session id", `${POLL}&sid=plain.${"a".repeat(22)}`, "GET", 1, "Session ID unknown"],
    ["an empty session id", `${POLL}&sid=`, "GET", 1, "Session ID unknown"],
    ["an unknown session's other method", `${POLL}&sid=x`, "PUT", 1, "Session ID unknown"],
    [
      "an unknown session's WebSocket without upgrade",
      "EIO=4&transport=websocket&sid=x",
      "GET",
      1,
      "Session ID unknown",
    ],
    ["another method", POLL, "POST", 2, "Bad handshake method"],
    ["a WebSocket without upgrade", "EIO=4&transport=websocket", "GET", 3, "Bad request"],
    ["no version", "transport=polling", "GET", 5, "Unsupported protocol version"],
    ["another version", "EIO=3&transport=polling", "GET", 5, "Unsupported protocol version"],
  ])("refuses %s in the protocol's words", async (_, query, method, code, message) => {
    const response = await newShard("plain").fetch(urlOf(query), { method });
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual({ code, message });
  });

  it("is refused to whom the application does not allow it", async () => {
    const stub = newShard("closed");
    const response = await stub.fetch(urlOf(POLL));
    expect([response.status, await response.json()]).toEqual([
      403,
      { code: 4, message: "Forbidden" },
    ]);
    const headers = { origin: "https://app.example" };
    expect((await stub.fetch(urlOf(POLL), { headers })).status).toBe(200);
  });

  it("answers a preflight and every polling answer with the CORS headers it was given", async () => {
    const stub = newShard("open");
    const headers = { origin: "https://app.example" };
    const preflight = await stub.fetch(urlOf(POLL), { method: "OPTIONS", headers });
    expect(preflight.status).toBe(204);
    for (const response of [
      preflight,
      await stub.fetch(urlOf(POLL), { headers }),
      await stub.fetch(urlOf(""), { headers }),
    ]) {
      expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
      await response.text();
    }
  });
});

describe("long polling", () => {
  it("answers a waiting poll as soon as something comes", async () => {
    const client = await echoSession(newEcho());
    const poll = client.poll();
    await client.post("4hello");
    expect(await poll).toBe("4hello");
  });

  it("takes and gives several packets at once, binary as base64", async () => {
    const client = await echoSession(newEcho());
    await client.post("4a\x1ebAQIDBA==\x1e4c");
    expect(await client.poll()).toBe("4a\x1ebAQIDBA==\x1e4c");
  });

  it("keeps session and buffer through an eviction", async () => {
    const stub = newEcho();
    const client = await echoSession(stub);
    await client.post("4before\x1ebAQI=");
    await evictDurableObject(stub);
    await client.post("4after");
    expect(await client.poll()).toBe("4before\x1ebAQI=\x1e4after");
  });

  it("closes the session at a second poll, and tells the first", async () => {
    const client = await echoSession(newEcho());
    const first = client.poll();
    const second = await client.request();
    expect(await first).toBe("1");
    expect([second.status, await second.json()]).toEqual([
      400,
      { code: 3, message: "Bad request" },
    ]);
    expect((await client.request()).status).toBe(400);
  });

  it.each(["abc", "\ufeff4abc"])("closes the session at what is no packet: %j", async (body) => {
    const client = await echoSession(newEcho());
    const response = await client.request({ method: "POST", body });
    expect(response.status).toBe(400);
    expect(await (await client.request()).json()).toEqual({
      code: 1,
      message: "Session ID unknown",
    });
  });

  it("ends a waiting poll with a no-op when the client closes", async () => {
    const client = await echoSession(newEcho());
    const poll = client.poll();
    await client.post("1");
    expect(await poll).toBe("6");
    expect((await client.request()).status).toBe(400);
  });

  it("takes a million bytes and not one more, told or not told beforehand", async () => {
    const client = await echoSession(newEcho());
    await client.post(`4${"x".repeat(999_999)}`);
    expect((await client.poll()).length).toBe(1_000_000);
    const big = "x".repeat(1_000_001);
    const told = await client.request({ method: "POST", body: big });
    expect(told.status).toBe(413);
    const untold = await client.request({ method: "POST", body: new Blob([big]).stream() });
    expect(untold.status).toBe(413);
    await client.post("4still here");
    expect(await client.poll()).toBe("4still here");
  });

  it("refuses other methods and versions on a session, and leaves it alone", async () => {
    const client = await echoSession(newEcho());
    expect((await client.request({ method: "PUT", body: "4x" })).status).toBe(400);
    for (const version of ["", "EIO=3&"]) {
      const query = `${version}transport=polling&sid=${client.sid}`;
      const response = await client.stub.fetch(urlOf(query), { method: "POST", body: "4y" });
      expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
    }
    await client.post("4x");
    expect(await client.poll()).toBe("4x");
  });
});

describe("a WebSocket", () => {
  it("takes text and binary frames", async () => {
    const client = await WireClient.open(newEcho());
    await client.next();
    client.send("4hai");
    client.send(Uint8Array.of(1, 2, 3));
    expect([await client.next(), await client.next()]).toEqual(["4hai", [1, 2, 3]]);
  });

  it.each([
    ["no packet", "abc", 1002],
    ["an empty frame", "", 1002],
    ["a ping of the client", "2", 1002],
    ["more than a million bytes", `4${"x".repeat(1_000_000)}`, 1009],
    ["two megabytes", `4${"x".repeat(2_000_000)}`, 1009],
    ["fewer characters but more bytes", `4${"é".repeat(500_000)}`, 1009],
  ])("is closed by %s", async (_, frame, code) => {
    const client = await WireClient.open(newEcho());
    await client.next();
    client.send(frame);
    expect((await client.closed).code).toBe(code);
  });

  it("is closed by the close packet", async () => {
    const client = await WireClient.open(newEcho());
    await client.next();
    client.send("1");
    expect((await client.closed).code).toBe(1000);
  });
});
