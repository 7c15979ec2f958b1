import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { execute } from "../testing/operators.ts";
import { createServer } from "../testing/servers.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

const NOON = Date.UTC(2026, 10, 20, 5);
const DAY = 86_400_000;

/** Backups of one database, so many days old each; `proven` has the ages of those that are. */
async function backupsOf(server: string, ages: number[], proven: number[] = []): Promise<void> {
  for (const age of ages) {
    const at = new Date(NOON - age * DAY).toISOString();
    await execute(sql`insert into panel_backups (server_id, name, kind, subject, state, origin, file, bytes, plain_bytes,
        sha256, manifest_sha256, counts, created_at, last_proven_at)
      values (${server}, ${`b${age}`}, 'database', 'toko', 'stored', 'schedule', ${`/b/b${age}`}, 1, 1, 'x', 'x', '{}',
        ${at}::timestamptz, ${proven.includes(age) ? at : null}::timestamptz)`);
  }
}

async function letGo(server: string): Promise<number[]> {
  const found = await testContext().db.run(
    rows(
      sql`select b.name from panel_backups b where b.id in (select g from panel_backups_to_let_go(${server}) g)`,
      z.object({ name: z.string() }),
    ),
  );
  return found.map(({ name }) => Number(name.slice(1))).sort((a, b) => a - b);
}

const policy = (server: string, json: object, method = "PUT") =>
  api(`/v1/backup/policy?server=${server}`, {
    method,
    token: operator.token,
    ...(method === "GET" ? {} : { json }),
  });

const asked = async <T>(text: ReturnType<typeof sql>): Promise<T> => {
  const [row] = await testContext().db.run(
    rows(sql`select ${text} as answer`, z.object({ answer: z.unknown() })),
  );
  return row?.answer as T;
};

describe("GET and PUT /v1/backup/policy", () => {
  it("has defaults, changes what is given, and keeps the rest", async () => {
    const { id } = await createServer();
    const defaults = {
      enabled: true,
      state: true,
      sites: true,
      databases: true,
      hour: 2,
      keep_daily: 7,
      keep_weekly: 4,
      keep_monthly: 6,
      to_r2: true,
      prove_days: 7,
      unproven_days: 9,
    };
    expect((await policy(id, {}, "GET")).body).toEqual({ server_id: id, ...defaults });
    expect(await policy(id, { keep_daily: 3, hour: 5 })).toMatchObject({
      status: 200,
      body: { ...defaults, keep_daily: 3, hour: 5 },
    });
    expect((await policy(id, { to_r2: false })).body).toEqual({
      server_id: id,
      ...defaults,
      keep_daily: 3,
      hour: 5,
      to_r2: false,
    });
  });

  it.each<[object, string]>([
    [{ hour: 24 }, "invalid hour"],
    [{ keep_daily: 0 }, "invalid keep_daily"],
    [{ keep_weekly: 1.5 }, "invalid json body"],
    [{ prove_days: 7, unproven_days: 7 }, "unproven_days must be more than prove_days"],
    [{ hour: "2" }, "invalid json body"],
    [{ ran_on: "2020-01-01" }, "invalid json body"],
    [{ server_id: "srv_other" }, "invalid json body"],
  ])("refuses %j", async (json, error) => {
    const { id } = await createServer();
    const refused = await policy(id, json);
    expect(refused.status).toBe(400);
    expect([error, "invalid keep_weekly"]).toContain(refused.body.error);
  });
});

