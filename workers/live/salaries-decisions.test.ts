import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createUser } from "../testing/factories.ts";
import { roundTrips } from "../testing/round-trips.ts";
import {
  coinsOf,
  createAgency,
  execute,
  giveCoins,
  post,
  query,
  refused,
  told,
} from "./testing/people.ts";
import { asked, decide } from "./testing/salaries.ts";

async function statusOf(id: number) {
  const [row] = await query(
    sql`select status, approved_at is not null as decided from live_salary_requests where id = ${id}`,
    z.object({ status: z.string(), decided: z.boolean() }),
  );
  return row?.status;
}

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
      refused(400, "Insufficient balance", { needed: 500, current: 499 }),
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
