import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { WebSocket } from "ws";
import { gather, signUp } from "./faults/live.ts";
import { joinStorm, tryForgedSessions } from "./faults/live-storm.ts";
import { LiveSocket } from "./live-socket.ts";
import { eventually, type Platform, startPlatform } from "./platform.ts";

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);

afterAll(async () => {
  await platform?.stop();
});

function tellOnFailure(): void {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
}

describe("a storm of joins", () => {
  test("is answered, a flood is refused, and the room counts right afterwards", async () => {
    tellOnFailure();
    const report = await joinStorm(platform, { sockets: 40 });
    expect(report).toMatchObject({ joins: 2_000, slowed: 40, viewers: 20 });
  }, 120_000);
});

describe("a frame of 2 MB", () => {
  test.each([
    ["text", `42["live:message",{"roomId":"besar","message":"${"a".repeat(2_000_000)}"}]`],
    ["binary", Buffer.alloc(2_000_000)],
  ])("of %s closes its own connection as too big, and nobody else's", async (_, frame) => {
    tellOnFailure();
    const crowd = await gather(platform, "besar", 3);
    const code = await new Promise<number>((done) => {
      const url = `ws://127.0.0.1:${platform.port}/socket.io/?EIO=4&transport=websocket`;
      const bad = new WebSocket(url);
      bad.on("error", () => undefined);
      bad.once("close", done);
      bad.on("message", (data) => {
        if (data.toString().startsWith("0")) bad.send("40");
        if (data.toString().startsWith("40")) bad.send(frame);
      });
    });
    expect(code).toBe(1009);
    const [speaker, ...others] = crowd;
    await speaker?.socket.ask("live:message", { roomId: "besar", message: "tetap di sini" });
    await eventually("the others hear each other", async () =>
      others.every(({ heard }) => heard.has("tetap di sini")),
    );
    expect(crowd.map(({ socket }) => socket.connects)).toEqual([1, 1, 1]);
    for (const { socket } of crowd) socket.close();
  });
});

describe("a forged session id", () => {
  test("of whatever shape is an unknown session to polls, posts and upgrades", async () => {
    tellOnFailure();
    for (const [sid, found] of await tryForgedSessions(platform)) {
      expect({ sid, found }).toEqual({ sid, found: [400, 1, 400, 400] });
    }
  });

  test("in a CONNECT packet recovers nothing: the socket is a new guest in no room", async () => {
    tellOnFailure();
    const [viewer] = await gather(platform, "curian", 1);
    const url = `ws://127.0.0.1:${platform.port}`;
    const auth = { pid: "AAAAAAAAAAAAAAAAAAAA", offset: "1" };
    const thief = await new LiveSocket({ url, auth }).opened();
    const counted = await thief.ask("live:join", { roomId: "lain" });
    expect(counted).toMatchObject({ success: true, count: 1 });
    for (const socket of [thief, viewer?.socket]) socket?.close();
  });
});

describe("a log-out", () => {
  test("closes the user's socket at once, with the reason; the client does not come back", async () => {
    tellOnFailure();
    const { token } = await signUp(platform);
    const told: unknown[] = [];
    const socket = await new LiveSocket({
      url: `ws://127.0.0.1:${platform.port}`,
      auth: { token },
      hear: (event, payload) => event === "error" && told.push(payload.code),
    }).opened();
    const response = await fetch(`${platform.app}/api/auth/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    await eventually("the socket to be closed", async () => !socket.isOpen, 5_000);
    expect(told).toEqual(["bad_token"]);
    expect(socket.ended).not.toBeNull();
  });
});
