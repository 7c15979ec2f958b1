import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, settleBackground, standIns, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { booksOf, coinsOf, createGiver } from "./test-gifts.ts";
import { inParty } from "./testing/rounds.ts";

const execute = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

const give = (user: TestUser, json: unknown, key?: string) =>
  api("/api/gifts/send", {
    method: "POST",
    token: user.token,
    json,
    ...(key && { headers: { "idempotency-key": key } }),
  });

describe("GET /api/gifts", () => {
  test("lists the live catalogue at the app's prices", async () => {
    const { status, body } = await api("/api/gifts");
    expect(status).toBe(200);
    const listed = (list: { id: string; name: string; category: string; price: number }[]) =>
      list.map(({ id, name, category, price }) => `${category}: ${id} ${name} ${price}`).sort();
    expect(listed(body.data)).toEqual([
      "lucky: balon Unicorn 300",
      "lucky: cupid Carousel 100",
      "lucky: sweetheart Vacation 200",
      "luxury: burger Burger 2999",
      "luxury: cake Cake 5000",
      "s-lucky: cute Labu 100",
      "s-lucky: diamond Milk tea 100",
      "s-lucky: maxi Beach 250",
      "s-lucky: ring Yellow Duck 500",
    ]);
    expect(body.data[0]).toEqual({
      id: "cupid",
      name: "Carousel",
      category: "lucky",
      price: 100,
      hostShare: 0.1,
      scene: "live",
    });
    expect((await api("/api/gifts?scene=live")).body).toEqual(body);
  });

  test("lists a party's own prices", async () => {
    const { body } = await api("/api/gifts?scene=party");
    const prices = body.data.map(({ id, price }: { id: string; price: number }) => [id, price]);
    expect(Object.fromEntries(prices)).toEqual({
      cute: 50,
      diamond: 100,
      maxi: 150,
      ring: 200,
      cupid: 100,
      sweetheart: 250,
      balon: 500,
      burger: 2999,
      cake: 700,
      heart: 120,
      rose: 180,
    });
  });

  test("knows no other scene", async () => {
    const { status, body } = await api("/api/gifts?scene=pk");
    expect(status).toBe(400);
    expect(body).toEqual({ success: false, message: "scene harus live atau party" });
  });

  test("shows a new price from its hour on, and old gifts keep theirs", async () => {
    const giftId = unique("g");
    const version = (n: number, price: number, from: string, offered = true) =>
      execute(sql`insert into live_gift_catalogue
          (scene, gift_id, version, name, category, price, host_percent, is_offered, valid_from)
        values ('party', ${giftId}, ${n}, 'Uji', 'normal', ${price}, 50, ${offered}, ${from}::timestamptz)`);
    await version(1, 40, "2020-01-01T00:00:00Z");
    const [fan, host] = [await createGiver(1_000), await createUser()];
    const roomId = await inParty(fan, host);
    const gift = { receiverId: host.userId, giftId, scene: "party", roomId };
    const old = (await give(fan, gift)).body.data;
    await version(2, 60, "2021-01-01T00:00:00Z");
    await version(3, 900, "2099-01-01T00:00:00Z");
    expect((await give(fan, gift)).body.data).toMatchObject({ totalCost: 60, hostIncome: 30 });
    expect((await give(fan, { ...gift, coinValue: 40 })).body).toEqual({
      success: false,
      message: "Harga gift tidak sesuai",
    });
    const { body } = await api(`/api/host-income/history/${host.userId}`, host);
    expect(
      body.data.find(({ gift_id }: { gift_id: number }) => gift_id === old.giftId),
    ).toMatchObject({ coin_value: 40, income: 20 });
    await version(4, 60, "2022-01-01T00:00:00Z", false);
    expect((await give(fan, gift)).status).toBe(404);
  });
});

