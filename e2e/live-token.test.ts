import { decodeJwt, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { gather, signUp } from "./faults/live.ts";
import { LiveSocket } from "./live-socket.ts";
import { eventually, type Platform, startPlatform } from "./platform.ts";

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);

afterAll(async () => {
  await platform?.stop();
});

const LIFE_S = 4;

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
      15_000,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
    expect(Date.now() - endsAt).toBeLessThan(10_000);
    expect(await give("sesudah")).toBeNull();
    await eventually("the other to be closed", async () => talker.socket.ended !== null, 5_000);
    expect([silent.errors, talker.errors]).toEqual([["bad_token"], ["bad_token"]]);
    const gifts = await platform.sql("select key from live_gifts where sender_id = $1", [
      fan.userId,
    ]);
    expect(gifts).toHaveLength(1);
    expect([viewer?.socket.isOpen, lasting.socket.isOpen]).toEqual([true, true]);
    const again = new LiveSocket({ url: `ws://127.0.0.1:${platform.port}`, auth: { token } });
    await eventually("the token to be refused", async () => again.ended !== null, 5_000);
    expect(again.ended).toContain("bad_token");
    for (const { socket } of [lasting, ...(viewer ? [viewer] : [])]) socket.close();
  }, 60_000);
});
