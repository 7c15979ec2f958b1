import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { withinOneHour } from "../testing/one-hour.ts";
import {
  createAgency,
  earned,
  execute,
  get,
  goLive,
  hostForm,
  joinAgency,
  joinedAt,
  pastSession,
  post,
  type TestAgency,
} from "../testing/people.ts";
import { agencyIncome, agencyLiveStats, agencyStats } from "./figures.ts";

/** A Wednesday in May 2026, at noon in Jakarta. */
const NOW = new Date("2026-05-20T12:00:00+07:00");
const LONG_AGO = new Date("2026-01-01T00:00:00+07:00");
const at = (day: string, time = "10:00:00") => new Date(`${day}T${time}+07:00`);
const whole = { page: 1, limit: 100 };

async function member(agency: TestAgency, since = LONG_AGO): Promise<TestUser> {
  const host = await createUser();
  await joinedAt(await joinAgency(host, agency), since);
  return host;
}

const asOf = (agency: TestAgency, now = NOW) => ({ ...testContext(agency.owner), now: () => now });
const statsOf = (agency: TestAgency) => agencyStats(asOf(agency), agency.id);
const incomeOf = (agency: TestAgency, period: string) =>
  agencyIncome(asOf(agency), { agencyId: agency.id, period, ...whole });
const livesOf = (agency: TestAgency, period: string) =>
  agencyLiveStats(asOf(agency), { agencyId: agency.id, period });

