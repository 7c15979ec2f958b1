import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { giveGift } from "./give.ts";
import { coinsOf, createGiver } from "./test-gifts.ts";
import { inParty } from "./testing/rounds.ts";

const give = (user: TestUser, json: unknown, key?: string) =>
  api("/api/gifts/send", {
    method: "POST",
    token: user.token,
    json,
    ...(key && { headers: { "idempotency-key": key } }),
  });

describe("a gift over REST", () => {
  test("costs a party's price in a party room where both are, whatever the sender calls it", async () => {
    const [fan, host] = [await createGiver(1_000), await createUser()];
    const roomId = await inParty(fan, host);
    const gift = { receiverId: host.userId, giftId: "cute", roomId };
    const key = unique("k");
    for (const scene of [undefined, "party"]) {
      expect((await give(fan, { ...gift, scene }, scene && key)).body.data).toMatchObject({
        totalCost: 50,
      });
    }
    await env.ROOM.getByName(`party:${roomId}`).apply("s0", [{ kind: "roll", sockets: [] }]);
    expect((await give(fan, { ...gift, scene: "party" }, key)).body.data.totalCost).toBe(50);
    expect((await give(fan, gift)).body.data.totalCost).toBe(100);
    expect(await coinsOf(fan.userId)).toBe(800);
  });

  test("asks for its sender's sign-in with the gift itself, also where it asked for something before", async () => {
    const [fan, host] = [await createGiver(1_000), await createUser()];
    const { userId, sessionId } = fan;
    const ctx = testContext({ userId, sessionId, roles: [] });
    let asked = 0;
    ctx.db.guard({ statement: rows(sql`select 1 as one`, z.unknown()), passed: () => asked++ });
    const gift = { receiverId: host.userId, giftId: "cute", quantity: 1, roomId: unique("r") };
    await giveGift(ctx, gift, unique("k"));
    expect([asked, await coinsOf(userId)]).toEqual([2, 900]);
    await settleBackground();
  });

  test("is refused as a party's where sender or receiver is in no such room", async () => {
    const [fan, host, other] = [await createGiver(1_000), await createUser(), await createUser()];
    const gift = { receiverId: host.userId, giftId: "cute", scene: "party" };
    const outside = { success: false, message: "Anda belum masuk ke ruangan ini" };
    const absent = { success: false, message: "Penerima tidak ada di ruangan ini" };
    for (const [roomId, answer] of [
      [undefined, { status: 403, body: outside }],
      [unique("kosong"), { status: 403, body: outside }],
      [await inParty(host), { status: 403, body: outside }],
      [await inParty(fan, other), { status: 400, body: absent }],
    ] as const) {
      expect(await give(fan, { ...gift, roomId })).toMatchObject(answer);
    }
    expect(await coinsOf(fan.userId)).toBe(1_000);
  });
});