describe("POST /api/gifts/send", () => {
  test("answers the contract's shape and moves the coins", async () => {
    const [fan, host] = [await createGiver(10_000), await createUser()];
    const { status, body } = await give(fan, {
      receiverId: host.userId,
      giftId: "burger",
      giftName: "Burger",
      coinValue: 2999,
      quantity: 3,
      category: "luxury",
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: "Gift berhasil dikirim",
      data: {
        giftId: expect.any(Number),
        hostIncome: 4498,
        totalCost: 8997,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    });
    expect([await coinsOf(fan.userId), await coinsOf(host.userId)]).toEqual([1_003, 4_498]);
  });

  test("takes price, share and name from the catalogue, whatever is claimed beside", async () => {
    const [fan, host] = [await createGiver(10_000), await createUser()];
    const { body } = await give(fan, {
      receiverId: String(host.userId),
      giftId: "cute",
      giftName: "Emas",
      category: "luxury",
      hostShare: 1,
      senderId: host.userId,
    });
    expect(body.data).toMatchObject({ totalCost: 100, hostIncome: 10 });
    expect((await api(`/api/contributions/${host.userId}`)).body.data).toMatchObject([
      { giftName: "Labu", coins: 100 },
    ]);
  });

  test("takes the older form without an id by the gift's name", async () => {
    const [fan, host] = [await createGiver(10_000), await createUser()];
    const old = { receiverId: host.userId, giftName: "Unicorn", coinValue: 300, quantity: 2 };
    expect((await give(fan, old)).body.data).toMatchObject({ totalCost: 600, hostIncome: 60 });
  });

  test("costs one database round trip", async () => {
    const [fan, host] = [await createGiver(10_000), await createUser()];
    const { headers } = await give(fan, { receiverId: host.userId, giftId: "cute" });
    const id = headers.get("x-request-id");
    const answer = await fetch(`${standIns().databaseHttpUrl}/_counts?request_id=${id}`);
    expect(await answer.json()).toMatchObject({ count: 1 });
  });

  test("refuses an overdraft with what is needed and what is there", async () => {
    const [fan, host] = [await createGiver(4_999), await createUser()];
    const { status, body } = await give(fan, { receiverId: host.userId, giftId: "cake" });
    expect(status).toBe(400);
    expect(body).toEqual({
      success: false,
      message: "Saldo tidak cukup",
      needed: 5_000,
      current: 4_999,
    });
    expect(await coinsOf(fan.userId)).toBe(4_999);
  });

  test("refuses an unknown, a banned and a deleted receiver, and oneself", async () => {
    const fan = await createGiver(1_000);
    const [banned, deleted] = [await createUser(), await createUser()];
    await execute(sql`update identity_users set banned_at = now() where id = ${banned.userId}`);
    await execute(sql`update identity_users set deleted_at = now() where id = ${deleted.userId}`);
    for (const receiverId of [1, banned.userId, deleted.userId]) {
      const { status, body } = await give(fan, { receiverId, giftId: "cute" });
      expect(status).toBe(404);
      expect(body).toEqual({ success: false, message: "User tidak ditemukan" });
    }
    const self = await give(fan, { receiverId: fan.userId, giftId: "cute" });
    expect(self.status).toBe(400);
    expect(await coinsOf(fan.userId)).toBe(1_000);
  });

  const odd: Record<string, unknown>[] = [
    {},
    { receiverId: 5 },
    { giftId: "cute" },
    { receiverId: 5, giftId: "" },
    { receiverId: 5, giftId: 7 },
    { receiverId: null, giftId: "cute" },
    { receiverId: 5.5, giftId: "cute" },
    { receiverId: -5, giftId: "cute" },
    { receiverId: "5x", giftId: "cute" },
    { receiverId: 1e300, giftId: "cute" },
    ...[0, -1, 1.5, 1000, 1e16, "1", null, [], {}].map((quantity) => ({
      receiverId: 5,
      giftId: "cute",
      quantity,
    })),
    ...[0, -100, 99.5, "100", 1e300, null].map((coinValue) => ({
      receiverId: 5,
      giftId: "cute",
      coinValue,
    })),
    { receiverId: 5, giftId: "a\u0000" },
    { receiverId: 5, giftId: "cute", roomId: "x".repeat(5_000) },
    { receiverId: 5, giftId: "cute", scene: "toko" },
  ];
  test.each(odd)("refuses %j in the contract's words", async (json) => {
    const fan = await createGiver(1_000);
    const { status, body } = await give(fan, json);
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, message: expect.stringMatching(/.+/) });
    if (!JSON.stringify(json).includes("roomId")) {
      expect(body.message).toBe("Data gift tidak lengkap");
    }
    expect(await coinsOf(fan.userId)).toBe(1_000);
  });

  test("with a key answers the first gift again; with other input it is refused", async () => {
    const [fan, host] = [await createGiver(1_000), await createUser()];
    const [key, gift] = [unique("k"), { receiverId: host.userId, giftId: "cute" }];
    const all = await Promise.all(Array.from({ length: 8 }, () => give(fan, gift, key)));
    const [first] = all;
    for (const again of all) expect(again.body).toEqual(first?.body);
    const other = await give(fan, { ...gift, quantity: 2 }, key);
    expect(other.status).toBe(422);
    expect(await coinsOf(fan.userId)).toBe(900);
    expect(await booksOf([fan.userId, host.userId])).toMatchObject({
      coins: 0,
      wrong: [],
      gifts: 1,
    });
  });

  test("belongs to the session that the receiver has open", async () => {
    const [fan, host] = [await createGiver(1_000), await createUser()];
    const room = unique("ruang");
    const started = await api("/api/live-session/start", {
      method: "POST",
      token: host.token,
      json: { hostId: host.userId, roomId: room },
    });
    expect(started.status).toBe(200);
    await give(fan, { receiverId: host.userId, giftId: "cute", quantity: 2, roomId: room });
    const roomId = await inParty(fan, host);
    await give(fan, { receiverId: host.userId, giftId: "cute", scene: "party", roomId });
    await settleBackground();
    const [session] = await testContext().db.run(
      rows(
        sql`select gifts::int, coins::int, income::int from live_session_gifts
          where session_id = ${started.body.sessionId}`,
        z.unknown(),
      ),
    );
    expect(session).toEqual({ gifts: 1, coins: 200, income: 20 });
  });

  test("is closed to whoever has no valid session", async () => {
    const fan = await createGiver(1_000);
    const gift = { receiverId: 5, giftId: "cute" };
    expect(await api("/api/gifts/send", { method: "POST", json: gift })).toMatchObject({
      status: 401,
      body: { success: false, message: "Token tidak ditemukan" },
    });
    await execute(sql`update identity_sessions set revoked_at = now() where id = ${fan.sessionId}`);
    expect(await give(fan, gift)).toMatchObject({
      status: 403,
      body: { success: false, message: "Token tidak valid" },
    });
  });
});