describe("an agency's income", () => {
  it("of two sessions and two income lines is their sum, not their product", async () => {
    const agency = await createAgency();
    const host = await member(agency);
    await pastSession(host, { start: at("2026-05-20"), seconds: 600, income: 70 });
    await pastSession(host, { start: at("2026-05-20", "11:00:00"), seconds: 600, income: 31 });
    await earned(host, "2026-05-20", 70, "luxury");
    await earned(host, "2026-05-20", 31, "lucky");
    const line = { host_id: host.userId, live_count: 2, total_income: 101, avg_income: 50 };
    expect(await incomeOf(agency, "daily")).toMatchObject([line]);
    const { body } = await get(`/api/agency/${agency.id}/hosts`, agency.owner);
    expect(body.data).toEqual([
      {
        id: host.userId,
        name: expect.any(String),
        avatar_url: expect.any(String),
        phone: null,
        total_lives: 2,
        total_income: 101,
        is_active: true,
      },
    ]);
    expect(await statsOf(agency)).toEqual({
      ...{ totalMembers: 1, thisWeekIncome: 101, lastMonthIncome: 0, thisMonthIncome: 101 },
    });
  });

  it("is cut by Jakarta's days, the seven days before today, and calendar months", async () => {
    const agency = await createAgency();
    const host = await member(agency);
    for (const [day, income] of [
      ["2026-03-31", 1],
      ["2026-04-01", 10],
      ["2026-04-30", 100],
      ["2026-05-01", 1_000],
      ["2026-05-12", 10_000],
      ["2026-05-13", 100_000],
      ["2026-05-20", 1_000_000],
    ] as const) {
      await earned(host, day, income);
    }
    expect(await statsOf(agency)).toEqual({
      totalMembers: 1,
      thisWeekIncome: 1_100_000,
      lastMonthIncome: 110,
      thisMonthIncome: 1_111_000,
    });
    const totals = await Promise.all(
      ["daily", "weekly", "monthly", "all", "x"].map((period) => incomeOf(agency, period)),
    );
    expect(totals.map(([line]) => line?.total_income)).toEqual([
      1_000_000, 1_100_000, 1_111_000, 1_111_111, 1_111_111,
    ]);
  });

  it("counts hosts from the approval on: not pending ones, not rejected ones, nothing of before", async () => {
    const agency = await createAgency();
    const host = await member(agency, at("2026-05-18", "15:00:00"));
    await execute(
      sql`update live_host_applications set income_before = 400 where host_id = ${host.userId}`,
    );
    await earned(host, "2026-05-17", 7_000);
    await earned(host, "2026-05-18", 500);
    await earned(host, "2026-05-19", 30);
    await pastSession(host, { start: at("2026-05-18", "14:59:59") });
    await pastSession(host, { start: at("2026-05-18", "15:00:00") });
    const [pending, rejected] = [await createUser(), await createUser()];
    for (const one of [pending, rejected]) {
      await post("/api/hosts/apply", one, hostForm(agency.id));
      await earned(one, "2026-05-19", 9_999);
    }
    await execute(
      sql`update live_host_applications set status = 'rejected' where host_id = ${rejected.userId}`,
    );
    expect(await statsOf(agency)).toMatchObject({ totalMembers: 1, thisMonthIncome: 130 });
    expect(await incomeOf(agency, "all")).toMatchObject([{ live_count: 1, total_income: 130 }]);
  });

  it("keeps what a host earned while he was there, and each host once who came back", async () => {
    const agency = await createAgency();
    const host = await member(agency, at("2026-05-10"));
    await earned(host, "2026-05-11", 100);
    await earned(host, "2026-05-12", 1_000);
    await earned(host, "2026-05-14", 5_000);
    await earned(host, "2026-05-15", 20_000);
    await execute(
      sql`update live_host_applications set ended_at = ${at("2026-05-12")}, end_reason = 'left', income_until_end = 300
        where host_id = ${host.userId}`,
    );
    expect(await statsOf(agency)).toMatchObject({ totalMembers: 0, thisMonthIncome: 400 });
    expect(await incomeOf(agency, "all")).toMatchObject([{ total_income: 400 }]);
    expect(await incomeOf(agency, "daily")).toEqual([]);
    const again = await joinAgency(host, agency);
    await joinedAt(again, at("2026-05-15"));
    await execute(sql`update live_host_applications set income_before = 2_000 where id = ${again}`);
    expect(await statsOf(agency)).toMatchObject({ totalMembers: 1, thisMonthIncome: 18_400 });
    expect(await incomeOf(agency, "all")).toMatchObject([{ total_income: 18_400 }]);
  });

  it("notes by itself what a host earned on his first and his last day", () =>
    withinOneHour(async () => {
      const agency = await createAgency();
      const host = await createUser();
      const today = (amount: number) =>
        execute(
          sql`insert into live_host_days (host_id, day, category, gifts, coins, income)
          values (${host.userId}, (now() at time zone 'Asia/Jakarta')::date, 'luxury', 1, ${amount * 2}, ${amount})
          on conflict on constraint live_host_days_pkey do update set income = live_host_days.income + excluded.income`,
        );
      const total = async () => {
        const { body } = await get(`/api/agency/${agency.id}/income/daily`, agency.owner);
        return body.data.map((line: { total_income: number }) => line.total_income);
      };
      await today(70);
      await joinAgency(host, agency);
      expect(await total()).toEqual([0]);
      await today(5);
      expect(await total()).toEqual([5]);
      await post("/api/hosts/leave", host);
      await today(900);
      expect(await total()).toEqual([5]);
      await joinAgency(host, agency);
      await today(20);
      expect(await total()).toEqual([25]);
    }));

  it("lists hosts by what they earned, in pages", async () => {
    const agency = await createAgency();
    const hosts = [await member(agency), await member(agency), await member(agency)];
    for (const [i, income] of [10, 30, 20].entries()) {
      await earned(hosts[i] as TestUser, "2026-05-20", income);
    }
    const order = [hosts[1], hosts[2], hosts[0]].map((host) => host?.userId);
    expect((await incomeOf(agency, "all")).map((line) => line.host_id)).toEqual(order);
    const second = await get(`/api/agency/${agency.id}/hosts?page=2&limit=2`, agency.owner);
    expect(second.body.data).toMatchObject([{ id: order[2] }]);
    const odd = await get(
      `/api/agency/${agency.id}/income?page=x&limit=-3&period=all`,
      agency.owner,
    );
    expect(odd.body.data).toHaveLength(3);
  });
});

