import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../shared/config/config.ts";
import { fetchWorker } from "../testing/api.ts";
import { createUser, unique } from "../testing/factories.ts";
import { serveSockets } from "./entry.ts";
import { shardOf } from "./socketio/index.ts";
import { homeOf, userKey } from "./sockets/home.ts";
import { connectSocket, inLive } from "./testing/socket-client.ts";

const POLL = "/socket.io/?EIO=4&transport=polling";

/** A polling client, as plain as it gets. */
async function openPolling(headers: Record<string, string> = {}) {
  const text = await (await fetchWorker(POLL, { headers })).text();
  const { sid } = JSON.parse(text.slice(1));
  const url = `${POLL}&sid=${sid}`;
  const send = async (packets: string) =>
    await (await fetchWorker(url, { method: "POST", body: packets })).text();
  const poll = async () => await (await fetchWorker(url)).text();
  return { sid: String(sid), send, poll };
}

describe("the way in", () => {
  it("leads a polling client to its own shard, request by request, into the same rooms as everybody", async () => {
    const roomId = unique();
    const watcher = await inLive(roomId);
    const client = await openPolling();
    expect(shardOf(client.sid)).toMatch(/^s\d+$/);
    expect(await client.send("40")).toBe("ok");
    expect(await client.poll()).toMatch(/^40\{"sid":/);
    const claim = { roomId, userId: 5, username: "Ana" };
    await client.send(`42${JSON.stringify(["live:join", claim])}`);
    expect(await watcher.hears("live:user-joined")).toMatchObject({ username: "Ana" });
    await watcher.ask("live:message", { roomId, message: "halo" });
    let heard = "";
    while (!heard.includes("live:new-message")) heard += await client.poll();
    expect(heard).toContain('"message":"halo"');
  });

  it("leads a user to the shard of his id, and a guest to some shard", async () => {
    const user = await createUser();
    const home = homeOf(userKey(user.userId), loadConfig(env).LIVE_SHARDS);
    const headers = { authorization: `Bearer ${user.token}` };
    expect(shardOf((await openPolling(headers)).sid)).toBe(home);
    expect((await connectSocket({ query: { token: user.token } })).shard).toBe(home);
    const guests = await Promise.all(Array.from({ length: 12 }, () => openPolling()));
    expect(new Set(guests.map(({ sid }) => shardOf(sid))).size).toBeGreaterThan(1);
  });

  it.each([
    "s3.AAAAAAAAAAAAAAAAAAAAAA",
    "s99.AAAAAAAAAAAAAAAAAAAAAA",
    "s1.kurang",
    "../s1",
    "",
    "x".repeat(5_000),
  ])("answers the forged session id %j as unknown", async (sid) => {
    const response = await fetchWorker(`${POLL}&sid=${encodeURIComponent(sid)}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 1, message: "Session ID unknown" });
  });

  it("closes a connection that sends two megabytes, and that one only", async () => {
    const roomId = unique();
    const [big, other] = [await inLive(roomId), await inLive(roomId)];
    big.send(`42${JSON.stringify(["live:message", { roomId, message: "x".repeat(2_000_000) }])}`);
    await big.isClosed();
    expect(await other.ask("live:message", { roomId, message: "halo" })).toEqual({ success: true });
  });

  it("lets pages of any origin poll, without their cookies", async () => {
    const headers = { origin: "https://situs.example" };
    const response = await fetchWorker(POLL, { headers });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("lets pages of any origin send their token in a header: a preflight allows what it asks for", async () => {
    const headers = {
      origin: "https://situs.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    const preflight = await fetchWorker(POLL, { method: "OPTIONS", headers });
    expect(preflight.status).toBe(204);
    const allowed = (what: string) => preflight.headers.get(`access-control-allow-${what}`);
    expect([allowed("origin"), allowed("headers"), allowed("methods")]).toEqual([
      ...["*", "authorization", "GET, POST"],
    ]);
  });

  it("has room for the thousands of one address who come back at once, each at the first try", async () => {
    const used = new Map<string, number>();
    const limiter = {
      limit: async ({ key }: { key: string }) => {
        used.set(key, (used.get(key) ?? 0) + 1);
        return { success: (used.get(key) ?? 0) <= 3 };
      },
    };
    const changed = { ...env, ROUTE_LIMIT: limiter, RATE_LIMIT_FACTOR: "1" };
    const statuses: number[] = [];
    for (let i = 0; i < 31; i += 1) {
      const headers = { "cf-connecting-ip": "203.0.113.7" };
      const request = new Request(`https://api.test${POLL}`, { headers });
      statuses.push((await serveSockets(request, changed)).status);
    }
    expect(statuses.indexOf(429)).toBe(30);
  });

  it("is not on a store's own host", async () => {
    const response = await fetchWorker(`http://tokouji.localhost:8787${POLL}`);
    expect(response.status).toBe(404);
  });
});
