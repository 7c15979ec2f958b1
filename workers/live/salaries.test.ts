import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createUser, type TestUser } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import {
  coinsOf,
  createAgency,
  createHost,
  execute,
  get,
  giveCoins,
  joinAgency,
  joinedAt,
  pastSession,
  post,
  query,
  refused,
  type TestAgency,
  told,
} from "./testing/people.ts";

const ASK = "/api/agency/salary-request";
const LONG_AGO = new Date("2020-01-01T00:00:00+07:00");
/** ISO week 20 of 2026 in Jakarta: Monday 11 May to Sunday 17 May. */
const WEEK = { year: 2026, weekNumber: 20 };
const at = (text: string) => new Date(`${text}+07:00`);

async function oldHost(agency: TestAgency): Promise<TestUser> {
  const host = await createUser();
  await joinedAt(await joinAgency(host, agency), LONG_AGO);
  return host;
}

const ask = (host: TestUser, changes: Record<string, unknown> = {}) =>
  post(ASK, host, { salaryAmount: 500, ...WEEK, ...changes });
const decide = (by: TestUser, id: unknown, decision = "approve") =>
  post(`${ASK}/${id}/${decision}`, by);

async function asked(agency: TestAgency, coins = 0): Promise<{ host: TestUser; id: number }> {
  if (coins > 0) await giveCoins(agency.owner, coins);
  const host = await oldHost(agency);
  const { body } = await ask(host);
  return { host, id: body.data.id };
}

async function statusOf(id: number) {
  const [row] = await query(
    sql`select status, approved_at is not null as decided from live_salary_requests where id = ${id}`,
    z.object({ status: z.string(), decided: z.boolean() }),
  );
  return row?.status;
}

describe("POST /api/agency/salary-request", () => {
  it("counts the week's lives and minutes itself, in one round trip", async () => {
    const agency = await createAgency();
    const host = await oldHost(agency);
    for (const [start, seconds] of [
      ["2026-05-10T23:59:59", 6_000],
      ["2026-05-11T00:00:00", 100],
      ["2026-05-17T23:59:59", 90],
      ["2026-05-13T12:00:00", 0],
      ["2026-05-18T00:00:00", 6_000],
    ] as const) {
      await pastSession(host, { start: at(start), seconds });
    }
    const trips = await roundTrips(async () => {
      const answer = await ask(host, { totalLives: 99, totalMinutes: 9_999 });
      expect(told(answer)).toEqual({
        status: 200,
        body: {
          success: true,
          message: "Salary request submitted",
          data: {
            id: expect.any(Number),
            host_id: host.userId,
            agency_id: agency.id,
            year: 2026,
            week_number: 20,
            salary_amount: 500,
            total_lives: 2,
            total_minutes: 3,
            status: "pending",
            created_at: expect.stringMatching(/Z$/),
            approved_at: null,
          },
        },
      });
    });
    expect(trips).toBe(1);
    const listed = await get(`/api/agency/${agency.id}/salary-requests`, agency.owner);
    expect(listed.body.data).toMatchObject([
      {
        host_id: host.userId,
        host_name: expect.stringContaining("Uji"),
        week_number: 20,
        salary_amount: 500,
        total_lives: 2,
        status: "pending",
      },
    ]);
  });

  it("counts from the membership on, and knows the first week of a year", async () => {
    const agency = await createAgency();
    const host = await createUser();
    await joinedAt(await joinAgency(host, agency), at("2025-12-31T12:00:00"));
    await pastSession(host, { start: at("2025-12-31T11:59:59"), seconds: 600 });
    await pastSession(host, { start: at("2026-01-01T00:00:00"), seconds: 60 });
    const { body } = await ask(host, { year: 2026, weekNumber: 1 });
    expect(body.data).toMatchObject({ total_lives: 1, total_minutes: 1 });
    expect(told(await ask(host, { year: 2025, weekNumber: 52 }))).toEqual(
      refused(400, "You joined the agency after that week"),
    );
    expect(told(await ask(host, { year: 2025, weekNumber: 53 }))).toEqual(
      refused(400, "There is no such week in that year"),
    );
  });

  it("means the current week when none is named, and refuses one that has not begun", async () => {
    const host = await createHost(await createAgency());
    const now = await post(ASK, host, { salaryAmount: 1 });
    expect(now.body.data).toMatchObject({ total_lives: 0, status: "pending" });
    expect(told(await ask(host, { year: 2100, weekNumber: 1 }))).toEqual(
      refused(400, "The week has not begun"),
    );
  });

  it("is one request a host and week, of five at once as well; a rejected one may be asked again", async () => {
    const agency = await createAgency();
    const host = await oldHost(agency);
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(host)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
    const { id } = answers.find(({ status }) => status === 200)?.body.data ?? {};
    expect(told(await ask(host))).toEqual(
      refused(409, "Salary for that week has already been requested"),
    );
    expect((await ask(host, { weekNumber: 21 })).status).toBe(200);
    await decide(agency.owner, id, "reject");
    expect((await ask(host)).status).toBe(200);
    expect((await ask(host)).status).toBe(409);
  });

  it("is for hosts of an agency, for whole coins within bounds", async () => {
    const agency = await createAgency();
    const host = await oldHost(agency);
    for (const salaryAmount of [0, -5, 1.5, "500", null, undefined, 1_000_000_001, 2 ** 60]) {
      expect((await ask(host, { salaryAmount })).status, String(salaryAmount)).toBe(400);
    }
    for (const weekNumber of [0, 54, -1, "20", 1.5]) {
      expect((await ask(host, { weekNumber })).status, String(weekNumber)).toBe(400);
    }
    expect(told(await ask(await createUser()))).toEqual(
      refused(403, "You are not a host of an agency"),
    );
    expect(told(await post(ASK, null, { salaryAmount: 1 }))).toEqual(
      refused(401, "No token provided"),
    );
    expect((await ask(host)).status).toBe(200);
  });
});

