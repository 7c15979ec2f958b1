import { sql } from "drizzle-orm";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";

const PATH = "/api/admin/topup/supplier/deposits";
const LIMIT = testContext().config.TOPUP_TWO_PERSON_ABOVE;
const admins: TestUser[] = [];

async function newAdmin(): Promise<TestUser> {
  const admin = await createUser(["admin"]);
  admins.push(admin);
  return admin;
}

/** What reconciliation would count on is not left to other tests. */
afterAll(async () => {
  const ids = admins.map(({ userId }) => userId).join(",");
  await testContext().db.run(
    rows(
      sql`delete from topup_supplier_deposits where actor_id = any (${`{${ids}}`}::bigint[])`,
      z.unknown(),
    ),
  );
});

const note = (admin: TestUser, json: Record<string, unknown>) =>
  api(PATH, { method: "POST", token: admin.token, json: { note: "Salah catat", ...json } });
const listed = async (admin: TestUser) =>
  z
    .array(z.object({ id: z.string() }))
    .parse((await api(PATH, { token: admin.token })).body.data)
    .map(({ id }) => id);

/** An amount that no other run asks for. */
const above = () => -(LIMIT + 1 + Math.floor(Math.random() * 1e9));

describe("POST /api/admin/topup/supplier/deposits", () => {
  it.each(["0001-01-01T00:00:00Z", new Date(Date.now() - 91 * 86_400_000).toISOString()])(
    "refuses a deposit of %s",
    async (paidAt) => {
      const { status, body } = await note(await newAdmin(), { amount: 1_000, paidAt });
      expect(status).toBe(400);
      expect(body.message).toContain("paidAt: must not be more than 90 days ago");
    },
  );

  it("wants a reason of every entry", async () => {
    expect((await note(await newAdmin(), { amount: -1_000, note: undefined })).status).toBe(400);
  });

  it("takes away what is above the limit only when two admins say so", async () => {
    const [one, other] = [await newAdmin(), await newAdmin()];
    const amount = above();
    const paidAt = new Date(Date.now() - 3_600_000).toISOString();
    const asked = (await note(one, { amount, paidAt })).body.data;
    expect(asked).toMatchObject({ amount, state: "waiting", actorId: one.userId });
    expect((await note(one, { amount })).body.data.state).toBe("waiting");
    const again = await note(other, { amount: amount - 1 });
    expect(again.body.data.state).toBe("waiting");
    expect(await listed(one)).not.toContain(asked.id);
    const { data } = (await note(other, { amount })).body;
    expect(data).toMatchObject({ amount, state: "noted", actorId: other.userId });
    expect(await listed(one)).toContain(data.id);
  });

  it("is not confirmed for one who is no admin any more", async () => {
    const [one, other, third] = [await newAdmin(), await newAdmin(), await newAdmin()];
    const amount = above();
    await note(one, { amount });
    const banned = sql`update identity_users set banned_at = now() where id = ${one.userId}`;
    await testContext().db.run(rows(banned, z.unknown()));
    expect((await note(other, { amount })).body.data.state).toBe("waiting");
    expect((await note(third, { amount })).body.data.state).toBe("noted");
  });

  it("counts together what one admin takes away in a day", async () => {
    const admin = await newAdmin();
    expect((await note(admin, { amount: -LIMIT })).body.data.state).toBe("noted");
    const rest = -Math.ceil(Math.random() * 400_000);
    expect((await note(admin, { amount: rest })).body.data.state).toBe("waiting");
    expect((await note(admin, { amount: LIMIT + 1 })).body.data.state).toBe("noted");
  });

  it("is confirmed by an admin who might take as much alone, and counts once", async () => {
    const [one, other, third] = [await newAdmin(), await newAdmin(), await newAdmin()];
    await note(one, { amount: -LIMIT });
    const amount = -Math.ceil(1 + Math.random() * 400_000);
    const paidAt = new Date(Date.now() - 3_600_000).toISOString();
    const asked = (await note(one, { amount, paidAt })).body.data;
    expect(asked.state).toBe("waiting");
    const { data } = (await note(other, { amount })).body;
    expect(data).toMatchObject({ state: "noted", actorId: other.userId });
    expect(Date.parse(data.paidAt)).toBe(Date.parse(paidAt));
    // Nothing is left to confirm.
    await note(third, { amount: -LIMIT });
    expect((await note(third, { amount })).body.data.state).toBe("waiting");
  });
});
