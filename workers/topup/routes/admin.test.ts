import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { alertLowStock } from "../admin/stock.ts";
import { stockService } from "../testing/reseller.ts";

const PATH = "/api/admin/topup";
let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const get = (path: string, token = admin.token) => api(`${PATH}${path}`, { token });
const post = (path: string, json?: unknown, token = admin.token) =>
  api(`${PATH}${path}`, { method: "POST", token, ...(json ? { json } : {}) });
const execute = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

describe("a counted stock", () => {
  afterAll(async () => void (await stockService("prepaid")));
  const reason = "Stok opname";

  it("is adjusted atomically from many hands, with its history, and never below what orders hold", async () => {
    const { id: serviceId } = await stockService("prepaid", { stock: 5 });
    await execute(sql`update topup_services set reserved = 2 where id = ${serviceId}`);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => post("/stock", { serviceId, quantity: -1, reason })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 409, 409, 409]);
    expect((await post("/stock", { serviceId, quantity: 10, reason })).body.data).toEqual({
      stock: 12,
      oldStock: 2,
      reserved: 2,
    });
    const history = (await get(`/stock/${serviceId}`)).body.data;
    expect(history[0]).toMatchObject({
      type: "MANUAL_ADJUSTMENT",
      quantity: 10,
      oldStock: 2,
      newStock: 12,
      reason,
      actorId: admin.userId,
    });
    const trace = await testContext().db.run(auditOf({ kind: "topup_service", id: serviceId }));
    expect(trace[0]).toMatchObject({ before: { stock: 2 }, after: { stock: 12 }, reason });
    await execute(sql`update topup_services set reserved = 0 where id = ${serviceId}`);
  });

  it("has a history in which each change begins where the one before it ended, also of many at once", async () => {
    const { id: serviceId } = await stockService("prepaid", { stock: 50 });
    const changes = Array.from({ length: 40 }, (_, n) => (n % 2 ? 3 : -2));
    await Promise.all(changes.map((quantity) => post("/stock", { serviceId, quantity, reason })));
    const history: { oldStock: number; newStock: number }[] = (await get(`/stock/${serviceId}`))
      .body.data;
    const ours = history.slice(0, changes.length);
    expect(ours[0]?.newStock).toBe(70);
    expect(ours.map(({ oldStock }) => oldStock)).toEqual([
      ...ours.slice(1).map(({ newStock }) => newStock),
      50,
    ]);
  });

  it("that is none, of a service that does not count or does not exist, is refused", async () => {
    const { id: serviceId } = await stockService("prepaid");
    expect((await post("/stock", { serviceId, quantity: 1, reason })).status).toBe(409);
    const missing = { serviceId: crypto.randomUUID(), quantity: 1, reason };
    expect((await post("/stock", missing)).status).toBe(404);
    expect((await get("/stock/x")).status).toBe(404);
    for (const quantity of [0, 0.5, "1", 1e9]) {
      expect(await post("/stock", { serviceId, quantity, reason })).toMatchObject({
        status: 400,
        body: failureBody("topup", 400),
      });
    }
  });

  it("is never more than can be counted", async () => {
    const { id: serviceId } = await stockService("prepaid", { stock: 1_999_999_999 });
    expect(await post("/stock", { serviceId, quantity: 1, reason })).toMatchObject({ status: 200 });
    await execute(sql`update topup_services set stock = 2147483647 where id = ${serviceId}`);
    expect(await post("/stock", { serviceId, quantity: 1, reason })).toMatchObject({
      status: 400,
      body: failureBody("topup", 400),
    });
    expect((await post("/stock", { serviceId, quantity: -1, reason })).status).toBe(200);
  });

  it("that ran low is told in a mail once a day", async () => {
    const { id } = await stockService("prepaid", { stock: 3 });
    const told = async () =>
      await testContext().db.run(
        rows(
          sql`select payload->'data'->'services' as services from jobs
            where dedupe_key like 'mail/topup-low-stock/%' and payload::text like ${`%${id}%`}`,
          z.object({ services: z.array(z.object({ id: z.string(), stock: z.number() })) }),
        ),
      );
    const before = (await told()).length;
    await execute(sql`delete from topup_stock_alerts where service_id = ${id}`);
    await execute(sql`delete from jobs where dedupe_key like 'mail/topup-low-stock/%'`);
    for (let run = 0; run < 3; run += 1) await alertLowStock(contextWithQueues().ctx);
    const mails = await told();
    expect(before).toBeLessThanOrEqual(1);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.services).toContainEqual(expect.objectContaining({ id, stock: 3 }));
  });
});

describe("nobody but an admin", () => {
  it("may see or do any of it, and who tried is known", async () => {
    const user = await createUser(["buyer", "seller"]);
    for (const [method, path, json] of [
      ["GET", "/supplier", undefined],
      ["POST", "/supplier/check", undefined],
      ["POST", "/stock", { serviceId: crypto.randomUUID(), quantity: 1, reason: "coba" }],
      ["GET", "/stock/x", undefined],
      ["GET", "/callbacks", undefined],
      ["GET", "/callbacks/x/refused", undefined],
      ["POST", "/callbacks/x/replay", undefined],
      ["GET", "/reconciliations", undefined],
      ["GET", "/reconciliations/2026-01-01", undefined],
      ["POST", "/reconciliations/2026-01-01", undefined],
    ] as const) {
      const answer = await (method === "GET"
        ? get(path, user.token)
        : post(path, json, user.token));
      expect(answer, path).toMatchObject({ status: 403, body: failureBody("topup", 403) });
    }
    await settleBackground();
    const subject = { kind: "topup_admin", id: "POST /api/admin/topup/supplier/check" };
    await expect
      .poll(async () => await testContext().db.run(auditOf(subject)))
      .toContainEqual(expect.objectContaining({ outcome: "refused", actorId: user.userId }));
  });
});
