import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api, testContext } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser, unique } from "../testing/factories.ts";
import { panelAudited, purgeAudit } from "./audit.ts";
import { createOperator, execute, trailOf } from "./testing/operators.ts";

const refused = (status: number, words: string) => ({
  status,
  body: failureBody("panel", status, words),
});

/** So many entries about one thing that no other test has. */
async function entries(count: number): Promise<string> {
  const id = unique("thing");
  const ctx = testContext();
  await ctx.db.batch(
    Array.from({ length: count }, (_, n) =>
      panelAudited(ctx, { action: "test.act", target: { type: "thing", id }, metadata: { n } }),
    ),
  );
  return id;
}

describe("GET /v1/audit/logs", () => {
  it("answers bare items, newest first, metadata as JSON in a text", async () => {
    const operator = await createOperator();
    const target_id = await entries(2);
    const { status, body } = await api(`/v1/audit/logs?target_id=${target_id}`, {
      token: operator.token,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [1, 0].map((n) => ({
        id: expect.any(Number),
        actor_user: "system",
        action: "test.act",
        target_type: "thing",
        target_id,
        metadata: `{"n": ${n}}`,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z$/),
      })),
    });
    expect(body.items[0].id).toBeGreaterThan(body.items[1].id);
  });

  it("writes null metadata as the text null, and shows no other domain's entries", async () => {
    const [operator, id] = [await createOperator(), unique("thing")];
    const ctx = testContext();
    await ctx.db.run(panelAudited(ctx, { action: "test.act", target: { type: "thing", id } }));
    await execute(sql`insert into audit_entries (actor_kind, action, subject_kind, subject_id, outcome)
      values ('system', 'topup.order.refund', 'topup_order', ${id}, 'done')`);
    expect(await trailOf(operator, { target_id: id })).toMatchObject([{ metadata: "null" }]);
  });

  it.each([
    ["", 200],
    ["?limit=", 200],
    ["?limit=0", 200],
    ["?limit=-3", 200],
    ["?limit=abc", 200],
    ["?limit=1.5", 200],
    ["?limit=3", 3],
    ["?limit=501", 500],
    ["?limit=99999999999999999999", 500],
  ])("with %s answers at most %i", async (query, count) => {
    const operator = await createOperator();
    await entries(60);
    await execute(sql`insert into audit_entries (actor_kind, action, subject_kind, subject_id, outcome)
      select 'system', 'test.fill', 'panel_thing', 'fill', 'done' from generate_series(1, 501)`);
    const { body } = await api(`/v1/audit/logs${query}`, { token: operator.token });
    expect(body.items).toHaveLength(count);
  });

  it("pages by `before`, and filters by action, actor and time", async () => {
    const operator = await createOperator();
    const target_id = await entries(5);
    const first = await trailOf(operator, { target_id, limit: "3" });
    const rest = await trailOf(operator, { target_id, before: String(first[2]?.id) });
    expect([first.length, rest.length]).toEqual([3, 2]);
    expect(await trailOf(operator, { target_id, action: "test.other" })).toEqual([]);
    expect(await trailOf(operator, { target_id, actor_user: "system" })).toHaveLength(5);
    expect(await trailOf(operator, { target_id, actor_user: "usr_1" })).toEqual([]);
    expect(await trailOf(operator, { target_id, until: "2020-01-01T00:00:00Z" })).toEqual([]);
    expect(await trailOf(operator, { target_id, since: "2020-01-01T00:00:00Z" })).toHaveLength(5);
  });

  it.each([
    ["before=x", "invalid before"],
    ["since=gestern", "invalid time"],
  ])("refuses %s", async (query, words) => {
    const { token } = await createOperator();
    expect(await api(`/v1/audit/logs?${query}`, { token })).toMatchObject(refused(400, words));
  });

  it("is for operators alone: nobody else, not even the platform's admin", async () => {
    const admin = await createUser(["admin", "seller"]);
    expect(await api("/v1/audit/logs")).toMatchObject(refused(401, "unauthorized"));
    expect(await api("/v1/audit/logs", { token: admin.token })).toMatchObject(
      refused(403, "forbidden"),
    );
  });

  it("answers another method with 405 JSON, and an unknown path with 404 JSON", async () => {
    expect(await api("/v1/audit/logs", { method: "DELETE" })).toMatchObject(
      refused(405, "method not allowed"),
    );
    expect(await api("/v1/audit/typo")).toMatchObject(refused(404, "not found"));
    expect(await api("/v1")).toMatchObject(refused(404, "not found"));
  });
});

describe("the trail's end", () => {
  it("comes after the days that are kept, and for the panel's entries alone", async () => {
    const [operator, id] = [await createOperator(), unique("thing")];
    const ctx = testContext();
    const days = ctx.config.PANEL_AUDIT_DAYS;
    for (const [kind, age] of [
      ["panel_thing", days + 1],
      ["panel_thing", days - 1],
      ["market_thing", days + 1],
    ] as const) {
      await execute(sql`insert into audit_entries (actor_kind, action, subject_kind, subject_id, outcome, created_at)
        values ('system', 'test.old', ${kind}, ${id}, 'done', now() - make_interval(days => ${age}::int))`);
    }
    await purgeAudit(ctx);
    expect(await trailOf(operator, { target_id: id })).toHaveLength(1);
    const kept = await testContext().db.run({
      sql: "select count(*)::int from audit_entries where subject_id = $1",
      params: [id],
      arrayMode: true,
      map: (result) => result.rows[0],
    });
    expect(kept).toEqual([2]);
  });
});
