import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { NO_AVATAR } from "./avatars.ts";
import { rankFans, rankHosts } from "./ranking.ts";
import { at, booksOf, giftAt, quietDay } from "./test-gifts.ts";
import { withinOneHour } from "./testing/one-hour.ts";

const execute = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

/** That day's clock in Jakarta. */
const clock = (day: string, time: string) => new Date(`${day}T${time}+07:00`);
const shift = (day: string, days: number) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

const coinsOf = (ranked: { id: number; coins: number }[]) =>
  ranked.map(({ id, coins }) => [id, coins]);

async function people(count: number): Promise<TestUser[]> {
  return await Promise.all(Array.from({ length: count }, () => createUser()));
}

describe("the ranking of a host's fans", () => {
  test("names the best first, each once, with what the app shows and nothing private", () =>
    withinOneHour(async () => {
      const [host, first, second, rival] = await people(4);
      if (!host || !first || !second || !rival) throw new Error("no people");
      await execute(sql`update identity_users set avatar_url = '/uploads/avatars/1/a.jpg', level = 7
      where id = ${first.userId}`);
      const now = new Date();
      await giftAt(now, second.userId, host.userId, { quantity: 2 });
      await giftAt(now, first.userId, host.userId, { quantity: 1 });
      await giftAt(now, first.userId, host.userId, { giftId: "cake" });
      await giftAt(now, rival.userId, first.userId, { giftId: "cake" });
      for (const period of ["hourly", "daily", "weekly", "all", "selamanya"]) {
        const { status, body } = await api(`/api/ranking/fans/${host.userId}?period=${period}`);
        expect(status).toBe(200);
        expect(body).toEqual({
          success: true,
          period,
          hostId: host.userId,
          data: [
            {
              rank: 1,
              id: first.userId,
              name: expect.any(String),
              avatar: `${testContext().config.APP_URL}/uploads/avatars/1/a.jpg`,
              level: 7,
              coins: 5100,
            },
            {
              rank: 2,
              id: second.userId,
              name: expect.any(String),
              avatar: NO_AVATAR,
              level: 1,
              coins: 200,
            },
          ],
        });
      }
      expect((await api(`/api/ranking/fans/${host.userId}`)).body.period).toBe("daily");
    }));

  test("counts Jakarta's hour and day to the second, and a week of 7 times 24 hours to the hour", async () => {
    const [host, fan] = await people(2);
    if (!host || !fan) throw new Error("no people");
    const day = quietDay();
    const gift = (moment: Date, quantity: number) =>
      giftAt(moment, fan.userId, host.userId, { quantity });
    await gift(clock(shift(day, -7), "13:59:59.999"), 900);
    await gift(clock(shift(day, -7), "14:00:00"), 300);
    await gift(clock(shift(day, -7), "23:59:59.999"), 200);
    await gift(clock(shift(day, -6), "00:00:00"), 100);
    await gift(clock(shift(day, -1), "23:59:59.999"), 50);
    await gift(clock(day, "00:00:00"), 10);
    await gift(clock(day, "13:59:59.999"), 5);
    await gift(clock(day, "14:00:00"), 1);
    const ctx = at(clock(day, "14:30:00"));
    const of = async (period: string) => coinsOf(await rankFans(ctx, host.userId, period));
    expect(await of("hourly")).toEqual([[fan.userId, 100]]);
    expect(await of("daily")).toEqual([[fan.userId, 1_600]]);
    expect(await of("weekly")).toEqual([[fan.userId, 66_600]]);
    expect(await of("all")).toEqual([[fan.userId, 156_600]]);
    const midnight = at(clock(shift(day, 1), "00:00:00"));
    expect(await rankFans(midnight, host.userId, "hourly")).toEqual([]);
    expect(await rankFans(midnight, host.userId, "daily")).toEqual([]);
    expect(coinsOf(await rankFans(midnight, host.userId, "weekly"))).toEqual([
      [fan.userId, 16_600],
    ]);
  });

  test("of the week holds the last seven days only, whatever days the gifts came on", async () => {
    const [host, early, steady] = await people(3);
    if (!host || !early || !steady) throw new Error("no people");
    const day = quietDay();
    const ids = [host.userId, early.userId, steady.userId];
    const week = async (today: string) =>
      coinsOf(await rankFans(at(clock(today, "20:00:00")), host.userId, "weekly"));
    await giftAt(clock(day, "08:00:00"), early.userId, host.userId, { quantity: 9 });
    for (const ahead of [0, 1, 3, 6, 7, 8, 12]) {
      await giftAt(clock(shift(day, ahead), "09:00:00"), steady.userId, host.userId);
      expect(await booksOf(ids)).toMatchObject({ wrong: [] });
    }
    // Late for its day: the isolate that took it was behind midnight.
    await giftAt(clock(shift(day, 11), "23:59:59.999"), early.userId, host.userId);
    await giftAt(clock(shift(day, 5), "23:59:59.999"), early.userId, host.userId);
    expect(await booksOf(ids)).toMatchObject({ wrong: [] });
    expect(await week(shift(day, 12))).toEqual([
      [steady.userId, 400],
      [early.userId, 200],
    ]);
    expect(await week(shift(day, 13))).toEqual([
      [steady.userId, 300],
      [early.userId, 100],
    ]);
    await giftAt(clock(shift(day, 30), "09:00:00"), early.userId, host.userId);
    expect(await week(shift(day, 30))).toEqual([[early.userId, 100]]);
    expect(await booksOf(ids)).toMatchObject({ wrong: [] });
  });

  test("of the week keeps the best hundred where some gave only in its first hours", async () => {
    const [host, late] = await people(2);
    const fans = await people(101);
    if (!host || !late) throw new Error("no people");
    const day = quietDay();
    const edge = clock(shift(day, -7), "20:00:00");
    for (const { userId } of fans) await giftAt(clock(day, "10:00:00"), userId, host.userId);
    await giftAt(edge, late.userId, host.userId, { quantity: 3 });
    const first = fans.at(-1)?.userId ?? 0;
    await giftAt(edge, first, host.userId, { quantity: 5 });
    const ranked = coinsOf(await rankFans(at(clock(day, "20:59:59")), host.userId, "weekly"));
    expect(ranked).toHaveLength(100);
    expect(ranked.slice(0, 3)).toEqual([
      [first, 600],
      [late.userId, 300],
      [Math.min(...fans.map(({ userId }) => userId)), 100],
    ]);
    const hourLater = at(clock(day, "21:00:00"));
    expect(coinsOf(await rankFans(hourLater, host.userId, "weekly"))).not.toContainEqual([
      late.userId,
      300,
    ]);
  });

  test("shows a hundred of more, and puts the older user first where coins are equal", async () => {
    const [host] = await people(1);
    const fans = await people(103);
    if (!host) throw new Error("no host");
    const day = quietDay();
    for (const { userId } of fans) await giftAt(clock(day, "10:00:00"), userId, host.userId);
    const ranked = await rankFans(at(clock(day, "11:00:00")), host.userId, "daily");
    const oldest = fans.map(({ userId }) => userId).sort((a, b) => a - b);
    expect(ranked.map(({ id }) => id)).toEqual(oldest.slice(0, 100));
    expect(ranked.map(({ rank }) => rank)).toEqual(oldest.slice(0, 100).map((_, i) => i + 1));
  });

  test.each(["abc", "1x", "-1", "0", "1.5", "99999999999999999999", "%00"])(
    "of host %j is refused in the contract's words",
    async (id) => {
      const { status, body } = await api(`/api/ranking/fans/${id}`);
      expect(status).toBe(400);
      expect(body).toEqual({
        success: false,
        message: "Invalid hostId parameter. Must be a valid user ID number.",
        data: [],
      });
    },
  );

  test("of a host whom nobody gave anything is empty", async () => {
    const { status, body } = await api("/api/ranking/fans/9007199254740991");
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      data: [],
      period: "daily",
      hostId: 9_007_199_254_740_991,
    });
  });
});

