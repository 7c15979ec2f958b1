import { runDurableObjectAlarm } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api, randomAddress, testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { endLapsedSessions } from "../sessions.ts";
import { ago, sessionOf, timePasses } from "../testing/hosts.ts";
import { execute } from "../testing/people.ts";
import { cutOff, roomStub } from "../testing/rounds.ts";
import { connectSocket, inLive } from "../testing/socket-client.ts";
import { addressKey } from "./home.ts";

/** What the app's host screen says of itself. */
const NOBODY = { name: "Loading...", userId: null };

/** A live that was started from an address, somebody who watches from elsewhere, and what brings the room's alarm. */
async function started() {
  const [host, roomId, address] = [await createUser(), unique(), randomAddress()];
  const json = { hostId: host.userId, roomId };
  await api("/api/live-session/start", { method: "POST", token: host.token, json, address });
  const watcher = await inLive(roomId, { name: "Ana", userId: 5 });
  const rings = () => runDurableObjectAlarm(roomStub(roomId));
  return { host, roomId, address, watcher, rings };
}

/** The same, proven by its host's screen. */
async function proven() {
  const stage = await started();
  const { roomId, address, rings, host } = stage;
  const screen = await inLive(roomId, { address, ...NOBODY });
  await rings();
  await expect.poll(() => sessionOf(host)).toMatchObject({ proven: true });
  return { ...stage, screen };
}

describe("a live whose host's app sends no token", () => {
  it("is proven by his screen's socket, which comes from his address, and by none from elsewhere", async () => {
    const { host, roomId, address, rings } = await started();
    await inLive(roomId, { address: randomAddress(), ...NOBODY });
    await rings();
    expect(await sessionOf(host)).toMatchObject({ proven: false });
    await inLive(roomId, { address, ...NOBODY });
    await rings();
    await expect.poll(() => sessionOf(host)).toMatchObject({ proven: true, viewers: 2 });
  });

  it("ends a minute after that one is gone, though another guest of his address stays and says the same", async () => {
    const { host, roomId, address, watcher, screen, rings } = await proven();
    await inLive(roomId, { address, ...NOBODY });
    screen.cut();
    await watcher.hears("live:user-left");
    await timePasses(roomId, host, 65);
    await rings();
    await watcher.hears("live:ended");
    expect(await sessionOf(host)).toMatchObject({ ended: true });
  });

  it.each([
    ["as the same socket", false],
    ["as a new one, where the room was cut off", true],
  ])(
    "goes on with his client's next connection, from another address, %s: its secret proves it",
    async (_, isCutOff) => {
      const { host, roomId, watcher, screen, rings } = await proven();
      screen.cut();
      await watcher.hears("live:user-left");
      await ago(host, 70);
      expect(await sessionOf(host)).toMatchObject({ fresh: false });
      if (isCutOff) await cutOff(roomId);
      const auth = { pid: screen.pid };
      const next = await connectSocket({ address: randomAddress(), auth });
      expect(next.id !== screen.id).toBe(isCutOff);
      await next.ask("user:join", { userId: null, username: "Loading..." });
      await rings();
      const back = () => sessionOf(host);
      await expect.poll(back, { timeout: 5_000 }).toMatchObject({ ended: false, fresh: true });
    },
  );

  it("ends a minute after he has gone over to a viewer's screen: the app keeps its one socket", async () => {
    const { host, roomId, watcher, screen, rings } = await proven();
    await screen.ask("live:leave", { roomId, userId: null, username: "Loading..." });
    await screen.ask("live:join", { roomId, userId: host.userId, username: "Host" });
    await timePasses(roomId, host, 65);
    await rings();
    await watcher.hears("live:ended");
    expect(await sessionOf(host)).toMatchObject({ ended: true });
  });

  it("is proven also where the word of its start was lost: the minute's sweep says from where it was asked for", async () => {
    const [host, roomId, from] = [await createUser(), unique(), randomAddress()];
    const address = addressKey(from);
    const input = { host_id: host.userId, claimed_id: host.userId, room_id: roomId, address };
    await execute(sql`select live_start_session(${JSON.stringify(input)}::jsonb)`);
    await inLive(roomId, { address: from, ...NOBODY });
    await ago(host, 50);
    await endLapsedSessions(testContext());
    await expect.poll(() => sessionOf(host)).toMatchObject({ proven: true });
  });
});