describe("retention", () => {
  it("keeps seven days, four weeks and six months, the newest of each", async () => {
    const { id } = await createServer();
    await backupsOf(
      id,
      Array.from({ length: 400 }, (_, age) => age),
      [0],
    );
    const gone = new Set(await letGo(id));
    const kept = Array.from({ length: 400 }, (_, age) => age).filter((age) => !gone.has(age));
    expect(kept.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Sundays behind them, then the last days of the months.
    const moments = kept.map((age) => new Date(NOON - age * DAY));
    expect(moments.slice(7).map((at) => at.toISOString().slice(0, 10))).toEqual(
      [
        "2026-11-08",
        "2026-11-01",
        "2026-10-31",
        "2026-09-30",
        "2026-08-31",
        "2026-07-31",
        "2026-06-30",
      ].filter((day) => moments.some((at) => at.toISOString().startsWith(day))),
    );
    expect(kept.length).toBeGreaterThanOrEqual(14);
    expect(kept.length).toBeLessThanOrEqual(17);
  });

  it("counts days, weeks and months from midnight in Jakarta, whatever the hour in UTC", async () => {
    const { id } = await createServer();
    await policy(id, { keep_daily: 2, keep_weekly: 0, keep_monthly: 2 });
    // The last minute of October, the first of November, and the two sides of the next midnight.
    const moments = [
      "2026-10-31T16:59",
      "2026-10-31T17:00",
      "2026-11-01T16:59",
      "2026-11-01T17:00",
    ];
    await backupsOf(
      id,
      moments.map((at) => (NOON - Date.parse(`${at}Z`)) / DAY),
    );
    const gone = (await letGo(id)).map((age) => new Date(NOON - age * DAY).toISOString());
    // Of the 1st its later one stays, of October the one of its last day.
    expect(gone.map((at) => at.slice(0, 16))).toEqual(["2026-10-31T17:00"]);
  });

  it("never lets the last proven one go, nor the newest", async () => {
    const { id } = await createServer();
    await policy(id, { keep_daily: 1, keep_weekly: 0, keep_monthly: 0 });
    await backupsOf(id, [0, 1, 2, 30, 60], [30, 60]);
    expect(await letGo(id)).toEqual([1, 2, 60]);
    await execute(
      sql`update panel_backups set prove_error = 'damaged' where server_id = ${id} and name = 'b30'`,
    );
    expect(await letGo(id)).toEqual([1, 2, 30]);
  });
});

describe("the minute's run", () => {
  it("orders each day's backups once, from the policy's hour on, and databases when they are known; nothing while its server is away", async () => {
    const { id } = await createServer();
    const at = new Date();
    at.setUTCHours(18, 59, 0, 0); // 01.59 in Jakarta
    const due = async (moment: Date) =>
      (
        await asked<{ server_id: string }[]>(
          sql`panel_backups_due(${moment.toISOString()}::timestamptz)`,
        )
      ).some(({ server_id }) => server_id === id);
    expect(await due(at)).toBe(false);
    at.setUTCHours(19, 0);
    expect(await due(at)).toBe(false);
    await execute(sql`update panel_servers set seen_at = now() where id = ${id}`);
    expect(await due(at)).toBe(true);
    const order = (databases: string[] | null) =>
      asked(
        sql`panel_backups_order(${JSON.stringify({ server_id: id, at: at.toISOString(), databases })}::jsonb)`,
      );
    await order(null);
    await order(["toko"]);
    await order(["toko"]);
    const names = await testContext().db.run(
      rows(
        sql`select kind, subject from panel_backups where server_id = ${id} order by kind`,
        z.object({ kind: z.string(), subject: z.string() }),
      ),
    );
    expect(names).toEqual([
      { kind: "database", subject: "toko" },
      { kind: "state", subject: "" },
    ]);
    expect(await due(at)).toBe(false);
    expect(await due(new Date(at.getTime() + DAY))).toBe(true);
    await policy(id, { enabled: false });
  });

  it("calls a backup unproven that nobody has proven for too long, and has it proven again after a week, once its server is there", async () => {
    const { id } = await createServer();
    await backupsOf(id, [3, 8, 12], [3, 8]);
    const at = new Date(NOON).toISOString();
    const open = sql`(select count(*)::int from panel_jobs p where p.server_id = ${id})`;
    await asked(sql`panel_backups_follow(${at}::timestamptz, 1000)`);
    expect(await asked(open)).toBe(0);
    await execute(sql`update panel_servers set seen_at = now() where id = ${id}`);
    await asked(sql`panel_backups_follow(${at}::timestamptz, 1000)`);
    await asked(sql`panel_backups_follow(${at}::timestamptz, 1000)`);
    const found = await testContext().db.run(
      rows(
        sql`select b.name, b.is_unproven, (select count(*)::int from panel_jobs p where p.command = 'backup.prove'
            and p.input->>'backupId' = b.id::text) as proofs
          from panel_backups b where b.server_id = ${id} order by b.created_at desc`,
        z.object({ name: z.string(), is_unproven: z.boolean(), proofs: z.number() }),
      ),
    );
    expect(found).toEqual([
      { name: "b3", is_unproven: false, proofs: 0 },
      { name: "b8", is_unproven: false, proofs: 1 },
      { name: "b12", is_unproven: true, proofs: 1 },
    ]);
  });
});

describe("what a server tells of its folder", () => {
  it("means nothing for backups older than an answer that left out the oldest", async () => {
    const { id } = await createServer();
    await backupsOf(id, [1, 2, 3, 9]);
    const told = (complete: object) => ({
      dir: "/b",
      unreadable: [],
      items: [1, 3].map((age) => ({
        ...{ backupId: crypto.randomUUID(), name: `b${age}`, file: `/b/b${age}` },
        ...{ kind: "database", subject: "toko", bytes: 1, plainBytes: 1, sha256: "x" },
        ...{ manifestSha256: "x", plainSha256: null, counts: {}, notes: [] },
        createdAt: new Date(NOON - age * DAY).toISOString(),
      })),
      ...complete,
    });
    const gone = async () =>
      await testContext().db.run(
        rows(
          sql`select b.name from panel_backups b where b.server_id = ${id} and not b.on_disk order by b.created_at desc`,
          z.object({ name: z.string() }),
        ),
      );
    const tell = async (what: object) =>
      await testContext().db.run(
        rows(
          sql`select panel_backups_told(${id}, ${JSON.stringify(what)}::jsonb)::text as x`,
          z.unknown(),
        ),
      );
    await tell(told({ complete: false }));
    expect(await gone()).toEqual([{ name: "b2" }]);
    await tell(told({}));
    expect(await gone()).toEqual([{ name: "b2" }, { name: "b9" }]);
  });
});
