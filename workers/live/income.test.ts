import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { api, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { incomeByCategory, incomeOver, listIncome } from "./income.ts";
import { at, createGiver, giftAt, quietDay } from "./test-gifts.ts";
import { withinOneHour } from "./testing/one-hour.ts";

const PATHS = ["today", "week", "month", "category", "history"] as const;
const incomeOf = (path: string, hostId: number | string, user?: TestUser) =>
  api(`/api/host-income/${path}/${hostId}`, user ? { token: user.token } : {});

/** A request of that user at that moment of Jakarta's clock. */
const asAt = (user: TestUser, day: string, time: string) => ({
  ...at(`${day}T${time}+07:00`),
  actor: user,
});

describe("a host's income", () => {
  test("adds up by period and category, line by line, in the contract's shapes", () =>
    withinOneHour(async () => {
      const [host, fan] = [await createUser(), await createUser()];
      const now = new Date();
      await giftAt(now, fan.userId, host.userId, { giftId: "cute", quantity: 3 });
      await giftAt(now, fan.userId, host.userId, { giftId: "cupid" });
      const last = await giftAt(now, fan.userId, host.userId, { giftId: "burger", quantity: 3 });
      for (const period of ["today", "week", "month"]) {
        const { status, body } = await incomeOf(period, host.userId, host);
        expect(status).toBe(200);
        expect(body).toEqual({ success: true, total: 30 + 10 + 4_498 });
      }
      expect((await incomeOf("category", host.userId, host)).body).toEqual({
        success: true,
        data: { lucky: 10, "s-lucky": 30, luxury: 4_498, normal: 0 },
      });
      const { body } = await incomeOf("history", host.userId, host);
      expect(body.data).toHaveLength(3);
      expect(body.data[0]).toEqual({
        id: expect.any(Number),
        host_id: host.userId,
        gift_id: last.giftRowId,
        income: 4_498,
        type: "luxury",
        created_at: now.toISOString(),
        gift_name: "Burger",
        coin_value: 2_999,
        quantity: 3,
      });
    }));

  test("of today and of the calendar month ends where Jakarta's days end, of the week 7 times 24 hours ago", async () => {
    const [host, fan] = [await createUser(), await createUser()];
    const year = quietDay().slice(0, 4);
    for (const [moment, quantity] of [
      [`${year}-04-30T23:59:59.999+07:00`, 500],
      [`${year}-05-01T00:00:00+07:00`, 100],
      [`${year}-05-03T09:59:59.999+07:00`, 20],
      [`${year}-05-03T10:00:00+07:00`, 30],
      [`${year}-05-04T00:00:00+07:00`, 10],
      [`${year}-05-09T23:59:59.999+07:00`, 5],
      [`${year}-05-10T00:00:00+07:00`, 1],
    ] as const) {
      await giftAt(moment, fan.userId, host.userId, { quantity });
    }
    const ctx = () => asAt(host, `${year}-05-10`, "10:30:00");
    expect(await incomeOver(ctx(), host.userId, "today")).toBe(10);
    expect(await incomeOver(ctx(), host.userId, "week")).toBe(460);
    expect(await incomeOver(ctx(), host.userId, "month")).toBe(1_660);
    expect(await incomeByCategory(ctx(), host.userId)).toMatchObject({ lucky: 6_660 });
  });

  test("shows the newest 50 lines", async () => {
    const [host, fan] = [await createUser(), await createUser()];
    const ids: number[] = [];
    for (let i = 0; i < 52; i += 1) {
      ids.push((await giftAt(new Date(), fan.userId, host.userId)).giftRowId);
    }
    const lines = await listIncome({ ...testContext(), actor: host }, host.userId);
    expect(lines.map(({ gift_id }) => gift_id)).toEqual(ids.reverse().slice(0, 50));
  });

  test("is not made less by what he spends or takes out", async () => {
    const [host, fan, third] = [await createUser(), await createUser(), await createUser()];
    await giftAt(new Date(), fan.userId, host.userId, { giftId: "cake" });
    await giftAt(new Date(), host.userId, third.userId, { giftId: "cake" });
    await testContext().db.run(
      rows(
        sql`select ledger_transfer(${crypto.randomUUID()}, 'wallet', ${String(host.userId)}, 'gateway', 'coins',
          2500, 'Uji', 'COIN')`,
        z.unknown(),
      ),
    );
    expect((await incomeOf("week", host.userId, host)).body.total).toBe(2_500);
  });
});

describe.each(PATHS)("GET /api/host-income/%s", (path) => {
  test("is shown to the host, his agency's owner and admins, and to nobody else", async () => {
    const [host, fan, boss, admin] = [
      await createUser(),
      await createUser(),
      await createUser(),
      await createUser(["buyer", "admin"]),
    ];
    await giftAt(new Date(), fan.userId, host.userId);
    const stranger = await incomeOf(path, host.userId, boss);
    expect(stranger.status).toBe(403);
    expect(stranger.body).toEqual({ success: false, message: "Akses ditolak" });
    expect((await incomeOf(path, host.userId, fan)).status).toBe(403);
    expect((await incomeOf(path, host.userId, host)).status).toBe(200);
    expect((await incomeOf(path, host.userId, admin)).status).toBe(200);
    await join(boss, host);
    expect((await incomeOf(path, host.userId, boss)).status).toBe(200);
    expect((await incomeOf(path, fan.userId, boss)).status).toBe(403);
  });

  test("needs a token and a number", async () => {
    const user = await createUser();
    expect(await incomeOf(path, user.userId)).toMatchObject({
      status: 401,
      body: { success: false, message: "Token tidak ditemukan" },
    });
    expect(await api(`/api/host-income/${path}/1`, { token: "null" })).toMatchObject({
      status: 403,
      body: { success: false, message: "Token tidak valid" },
    });
    for (const id of ["abc", "1.5", "-1", "99999999999999999999"]) {
      const { status, body } = await incomeOf(path, id, user);
      expect(status).toBe(400);
      expect(body).toEqual({ success: false, message: "Invalid hostId parameter" });
    }
  });

  test("tells nothing about a number that nobody has", async () => {
    const user = await createUser();
    expect((await incomeOf(path, 9_007_199_254_740_991, user)).status).toBe(403);
  });
});

/** Makes the host a member of an agency of that owner. */
async function join(owner: TestUser, host: TestUser): Promise<void> {
  await testContext().db.run(
    rows(
      sql`with agency as (
          insert into live_agencies (id, user_id, family_name, region, phone, sealed_id_number, status, approved_at)
          values (${100_000 + Math.floor(Math.random() * 9_000_000)}, ${owner.userId}, 'Uji', 'Blitar', '0812', 'x',
            'approved', now()) returning id)
        insert into live_host_applications (host_id, agency_id, name, gender, sealed_id_number, status, approved_at)
        select ${host.userId}, id, 'Uji', 'laki-laki', 'x', 'approved', now() from agency`,
      z.unknown(),
    ),
  );
}

test("a giver sees his coins go and the host's profile grow", async () => {
  const [fan, host] = [await createGiver(12_000), await createUser()];
  await api("/api/gifts/send", {
    method: "POST",
    token: fan.token,
    json: { receiverId: host.userId, giftId: "burger", quantity: 3 },
  });
  const profileOf = async (user: TestUser) => (await api("/api/profile", user)).body.data;
  expect(await profileOf(fan)).toMatchObject({
    balance: 3_003,
    topupBalance: 3_003,
    totalXp: 8_997,
    userLevel: 8,
    hostIncome: 0,
    hostLevel: 0,
  });
  expect(await profileOf(host)).toMatchObject({
    balance: 4_498,
    totalXp: 0,
    userLevel: 0,
    hostIncome: 4_498,
    hostLevel: 8,
  });
});