describe("a decision on a salary", () => {
  it("pays the host out of the owner's coins, in one round trip", async () => {
    const agency = await createAgency();
    const { host, id } = await asked(agency, 800);
    const trips = await roundTrips(async () => {
      expect(told(await decide(agency.owner, id))).toEqual({
        status: 200,
        body: { success: true, message: "Salary request approved" },
      });
    });
    expect(trips).toBe(1);
    expect([await coinsOf(agency.owner), await coinsOf(host)]).toEqual([300, 500]);
    expect(await statusOf(id)).toBe("approved");
  });

  it("that the owner cannot pay tells what is missing and leaves the request open", async () => {
    const agency = await createAgency();
    const { host, id } = await asked(agency, 499);
    expect(told(await decide(agency.owner, id))).toEqual(
      refused(400, "Saldo tidak cukup", { needed: 500, current: 499 }),
    );
    expect(await statusOf(id)).toBe("pending");
    await giveCoins(agency.owner, 1);
    expect((await decide(agency.owner, id)).status).toBe(200);
    expect([await coinsOf(agency.owner), await coinsOf(host)]).toEqual([0, 500]);
  });

  it("rejects without moving anything", async () => {
    const agency = await createAgency();
    const { host, id } = await asked(agency, 500);
    expect(told(await decide(agency.owner, id, "reject"))).toEqual({
      status: 200,
      body: { success: true, message: "Salary request rejected" },
    });
    expect([await coinsOf(agency.owner), await coinsOf(host)]).toEqual([500, 0]);
  });

  it("is the agency's alone to which the request was made", async () => {
    const [agency, other] = [await createAgency(), await createAgency()];
    const { host, id } = await asked(agency, 500);
    await giveCoins(other.owner, 500);
    const forbidden = refused(403, "Not authorized as agency");
    for (const by of [other.owner, host, await createUser()]) {
      for (const what of ["approve", "reject"]) {
        expect(told(await decide(by, id, what))).toEqual(forbidden);
        const alias = await post(`/api/agency/${agency.id}/salary-${what}`, by, { requestId: id });
        expect(told(alias)).toEqual(forbidden);
      }
    }
    const own = await post(`/api/agency/${other.id}/salary-approve`, other.owner, {
      requestId: id,
    });
    expect(told(own)).toEqual(forbidden);
    for (const missing of [2 ** 50, "x", "-1"]) {
      expect(told(await decide(agency.owner, missing))).toEqual(
        refused(404, "Salary request not found"),
      );
    }
    expect(await statusOf(id)).toBe("pending");
    expect(await coinsOf(other.owner)).toBe(500);
  });

  it("is made once: of four approvals and four rejections at once one wins, and coins move once or never", async () => {
    const agency = await createAgency();
    const { host, id } = await asked(agency, 5_000);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => decide(agency.owner, id, i % 2 ? "approve" : "reject")),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const status = await statusOf(id);
    expect(won[0]?.body.message).toBe(`Salary request ${status}`);
    for (const lost of answers.filter((answer) => answer !== won[0])) {
      expect(told(lost)).toEqual(refused(409, `Salary request already ${status}`));
    }
    const paid = status === "approved" ? 500 : 0;
    expect([await coinsOf(agency.owner), await coinsOf(host)]).toEqual([5_000 - paid, paid]);
  });

  it("pays once when ten approve at once", async () => {
    const agency = await createAgency();
    const { host, id } = await asked(agency, 5_000);
    const answers = await Promise.all(Array.from({ length: 10 }, () => decide(agency.owner, id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect([await coinsOf(agency.owner), await coinsOf(host)]).toEqual([4_500, 500]);
  });

  it("never pays more than there is, when many hosts are approved at once", async () => {
    const agency = await createAgency();
    const requests = [];
    for (let i = 0; i < 6; i += 1) requests.push(await asked(agency));
    await giveCoins(agency.owner, 1_600);
    const answers = await Promise.all(requests.map(({ id }) => decide(agency.owner, id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 400, 400, 400]);
    expect(await coinsOf(agency.owner)).toBe(100);
  });
});

describe("the shipped app's way to decide", () => {
  it("names the agency in the path and the request in the body", async () => {
    const agency = await createAgency();
    const path = `/api/agency/${agency.id}`;
    const [first, second] = [await asked(agency, 500), await asked(agency)];
    const approved = await post(`${path}/salary-approve`, agency.owner, { requestId: first.id });
    expect(approved.body).toEqual({ success: true, message: "Salary request approved" });
    const rejected = await post(`${path}/salary-reject`, agency.owner, {
      requestId: String(second.id),
    });
    expect(rejected.body).toEqual({ success: true, message: "Salary request rejected" });
    expect(await coinsOf(first.host)).toBe(500);
    for (const json of [{}, { requestId: null }, { requestId: "x" }, []]) {
      expect(told(await post(`${path}/salary-approve`, agency.owner, json))).toEqual(
        refused(400, "requestId is required"),
      );
    }
  });

  it("takes one round trip", async () => {
    const agency = await createAgency();
    const { id } = await asked(agency, 500);
    const trips = await roundTrips(() =>
      post(`/api/agency/${agency.id}/salary-approve`, agency.owner, { requestId: id }),
    );
    expect(trips).toBe(1);
  });
});

describe("a former agency", () => {
  it("still answers what was asked of it", async () => {
    const agency = await createAgency();
    const { host, id } = await asked(agency, 500);
    await execute(
      sql`update live_host_applications set ended_at = now(), end_reason = 'left' where host_id = ${host.userId}`,
    );
    expect((await decide(agency.owner, id)).status).toBe(200);
    expect(await coinsOf(host)).toBe(500);
  });
});
