import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { api, standIns, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { giftKey, sendGifts } from "../gifts.ts";
import { coinsOf, createGiver, giftOrder } from "../test-gifts.ts";
import { post } from "../testing/people.ts";
import { roomStub } from "../testing/rounds.ts";
import { inLive, type SocketClient } from "../testing/socket-client.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});

async function databaseAway(on: boolean): Promise<void> {
  const body = JSON.stringify({ on, mode: "503" });
  await fetch(`${standIns().databaseHttpUrl}/_outage`, { method: "PUT", body });
}
afterEach(() => databaseAway(false));

/** A host who is live, somebody who gives, and a key for one Carousel. */
async function scene() {
  const roomId = unique();
  const [host, giver] = [await createUser(), await createGiver(1_000)];
  const hostSocket = await inLive(roomId, bearer(host));
  await post("/api/live-session/start", host, { hostId: host.userId, roomId });
  const socket = await inLive(roomId, bearer(giver));
  return { roomId, host, giver, hostSocket, socket, key: unique("k") };
}

const byRest = (giver: TestUser, host: TestUser, key: string) =>
  api("/api/gifts/send", {
    ...{ method: "POST", token: giver.token, headers: { "idempotency-key": key } },
    json: { receiverId: host.userId, giftId: "cupid", coinValue: 100, quantity: 1 },
  });

/** How many gifts the host has been shown when a message that was said now has come to him. */
async function shownTo(host: SocketClient, by: SocketClient, roomId: string): Promise<number> {
  const message = unique("m");
  await by.ask("live:message", { roomId, message });
  const said = () =>
    host.heard.findIndex(
      ({ name, args }) => name === "live:new-message" && Object(args[0]).message === message,
    );
  await expect.poll(said).toBeGreaterThanOrEqual(0);
  return host.heard.filter(({ name }) => name === "live:gift-received").length;
}

describe("a gift that more than one tells of", () => {
  it("is shown once when it waits in its room and is sent over REST meanwhile", async () => {
    const { roomId, host, giver, hostSocket, socket, key } = await scene();
    await databaseAway(true);
    const payload = { roomId, to: { userId: host.userId }, gift: { id: "cupid" }, count: 1, key };
    const answer = socket.ask("live:gift", payload);
    await socket.ask("live:message", { roomId, message: "sesudah" });
    // The room tries again when the test says so.
    await runDurableObjectAlarm(roomStub(roomId));
    await runInDurableObject(roomStub(roomId), (_, { storage }) =>
      storage.setAlarm(Date.now() + 3_600_000),
    );
    await evictDurableObject(roomStub(roomId));
    await databaseAway(false);
    expect((await byRest(giver, host, key)).status).toBe(200);
    expect(await shownTo(hostSocket, socket, roomId)).toBe(1);
    await evictDurableObject(roomStub(roomId));
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await answer).toMatchObject({ success: true });
    expect(await shownTo(hostSocket, socket, roomId)).toBe(1);
    expect(await coinsOf(giver.userId)).toBe(900);
  });

  it("is shown when it is asked for again, where its writer did not live to tell, and once", async () => {
    const { roomId, host, giver, hostSocket, socket, key } = await scene();
    const order = { key: giftKey(giver.userId, key), giftId: "cupid", quantity: 1 };
    await sendGifts(testContext(), [giftOrder(giver.userId, host.userId, order)]);
    for (let i = 0; i < 3; i += 1) expect((await byRest(giver, host, key)).status).toBe(200);
    expect(await shownTo(hostSocket, socket, roomId)).toBe(1);
    expect(await coinsOf(giver.userId)).toBe(900);
  });
});
