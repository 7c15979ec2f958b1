import { decodeJwt, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { WebSocket } from "ws";
import { gather, signUp } from "./faults/live.ts";
import { joinStorm, tryForgedSessions } from "./faults/live-storm.ts";
import { LiveSocket } from "./live-socket.ts";
import { eventually, type Platform, startPlatform } from "./platform.ts";

/** What connections and tokens end by, on one platform: floods, frames, forgeries, a log-out, time. */
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 240_000);

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
  }, 240_000);
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
    await eventually("the socket to be closed", async () => !socket.isOpen, 20_000);
    expect(told).toEqual(["bad_token"]);
    expect(socket.ended).not.toBeNull();
  });
});

const LIFE_S = 8;

/** The same sign-in with a token that is good for some seconds more. */
async function shortened(token: string): Promise<{ token: string; endsAt: number }> {
  const [kid = "", secret = ""] = platform.jwtKeys.split(",")[0]?.split(":") ?? [];
  const exp = Math.floor(Date.now() / 1_000) + LIFE_S;
  const short = await new SignJWT({ ...decodeJwt(token), exp })
    .setProtectedHeader({ alg: "HS256", kid })
    .sign(new TextEncoder().encode(secret));
  return { token: short, endsAt: exp * 1_000 };
}

async function open(token: string) {
  const errors: unknown[] = [];
  const socket = await new LiveSocket({
    url: `ws://127.0.0.1:${platform.port}`,
    auth: { token },
    hear: (event, payload) => event === "error" && errors.push(payload.code),
  }).opened();
  return { socket, errors };
}

describe("a token that expires while its sockets are connected", () => {
  test("ends them then, also one that says nothing: told why, no gift taken after, and they stay away", async () => {
    onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
    const roomId = "kedaluwarsa";
    const [host, fan] = [await signUp(platform), await signUp(platform)];
    const [viewer] = await gather(platform, roomId, 1);
    const lasting = await open(fan.token);
    const { token, endsAt } = await shortened(fan.token);
    const [talker, silent] = [await open(token), await open(token)];
    const give = (key: string) =>
      talker.socket.ask("live:gift", {
        ...{ roomId, to: { userId: host.userId }, gift: { id: "cupid" }, count: 1, key },
      });
    await talker.socket.ask("live:join", { roomId });
    expect(await give("sebelum")).toMatchObject({ success: true });
    await eventually(
      "the silent socket to be closed",
      async () => silent.socket.ended !== null,
      30_000,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
    expect(Date.now() - endsAt).toBeLessThan(10_000);
    expect(await give("sesudah")).toBeNull();
    await eventually("the other to be closed", async () => talker.socket.ended !== null, 20_000);
    expect([silent.errors, talker.errors]).toEqual([["bad_token"], ["bad_token"]]);
    const gifts = await platform.sql("select key from live_gifts where sender_id = $1", [
      fan.userId,
    ]);
    expect(gifts).toHaveLength(1);
    expect([viewer?.socket.isOpen, lasting.socket.isOpen]).toEqual([true, true]);
    const again = new LiveSocket({ url: `ws://127.0.0.1:${platform.port}`, auth: { token } });
    await eventually("the token to be refused", async () => again.ended !== null, 20_000);
    expect(again.ended).toContain("bad_token");
    for (const { socket } of [lasting, ...(viewer ? [viewer] : [])]) socket.close();
  }, 240_000);
});
