import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { api, standIns } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { booksOf, coinsOf, createGiver } from "../test-gifts.ts";
import { execute, post } from "../testing/people.ts";
import { connectSocket, inLive } from "../testing/socket-client.ts";

const bearer = ({ token }: { token: string }) => ({
  headers: { authorization: `Bearer ${token}` },
});
const roomStub = (roomId: string) => env.ROOM.getByName(`live:${roomId}`);

async function databaseAway(on: boolean): Promise<void> {
  const body = JSON.stringify({ on, mode: "503" });
  await fetch(`${standIns().databaseHttpUrl}/_outage`, { method: "PUT", body });
}
afterEach(() => databaseAway(false));

/** A gift as the app sends it: everything claimed, the receiver's id as a string. */
const giftFor = (roomId: string, host: TestUser, fields: Record<string, unknown> = {}) => ({
  roomId,
  from: { userId: 1, username: "Palsu", avatar: "x", level: 99, vip: 5 },
  to: { userId: String(host.userId), username: "Palsu" },
  gift: {
    ...{ id: "cupid", name: "Palsu", price: 100, category: "luxury", hostShare: 0.9, count: 1 },
    ...{ hostIncome: 1_000_000, jpWin: true, lottie: { layers: "x".repeat(1_000) } },
  },
  count: 3,
  ...fields,
});

/** Host and giver in one room, and what both are called. */
async function party(coins: number) {
  const roomId = unique();
  const [host, giver] = [await createUser(), await createGiver(coins)];
  const hostSocket = await inLive(roomId, bearer(host));
  const socket = await inLive(roomId, bearer(giver));
  return { roomId, host, giver, hostSocket, socket };
}