describe("the ranking of hosts", () => {
  test("sums each host's gifts of the period", async () => {
    const [star, other, fan] = await people(3);
    if (!star || !other || !fan) throw new Error("no people");
    const day = quietDay();
    const gift = (moment: Date, host: TestUser, fields: Parameters<typeof giftAt>[3]) =>
      giftAt(moment, fan.userId, host.userId, fields);
    await gift(clock(shift(day, -7), "09:59:59.999"), star, { giftId: "cake", quantity: 999 });
    await gift(clock(shift(day, -7), "10:00:00"), other, { giftId: "cake", quantity: 990 });
    await gift(clock(shift(day, -2), "12:00:00"), other, { giftId: "cake", quantity: 8 });
    await gift(clock(day, "09:00:00"), star, { giftId: "cupid", quantity: 3 });
    await gift(clock(day, "10:15:00"), star, { giftId: "burger" });
    await gift(clock(day, "10:20:00"), other, { giftId: "cupid" });
    const ctx = at(clock(day, "10:59:59"));
    const ours = async (period: Parameters<typeof rankHosts>[1]) =>
      coinsOf(await rankHosts(ctx, period)).filter(
        ([id]) => id === star.userId || id === other.userId,
      );
    expect(await ours("hourly")).toEqual([
      [star.userId, 2_999],
      [other.userId, 100],
    ]);
    expect(await ours("daily")).toEqual([
      [star.userId, 3_299],
      [other.userId, 100],
    ]);
    expect(await ours("weekly")).toEqual([
      [other.userId, 4_990_100],
      [star.userId, 3_299],
    ]);
    const ever = coinsOf(await rankHosts(ctx, "all"));
    expect(ever).toContainEqual([star.userId, 4_998_299]);
    expect(ever).toContainEqual([other.userId, 4_990_100]);
  });

  test("answers the contract's shape", async () => {
    const [host, fan] = await people(2);
    if (!host || !fan) throw new Error("no people");
    await giftAt(new Date(), fan.userId, host.userId, { giftId: "cake", quantity: 900 });
    const { status, body } = await api("/api/ranking/hosts?period=all");
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["success", "data", "period"]);
    const row = body.data.find(({ id }: { id: number }) => id === host.userId);
    expect(Object.keys(row)).toEqual(["rank", "id", "name", "avatar", "level", "coins"]);
    expect(row).toMatchObject({ coins: 4_500_000 });
  });
});
