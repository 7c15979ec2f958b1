import { describe, expect, it } from "vitest";
import { createUser } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import {
  createAgency,
  createHost,
  get,
  joinAgency,
  joinedAt,
  pastSession,
  post,
  refused,
  told,
} from "./testing/people.ts";
import { ASK, ask, decide, oldHost } from "./testing/salaries.ts";

const at = (text: string) => new Date(`${text}+07:00`);

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
