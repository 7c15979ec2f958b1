import { describe, expect, it } from "vitest";
import { createUser, unique } from "../testing/factories.ts";
import { coinsOf, createGiver } from "./test-gifts.ts";
import { post } from "./testing/people.ts";
import { inLive } from "./testing/socket-client.ts";

/** A giver in a host's room, and the two ways in which his app may give one gift under one key. */
async function ways(coins: number) {
  const [host, giver] = [await createUser(), await createGiver(coins)];
  const roomId = unique();
  const headers = { authorization: `Bearer ${giver.token}` };
  const socket = await inLive(roomId, { headers });
  const key = unique("k");
  const gift = { receiverId: host.userId, giftId: "cupid", coinValue: 100, quantity: 2, roomId };
  const asked = { roomId, to: { userId: host.userId }, gift: { id: "cupid", price: 100 }, key };
  return {
    ...{ giver, socket, roomId, gift },
    byRest: async (change: object = {}, named = key) =>
      (await post("/api/gifts/send", giver, { ...gift, ...change }, named)).body,
    bySocket: (room = roomId) => socket.ask("live:gift", { ...asked, roomId: room, count: 2 }),
  };
}

describe("a gift under one key", () => {
  it("is one gift by both ways, whichever was first: its first answer, paid and shown once", async () => {
    const { giver, socket, byRest, bySocket } = await ways(1_000);
    const first = await bySocket();
    const again = await byRest();
    expect(again).toMatchObject({ success: true, data: { giftId: first.giftRowId } });
    expect(await coinsOf(giver.userId)).toBe(800);
    await socket.ask("live:message", { roomId: unique(), message: "x" });
    expect(socket.heard.filter(({ name }) => name === "live:gift-received")).toHaveLength(1);

    const other = await ways(1_000);
    const { data } = await other.byRest();
    expect(await other.bySocket()).toMatchObject({ success: true, giftRowId: data.giftId });
    expect(await coinsOf(other.giver.userId)).toBe(800);
  });

  it("is one gift also when both ways come at once", async () => {
    const { giver, byRest, bySocket } = await ways(1_000);
    const [a, b, c, d] = await Promise.all([bySocket(), byRest(), bySocket(), byRest()]);
    const ids = [a.giftRowId, b.data.giftId, c.giftRowId, d.data.giftId];
    expect(new Set(ids).size).toBe(1);
    expect(await coinsOf(giver.userId)).toBe(800);
  });

  it("is one gift also where REST names no room, as the app does, whichever was first", async () => {
    const first = await ways(1_000);
    const { giftRowId } = await first.bySocket();
    expect(await first.byRest({ roomId: undefined })).toMatchObject({
      data: { giftId: giftRowId },
    });
    const other = await ways(1_000);
    const { data } = await other.byRest({ roomId: undefined });
    expect(await other.bySocket()).toMatchObject({ success: true, giftRowId: data.giftId });
    expect(await coinsOf(other.giver.userId)).toBe(800);
  });

  it("is shown in one room, though it was given in none: the first that is named with it is its own", async () => {
    const { giver, socket, byRest, bySocket, roomId, gift } = await ways(1_000);
    const { data } = await byRest({ roomId: undefined });
    const others = [unique(), unique()];
    const mismatch = { success: false, code: "idempotency_mismatch" };
    expect(await bySocket()).toMatchObject({ success: true, giftRowId: data.giftId });
    for (const other of others) {
      await socket.ask("live:join", { roomId: other });
      expect(await bySocket(other)).toMatchObject(mismatch);
    }
    expect(await bySocket()).toMatchObject({ success: true, giftRowId: data.giftId });
    expect(await byRest({ roomId: undefined })).toMatchObject({ data: { giftId: data.giftId } });
    await socket.ask("live:message", { roomId, message: "x" });
    const shown = socket.heard.filter(({ name }) => name === "live:gift-received");
    expect(shown.map(({ args }) => Object(args[0]).roomId)).toEqual([roomId]);
    expect(await coinsOf(giver.userId)).toBe(1_000 - gift.coinValue * gift.quantity);
  });

  it("is one gift also under the key that its answer named, by either way: it was a second one", async () => {
    const { giver, socket, byRest, bySocket, roomId, gift } = await ways(1_000);
    const named = await bySocket();
    expect(await bySocket()).toEqual(named);
    const keyless = { roomId, to: { userId: gift.receiverId }, gift: { id: "cupid" }, count: 2 };
    const first = await socket.ask("live:gift", keyless);
    expect(await socket.ask("live:gift", { ...keyless, key: first.key })).toEqual(first);
    expect(await byRest({}, first.key)).toMatchObject({ data: { giftId: first.giftRowId } });
    expect(await coinsOf(giver.userId)).toBe(600);
    expect(await byRest({}, named.key)).toMatchObject({ data: { giftId: named.giftRowId } });
    const outside = await socket.ask("live:gift", { ...keyless, count: 199, key: "besar" });
    expect(outside).toMatchObject({ success: false, key: "besar", code: "insufficient_balance" });
  });

  it("with other input by the other way is refused", async () => {
    const { giver, byRest, bySocket } = await ways(1_000);
    await bySocket();
    expect(await byRest({ quantity: 3 })).toMatchObject({ success: false });
    expect(await coinsOf(giver.userId)).toBe(800);
  });
});
