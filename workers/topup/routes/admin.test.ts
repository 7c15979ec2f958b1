import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { toHex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { purgeCallbacks } from "../admin/callbacks.ts";
import { alertLowStock } from "../admin/stock.ts";
import { watchSupplier } from "../admin/supplier.ts";
import { callbackApplier, receiveCallback, refusedCallbackApplier } from "../orders/index.ts";
import { received } from "../testing/callbacks.ts";
import {
  createReseller,
  instagram,
  ordersOf,
  panel,
  stockService,
  vipTwin,
} from "../testing/reseller.ts";

const PATH = "/api/admin/topup";
let admin: TestUser;
let social: { number: number };
beforeAll(async () => {
  admin = await createUser(["admin"]);
  social = await stockService("social");
});

const get = (path: string, token = admin.token) => api(`${PATH}${path}`, { token });
const post = (path: string, json?: unknown, token = admin.token) =>
  api(`${PATH}${path}`, { method: "POST", token, ...(json ? { json } : {}) });
const execute = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));

describe("the supplier's balance", () => {
  const rich = 10_000_000;
  afterAll(async () => {
    await vipTwin("/_account", { balance: rich });
    await post("/supplier/check");
  });

  const mailsAbout = async () =>
    await testContext().db.run(
      rows(
        sql`select count(*)::int as n from jobs where dedupe_key like 'mail/alert/topup-balance/%'`,
        z.object({ n: z.number() }),
      ),
    );

  it("below the floor holds new orders with 503 and one mail, and lets them through again by itself", async () => {
    await vipTwin("/_account", { balance: rich });
    expect((await post("/supplier/check")).body.data).toMatchObject({ balance: rich, held: false });
    const { key, user } = await createReseller();
    const [{ n: before } = { n: 0 }] = await mailsAbout();
    const add = () =>
      panel(key, { action: "add", service: social.number, link: instagram(), quantity: 100 });

    await vipTwin("/_account", { balance: 99_999 });
    expect((await post("/supplier/check")).body.data).toMatchObject({
      balance: 99_999,
      floor: 100_000,
      held: true,
    });
    await post("/supplier/check");
    expect(await add()).toMatchObject({
      status: 503,
      body: { error: "New orders are paused for a moment. Please try again later." },
    });
    const app = await api("/api/orders/social-media", {
      method: "POST",
      token: user.token,
      json: { service: "1001", target: instagram(), quantity: 100 },
    });
    expect(app).toMatchObject({ status: 503, body: failureBody("topup", 503) });
    expect(await ordersOf(user.userId)).toEqual([]);
    expect(await balance("wallet", user.userId)).toBe(1_000_000);
    expect(await mailsAbout()).toEqual([{ n: before + 1 }]);

    await vipTwin("/_account", { balance: 100_000 });
    await execute(sql`update topup_supplier_state set checked_at = now() - interval '1 minute'`);
    await watchSupplier(testContext());
    expect((await get("/supplier")).body.data).toMatchObject({ held: false, heldSince: null });
    expect((await add()).body).toEqual({ order: expect.any(Number) });
    const trace = await testContext().db.run(auditOf({ kind: "supplier", id: "vip-reseller" }));
    expect(trace.slice(0, 2).map(({ action }) => action)).toEqual([
      "topup.supplier.release",
      "topup.supplier.hold",
    ]);
  });

  it("that cannot be asked for leaves things as they are, and one mail when that lasts", async () => {
    await vipTwin("/_account", { balance: rich });
    await post("/supplier/check");
    await vipTwin("/_dials", { refuse: { path: "/api/profile", count: 100 } }, "PUT");
    const silences = () =>
      testContext().db.run(
        rows(
          sql`select 1 from jobs where dedupe_key like 'mail/alert/topup-supplier-silent/%'`,
          z.unknown(),
        ),
      );
    await execute(sql`update topup_supplier_state set checked_at = now() - interval '20 minutes'`);
    await watchSupplier(testContext());
    const before = (await silences()).length;
    await execute(sql`update topup_supplier_state set checked_at = now() - interval '1 hour'`);
    for (let run = 0; run < 3; run += 1) await watchSupplier(testContext());
    expect(await silences()).toHaveLength(before + 1);
    expect((await get("/supplier")).body.data).toMatchObject({ balance: rich, held: false });
    expect(await post("/supplier/check")).toMatchObject({
      status: 503,
      body: failureBody("topup", 503),
    });
    await vipTwin("/_dials", {}, "DELETE");
  });
});

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

