import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { api } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { listContributions } from "./contributions.ts";
import { at, giftAt, quietDay } from "./test-gifts.ts";
import { execute } from "./testing/people.ts";

/** That day's clock in Jakarta. */
const clock = (day: string, time: string) => new Date(`${day}T${time}+07:00`);
const shift = (day: string, days: number) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

async function people(count: number): Promise<TestUser[]> {
  return await Promise.all(Array.from({ length: count }, () => createUser()));
}

describe("a host's contributions", () => {
  test("are his newest gifts in the contract's shape, and the whole period's coins", async () => {
    const [host, fan] = await people(2);
    if (!host || !fan) throw new Error("no people");
    const moment = new Date(Date.now() - 3 * 60_000);
    const first = await giftAt(moment, fan.userId, host.userId, { quantity: 3 });
    const last = await giftAt(new Date(), fan.userId, host.userId, { giftId: "burger" });
    const { status, body } = await api(`/api/contributions/${host.userId}?period=all`);
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      totalCoins: 3_299,
      period: "all",
      hostId: host.userId,
      data: [
        {
          id: last.giftRowId,
          giftName: "Burger",
          coins: 2_999,
          senderName: expect.stringContaining("Uji"),
          time: expect.stringMatching(/^\d+ detik yang lalu$/),
          timestamp: expect.stringMatching(/Z$/),
        },
        {
          id: first.giftRowId,
          giftName: "Carousel",
          coins: 300,
          senderName: expect.stringContaining("Uji"),
          time: "3 menit yang lalu",
          timestamp: moment.toISOString(),
        },
      ],
    });
  });

  test("total more than the hundred gifts that they show", async () => {
    const [host, fan] = await people(2);
    if (!host || !fan) throw new Error("no people");
    for (let i = 0; i < 103; i += 1) await giftAt(new Date(), fan.userId, host.userId);
    const { body } = await api(`/api/contributions/${host.userId}?period=weekly`);
    expect(body.data).toHaveLength(100);
    expect(body.totalCoins).toBe(10_300);
  });

  test("are those of Jakarta's day, of 7 and of 30 times 24 hours", async () => {
    const [host, fan] = await people(2);
    if (!host || !fan) throw new Error("no people");
    const day = quietDay();
    for (const [moment, quantity] of [
      [clock(shift(day, -30), "19:59:59.999"), 300],
      [clock(shift(day, -30), "20:00:00"), 200],
      [clock(shift(day, -29), "00:00:00"), 100],
      [clock(shift(day, -7), "19:59:59.999"), 40],
      [clock(shift(day, -7), "20:00:00"), 10],
      [clock(shift(day, -1), "23:59:59.999"), 10],
      [clock(day, "00:00:00"), 1],
    ] as const) {
      await giftAt(moment, fan.userId, host.userId, { quantity });
    }
    const ctx = at(clock(day, "20:00:00"));
    const of = async (period: string) => {
      const { data, totalCoins } = await listContributions(ctx, host.userId, period);
      expect(data.reduce((sum, { coins }) => sum + coins, 0)).toBe(totalCoins);
      return totalCoins;
    };
    expect(await of("daily")).toBe(100);
    expect(await of("weekly")).toBe(2_100);
    expect(await of("monthly")).toBe(36_100);
    expect(await of("lain")).toBe(66_100);
  });

  test("of somebody who is gone come from Anonymous", async () => {
    const [host, fan] = await people(2);
    if (!host || !fan) throw new Error("no people");
    await giftAt(new Date(), fan.userId, host.userId);
    await execute(sql`update identity_users set deleted_at = now() where id = ${fan.userId}`);
    const { body } = await api(`/api/contributions/${host.userId}`);
    expect(body.data).toMatchObject([{ senderName: "Anonymous" }]);
  });

  test("of no host are refused in the contract's words", async () => {
    const { status, body } = await api("/api/contributions/abc");
    expect(status).toBe(400);
    expect(body).toEqual({
      success: false,
      message: "Invalid hostId parameter",
      data: [],
      totalCoins: 0,
    });
  });
});