describe("an agency's lives", () => {
  it("are counted with their viewers and minutes, the five busiest hosts first", async () => {
    const agency = await createAgency();
    const hosts = await Promise.all(Array.from({ length: 6 }, () => member(agency)));
    for (const [i, host] of hosts.entries()) {
      for (let n = 0; n <= i; n += 1) {
        const start = at("2026-05-20", `0${n}:00:00`);
        await pastSession(host, { start, seconds: 90, viewers: 10 });
      }
    }
    await pastSession(hosts[0] as TestUser, { start: at("2026-05-19", "23:59:59"), seconds: 900 });
    await pastSession(hosts[0] as TestUser, { start: at("2026-05-12", "23:59:59"), seconds: 900 });
    const daily = await livesOf(agency, "daily");
    expect(daily).toMatchObject({
      totalLives: 21,
      activeLives: 0,
      totalViewers: 210,
      avgDuration: 1.5,
    });
    expect(daily.topHosts.map((host) => host.live_count)).toEqual([6, 5, 4, 3, 2]);
    expect(daily.topHosts[0]).toEqual({
      ...{ name: expect.any(String), live_count: 6, total_viewers: 60, total_duration: 9 },
    });
    expect((await livesOf(agency, "weekly")).totalLives).toBe(22);
    expect((await livesOf(agency, "monthly")).totalLives).toBe(23);
  });

  it("that go on are active, with the most viewers seen so far", async () => {
    const agency = await createAgency();
    const host = await member(agency);
    const sessionId = await goLive(host);
    await execute(
      sql`update live_sessions set viewers_peak = 7, proven_ms = 120000,
        proven_at = start_time + interval '2 minutes' where id = ${sessionId}`,
    );
    const { body } = await get(`/api/agency/${agency.id}/live-stats`, agency.owner);
    expect(body.data).toMatchObject({
      ...{ totalLives: 1, activeLives: 1, totalViewers: 7, avgDuration: 2 },
    });
    const none = await createAgency();
    expect((await get(`/api/agency/${none.id}/live-stats/daily`, none.owner)).body).toEqual({
      success: true,
      data: { totalLives: 0, activeLives: 0, totalViewers: 0, avgDuration: 0, topHosts: [] },
    });
  });
});

describe("a live that nobody proved for a second", () => {
  it("is none: not in lists, not in statistics, and no divisor of the income", async () => {
    const agency = await createAgency();
    const host = await member(agency);
    await pastSession(host, { start: at("2026-05-20"), seconds: 0, viewers: 4 });
    await pastSession(host, { start: at("2026-05-20", "11:00:00"), seconds: 120, viewers: 2 });
    await earned(host, "2026-05-20", 70);
    await goLive(host);
    expect(await livesOf(agency, "all")).toMatchObject({
      ...{ totalLives: 1, activeLives: 0, totalViewers: 2, avgDuration: 2 },
      topHosts: [{ live_count: 1 }],
    });
    expect(await incomeOf(agency, "daily")).toMatchObject([{ live_count: 1, avg_income: 70 }]);
    const { body } = await get(`/api/agency/${agency.id}/hosts`, agency.owner);
    expect(body.data).toMatchObject([{ total_lives: 1 }]);
  });
});

describe("a host's phone number", () => {
  it("is shown to his agency by its ends alone", async () => {
    const agency = await createAgency();
    const host = await member(agency);
    const digits = String(host.userId).padStart(8, "0");
    await execute(
      sql`update identity_users set phone = ${`0812${digits}`} where id = ${host.userId}`,
    );
    const { body } = await get(`/api/agency/${agency.id}/hosts`, agency.owner);
    expect(body.data[0].phone).toBe(`081****${digits.slice(-3)}`);
  });
});