/** Takes a signed callback in and hands it to the consumer of notices. */
async function callback(body: string): Promise<void> {
  const { ctx, sent } = contextWithQueues();
  const { VIP_RESELLER_API_ID: apiId, VIP_RESELLER_API_KEY: apiKey } = ctx.config;
  const digest = await crypto.subtle.digest("MD5", new TextEncoder().encode(apiId + apiKey));
  const headers = new Headers({ "x-client-signature": toHex(new Uint8Array(digest)) });
  await receiveCallback(ctx, headers, received(body));
  const { batch } = deliver(
    "webhooks",
    sent.map((message) => message.body),
  );
  await consumeNotices(contextWithQueues().ctx, batch, [callbackApplier]);
}

describe("the supplier's callbacks", () => {
  it("are listed with what became of them, replayed by hand, and forgotten after ninety days", async () => {
    const trxid = unique("VP").toUpperCase();
    const body = JSON.stringify({ data: { trxid, status: "success", note: "SN-RAHASIA" } });
    await callback(body);
    const find = async (query = "") =>
      (await get(`/callbacks?limit=100${query}`)).body.data.callbacks.find(
        (one: { trxId: string }) => one.trxId === trxid,
      );
    const listed = await find();
    expect(listed).toMatchObject({
      verdict: "verified",
      count: 1,
      dropped: 0,
      status: "success",
      state: "parked",
    });
    expect(JSON.stringify((await get("/callbacks")).body)).not.toContain("RAHASIA");
    expect(await find("&verdict=refused")).toBeUndefined();
    expect(await find("&state=applied")).toBeUndefined();

    expect((await post(`/callbacks/${listed.id}/replay`)).body.data).toEqual({ state: "parked" });
    expect((await find()).attempts).toBe(1);
    const trace = await testContext().db.run(auditOf({ kind: "supplier_callback", id: listed.id }));
    expect(trace).toMatchObject([{ action: "topup.callback.replay", actorId: admin.userId }]);
    for (const id of ["x", crypto.randomUUID()]) {
      expect((await post(`/callbacks/${id}/replay`)).status).toBe(404);
    }

    await purgeCallbacks(testContext());
    expect(await find()).toBeDefined();
    // One that was never applied is forgotten too, once cron has given up on it.
    await execute(
      sql`update inbox_events set created_at = now() - interval '91 days', state = 'received' where id = ${listed.id}`,
    );
    await purgeCallbacks(testContext());
    expect(await find()).toBeDefined();
    await execute(sql`update inbox_events set retry_at = null where id = ${listed.id}`);
    await purgeCallbacks(testContext());
    expect(await find()).toBeUndefined();
  });

  it("that were refused are kept too, and cannot be replayed", async () => {
    const key = unique();
    const kept = { v: 1, place: key, verdict: "forged", count: 3, dropped: 2, original: "x" };
    const body = JSON.stringify(kept);
    await execute(
      sql`insert into inbox_events (provider, event_key, body, state, received_at)
        values (${refusedCallbackApplier.provider}, ${key}, ${body}, 'applied', now())`,
    );
    const { callbacks } = (await get("/callbacks?verdict=refused&limit=1")).body.data;
    expect(callbacks).toMatchObject([
      { verdict: "forged", count: 3, dropped: 2, trxId: null, status: null },
    ]);
    expect((await post(`/callbacks/${callbacks[0].id}/replay`)).status).toBe(404);
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