describe("a gift over the socket", () => {
  it("is shown to the whole room as our own rows say, in the app's shape, after it was committed", async () => {
    const { roomId, host, giver, hostSocket, socket } = await party(1_000);
    const answer = await socket.ask("live:gift", giftFor(roomId, host));
    expect(answer).toMatchObject({ success: true, totalCost: 300, hostIncome: 30, balance: 700 });
    const username = expect.stringMatching(/^Uji /);
    const shown = {
      roomId,
      from: { userId: giver.userId, username, avatar: "", level: 1, vip: 0 },
      to: { userId: host.userId, username },
      gift: {
        ...{ id: "cupid", name: "Carousel", price: 100, category: "lucky", hostShare: 0.1 },
        ...{ hostIncome: 30, count: 3, jpWin: false, lottie: { layers: "x".repeat(1_000) } },
      },
      count: 3,
    };
    expect(await hostSocket.hears("live:gift-received")).toEqual(shown);
    expect(await socket.hears("live:gift-received")).toEqual(shown);
    expect(await coinsOf(giver.userId)).toBe(700);
  });

  it("over the balance is refused to its sender alone, with what it needs; the others of the window pass", async () => {
    const { roomId, host, giver, hostSocket, socket } = await party(250);
    const [first, second] = await Promise.all([
      socket.ask("live:gift", giftFor(roomId, host, { count: 2 })),
      socket.ask("live:gift", giftFor(roomId, host, { count: 1 })),
    ]);
    expect(first).toMatchObject({ success: true });
    expect(second).toMatchObject({
      ...{ success: false, code: "insufficient_balance", needed: 100, current: 50 },
    });
    expect(await socket.hears("error")).toMatchObject({ code: "insufficient_balance" });
    await hostSocket.hears("live:gift-received");
    expect(hostSocket.heard.filter(({ name }) => /gift|error/.test(name))).toEqual([]);
    expect(await coinsOf(giver.userId)).toBe(50);
  });

  it("is shown once, also when its sender repeats it while Postgres is away", async () => {
    const { roomId, host, hostSocket, socket } = await party(1_000);
    const gift = giftFor(roomId, host, { key: unique("k") });
    expect(await socket.ask("live:gift", gift)).toMatchObject({ success: true });
    await databaseAway(true);
    socket.emit("live:gift", gift);
    await socket.ask("live:message", { roomId, message: "lagi" });
    await runDurableObjectAlarm(roomStub(roomId));
    await databaseAway(false);
    await runDurableObjectAlarm(roomStub(roomId));
    await socket.ask("live:message", { roomId, message: "akhir" });
    const shown = () => hostSocket.heard.filter(({ name }) => /gift|message/.test(name));
    await expect.poll(shown).toHaveLength(3);
    expect(shown().filter(({ name }) => name === "live:gift-received")).toHaveLength(1);
  });

  it("of many givers at once spends what each has, to the coin, and every sender is answered", async () => {
    const roomId = unique();
    const host = await createUser();
    const givers = await Promise.all([120, 250, 999, 100].map((coins) => createGiver(coins)));
    const sockets = await Promise.all(givers.map((giver) => inLive(roomId, bearer(giver))));
    const answers = await Promise.all(
      sockets.flatMap((socket) =>
        Array.from({ length: 10 }, () =>
          socket.ask("live:gift", giftFor(roomId, host, { count: 1 })),
        ),
      ),
    );
    expect(answers.filter(({ success }) => success)).toHaveLength(1 + 2 + 9 + 1);
    const left = await Promise.all(givers.map(({ userId }) => coinsOf(userId)));
    expect(left).toEqual([20, 50, 99, 0]);
    const books = await booksOf([host.userId, ...givers.map(({ userId }) => userId)]);
    expect(books).toMatchObject({ coins: 0, wrong: [], gifts: 13 });
  });

  it.each([
    ["oneself", { to: { userId: "me" } }, "invalid_input"],
    ["nobody", { to: { userId: 999_999_999 } }, "not_found"],
    ["another price", { gift: { id: "cupid", price: 1 } }, "invalid_input"],
    ["an unknown gift", { gift: { id: "emas" } }, "not_found"],
    ["a negative count", { count: -5 }, "invalid_input"],
    ["a fraction", { count: 0.5 }, "invalid_input"],
  ])("to or with %s is refused and moves nothing", async (_, fields, code) => {
    const { roomId, host, giver, socket } = await party(1_000);
    const payload = giftFor(roomId, host, fields);
    if ("to" in fields && fields.to.userId === "me")
      payload.to = { userId: String(giver.userId), username: "" };
    expect(await socket.ask("live:gift", payload)).toMatchObject({ success: false, code });
    expect(await coinsOf(giver.userId)).toBe(1_000);
  });

  it("of a sign-in that has ended is refused, however shortly before it ended", async () => {
    const { roomId, host, giver, socket } = await party(1_000);
    await execute(
      sql`update identity_sessions set revoked_at = now() where id = ${giver.sessionId}`,
    );
    const answer = await socket.ask("live:gift", giftFor(roomId, host));
    expect(answer).toMatchObject({ success: false, code: "bad_token" });
    expect(await coinsOf(giver.userId)).toBe(1_000);
  });

  it("waits out a database that is away, evictions included, and is shown and answered once", async () => {
    const { roomId, host, giver, hostSocket, socket } = await party(1_000);
    await databaseAway(true);
    const answers = [1, 2].map(() => socket.ask("live:gift", giftFor(roomId, host, { count: 1 })));
    await socket.ask("live:message", { roomId, message: "sesudah" });
    await evictDurableObject(roomStub(roomId));
    await databaseAway(false);
    await runDurableObjectAlarm(roomStub(roomId));
    expect(await Promise.all(answers)).toMatchObject([{ success: true }, { success: true }]);
    await hostSocket.hears("live:gift-received");
    await hostSocket.hears("live:gift-received");
    await socket.ask("live:message", { roomId, message: "penutup" });
    while ((await hostSocket.hears("live:new-message")).message !== "penutup");
    expect(hostSocket.heard).toEqual([]);
    expect(await coinsOf(giver.userId)).toBe(800);
  });

  it("under the client's own key is one gift, also when it is sent again later", async () => {
    const { roomId, host, giver, hostSocket, socket } = await party(1_000);
    const payload = giftFor(roomId, host, { count: 1, key: "tap-1" });
    const first = await socket.ask("live:gift", payload);
    const again = await socket.ask("live:gift", payload);
    expect(again).toMatchObject({ success: true, giftRowId: first.giftRowId });
    await hostSocket.hears("live:gift-received");
    await socket.ask("live:message", { roomId, message: "penutup" });
    await hostSocket.hears("live:new-message");
    expect(hostSocket.heard).toEqual([]);
    expect(await coinsOf(giver.userId)).toBe(900);
  });

  it("under a key that another gift has is refused, together with it or later; each asker gets his own answer", async () => {
    const { roomId, host, giver, socket } = await party(1_000);
    const asked = (count: number) =>
      socket.ask("live:gift", giftFor(roomId, host, { count, key: "tap-2" }));
    const [first, other, again] = await Promise.all([asked(1), asked(2), asked(1)]);
    expect(first).toMatchObject({ success: true, totalCost: 100 });
    expect(other).toMatchObject({ success: false, code: "idempotency_mismatch" });
    expect(again).toMatchObject({ success: true, giftRowId: first.giftRowId });
    expect(await asked(3)).toMatchObject({ success: false, code: "idempotency_mismatch" });
    expect(await coinsOf(giver.userId)).toBe(900);
  });

  it("under one key is answered to every socket of its sender that asks, on whatever shard", async () => {
    const { roomId, host, giver, socket } = await party(1_000);
    const tablet = await inLive(roomId, { auth: { token: giver.token } });
    const payload = giftFor(roomId, host, { count: 1, key: "tap-3" });
    const answers = await Promise.all(
      [socket, tablet, socket, tablet].map((each) => each.ask("live:gift", payload)),
    );
    expect(new Set(answers.map(({ giftRowId }) => giftRowId))).toEqual(
      new Set([expect.any(Number)]),
    );
    expect(await coinsOf(giver.userId)).toBe(900);
  });

  it("is for who is in the room: from outside it is refused, shown to nobody and moves nothing", async () => {
    const { roomId, host, hostSocket } = await party(0);
    const stranger = await createGiver(1_000);
    const socket = await inLive(unique(), bearer(stranger));
    const refusal = { code: "forbidden", message: "Anda belum masuk ke ruangan ini" };
    const payload = giftFor(roomId, host);
    expect(await socket.ask("live:gift", payload)).toEqual({ success: false, ...refusal });
    expect(await socket.hears("error")).toEqual(refusal);
    expect(await coinsOf(stranger.userId)).toBe(1_000);
    await socket.ask("live:join", { roomId });
    expect(await socket.ask("live:gift", payload)).toMatchObject({ success: true });
    expect(await hostSocket.hears("live:gift-received")).toMatchObject({ count: 3 });
    expect(hostSocket.heard).toEqual([]);
  });

  it("to a host who is live in another room is shown there, not in the room that the giver names", async () => {
    const { roomId, host: offline, hostSocket: bystander, socket } = await party(1_000);
    const [host, stage] = [await createUser(), unique()];
    const hostSocket = await inLive(stage, bearer(host));
    await post("/api/live-session/start", host, { hostId: host.userId, roomId: stage });
    expect(await socket.ask("live:gift", giftFor(roomId, host))).toMatchObject({ success: true });
    expect(await hostSocket.hears("live:gift-received")).toMatchObject({
      ...{ roomId: stage, to: { userId: host.userId }, count: 3 },
    });
    await socket.ask("live:gift", giftFor(roomId, offline, { count: 1 }));
    expect(await bystander.hears("live:gift-received")).toMatchObject({ count: 1 });
  });
});

