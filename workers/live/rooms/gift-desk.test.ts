import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { standIns } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { booksOf, coinsOf, createGiver } from "../test-gifts.ts";
import { execute, query } from "../testing/people.ts";
import type { RoomOp } from "./ops.ts";

const newRoom = () => env.ROOM.getByName(`live:${unique()}`);
type RoomStub = ReturnType<typeof newRoom>;

async function databaseAway(on: boolean): Promise<void> {
  const body = JSON.stringify({ on, mode: "503" });
  await fetch(`${standIns().databaseHttpUrl}/_outage`, { method: "PUT", body });
}
afterEach(() => databaseAway(false));

/** A Carousel, 100 coins, of which the host gets 10. */
function giftOf(
  sender: TestUser,
  host: TestUser,
  wish: { key?: string; count?: number } = {},
): RoomOp {
  const { userId: senderId, sessionId: authSessionId } = sender;
  return {
    kind: "gift",
    ...{ socket: unique("k"), ask: unique("a") },
    person: {
      key: `u:${senderId}`,
      userId: senderId,
      name: "U",
      avatar: null,
      level: 1,
      address: null,
      line: null,
      vip: 0,
    },
    wish: {
      ...{ key: unique("k"), senderId, authSessionId, receiverId: host.userId },
      ...{ giftId: "cupid", count: 1, coinValue: 100, ...wish },
    },
  };
}

/** Brings gifts to a room and waits until it has written what it can. */
async function bring(room: RoomStub, ...gifts: RoomOp[]): Promise<void> {
  for (const reply of await room.apply("s0", gifts)) expect(reply).toMatchObject({ ok: true });
  await runDurableObjectAlarm(room);
}

/** How many gifts the object keeps; one that has nothing left to keep has no tables either. */
const waiting = (room: RoomStub) =>
  runInDurableObject(room, (_, { storage: { sql } }) => {
    const isKept = sql.exec("select 1 from sqlite_master where name = 'gifts'").toArray();
    return isKept.length === 0 ? 0 : sql.exec("select key from gifts").toArray().length;
  });

const giftsTo = async (host: TestUser) => {
  const row = z.object({ n: z.number() });
  const [found] = await query(
    sql`select count(*)::int as n from live_gifts where receiver_id = ${host.userId}`,
    row,
  );
  return found?.n;
};

describe("the gifts of a room", () => {
  it("move coins once each, and an overdraft refuses that gift alone", async () => {
    const [rich, poor, host] = [
      await createGiver(1_000),
      await createGiver(150),
      await createUser(),
    ];
    const room = newRoom();
    await bring(room, giftOf(poor, host), giftOf(poor, host), giftOf(rich, host, { count: 3 }));
    expect([await coinsOf(rich.userId), await coinsOf(poor.userId)]).toEqual([700, 50]);
    expect(await waiting(room)).toBe(0);
    const books = await booksOf([rich, poor, host].map(({ userId }) => userId));
    expect(books).toEqual({ coins: 0, wrong: [], gifts: 2 });
  });

  it("are one gift under one key, when they were brought twice and when the object was evicted between", async () => {
    const [sender, host] = [await createGiver(1_000), await createUser()];
    const room = newRoom();
    const gift = giftOf(sender, host);
    await bring(room, gift, gift);
    await evictDurableObject(room);
    await bring(room, gift);
    expect(await coinsOf(sender.userId)).toBe(900);
  });

  it("wait in the object while Postgres is away, through an eviction, and are written when it is back", async () => {
    const [sender, host] = [await createGiver(1_000), await createUser()];
    const room = newRoom();
    await databaseAway(true);
    await bring(room, giftOf(sender, host), giftOf(sender, host), giftOf(sender, host));
    expect(await waiting(room)).toBe(3);
    await evictDurableObject(room);
    expect(await waiting(room)).toBe(3);
    await databaseAway(false);
    expect(await runDurableObjectAlarm(room)).toBe(true);
    expect([await waiting(room), await giftsTo(host), await coinsOf(sender.userId)]).toEqual([
      ...[0, 3, 700],
    ]);
  });

  it("of a sign-in that ended, or of a banned user, are refused alone; the others are written", async () => {
    const [gone, banned, good] = [
      await createGiver(1_000),
      await createGiver(1_000),
      await createGiver(1_000),
    ];
    const host = await createUser();
    await execute(
      sql`update identity_sessions set revoked_at = now() where id = ${gone.sessionId}`,
    );
    await execute(sql`update identity_users set banned_at = now() where id = ${banned.userId}`);
    const room = newRoom();
    await bring(room, giftOf(gone, host), giftOf(good, host), giftOf(banned, host));
    expect(await Promise.all([gone, banned, good].map(({ userId }) => coinsOf(userId)))).toEqual([
      ...[1_000, 1_000, 900],
    ]);
    expect(await waiting(room)).toBe(0);
  });

  it("do not come from another's session: the sign-in must be the sender's own", async () => {
    const [victim, thief, host] = [
      await createGiver(1_000),
      await createUser(),
      await createUser(),
    ];
    const room = newRoom();
    await bring(room, giftOf({ ...victim, sessionId: thief.sessionId }, host));
    expect(await coinsOf(victim.userId)).toBe(1_000);
  });
});

describe("a room's alarm", () => {
  it("stands while gifts wait, and a room that only was asked something stores nothing and sets none", async () => {
    const room = newRoom();
    expect([await room.viewerCount(), await room.viewers(), await room.messages()]).toEqual([
      ...[0, [], []],
    ]);
    const kept = await runInDurableObject(room, async (_, state) => [
      state.storage.sql.exec("select name from sqlite_master where name = 'members'").toArray(),
      await state.storage.getAlarm(),
    ]);
    expect(kept).toEqual([[], null]);
    const [sender, host] = [await createGiver(1_000), await createUser()];
    await databaseAway(true);
    await bring(room, giftOf(sender, host));
    const alarm = await runInDurableObject(room, (_, state) => state.storage.getAlarm());
    expect(alarm).toBeLessThanOrEqual(Date.now() + 5_000);
  });
});