describe("a gift over REST", () => {
  it("in a party room is shown there, once", async () => {
    const roomId = unique();
    const [giver, singer] = [await createGiver(1_000), await createUser()];
    const sockets = await Promise.all([giver, singer].map((one) => connectSocket(bearer(one))));
    for (const socket of sockets) await socket.ask("party:join", { roomId, seat: null });
    const gift = { receiverId: singer.userId, giftId: "rose", roomId, quantity: 2 };
    for (let i = 0; i < 2; i += 1) {
      const headers = { "idempotency-key": "satu" };
      const sent = await api("/api/gifts/send", {
        ...{ method: "POST", token: giver.token, json: gift, headers },
      });
      expect(sent.status).toBe(200);
    }
    for (const socket of sockets) {
      expect(await socket.hears("live:gift-received")).toMatchObject({
        ...{ roomId, count: 2, from: { userId: giver.userId }, to: { userId: singer.userId } },
        gift: { id: "rose", price: 180 },
      });
      await socket.ask("party:message", { roomId, message: "terima kasih" });
      expect(socket.heard.map(({ name }) => name)).not.toContain("live:gift-received");
    }
  });

  it("is shown in the room of the host's live", async () => {
    const { roomId, host, giver, hostSocket } = await party(1_000);
    await post("/api/live-session/start", host, { hostId: host.userId, roomId });
    await hostSocket.hears("live:started");
    const { status } = await post("/api/gifts/send", giver, {
      ...{ receiverId: host.userId, giftId: "cupid", giftName: "Carousel", coinValue: 100 },
    });
    expect(status).toBe(200);
    expect(await hostSocket.hears("live:gift-received")).toMatchObject({
      ...{ roomId, count: 1, from: { userId: giver.userId }, to: { userId: host.userId } },
    });
  });
});
