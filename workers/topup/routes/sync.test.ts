import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";
import { emptyCatalogue, serviceOf } from "../testing/supplier.ts";

const ctx = testContext();
const path = "/api/admin/vip-sync";
const run = (change: ReturnType<typeof sql>) => ctx.db.run(rows(change, z.unknown()));
const admin = async () => (await createUser(["admin"])).token;

const sync = async (action: unknown) =>
  await api(path, { method: "POST", json: { action }, token: await admin() });

/** The twin, saying no to one endpoint while `work` is done. */
async function withDial(match: string, dials: Record<string, unknown>, work: () => Promise<void>) {
  const put = (body: unknown) =>
    fetch(`${standIns().vipReseller}/_dials`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const set = await put({ match, ...dials });
  expect(set.status).toBe(200);
  try {
    await work();
  } finally {
    await fetch(`${standIns().vipReseller}/_dials`, { method: "DELETE" });
  }
}

beforeEach(async () => {
  await emptyCatalogue(ctx);
});

describe("POST /api/admin/vip-sync", () => {
  it("reads the supplier's lists through the queue and tells the counts", async () => {
    const { status, body } = await sync("sync-services");
    expect([status, body]).toEqual([
      200,
      {
        success: true,
        message: "Sync completed",
        data: {
          servicesAdded: expect.any(Number),
          servicesUpdated: expect.any(Number),
          productsAdded: expect.any(Number),
          productsUpdated: expect.any(Number),
          stockUpdated: 0,
        },
        job: { id: expect.any(String), state: "success" },
      },
    ]);
    const { servicesAdded, servicesUpdated } = body.data;
    expect(servicesAdded + servicesUpdated).toBeGreaterThan(400);
    expect(await serviceOf(ctx, "prepaid", "S25")).toMatchObject({
      name: "TELKOMSEL 25.000",
      status: "available",
      target_kind: "phone",
    });
    const shown = await api("/api/services?family=social&limit=1");
    expect(shown.body.data[0]).toMatchObject({ unit: 1000, min: expect.any(Number) });
  });

  it("answers a failed sync with 200 and success false, and the old catalogue stands", async () => {
    await sync("sync-services");
    const before = await serviceOf(ctx, "prepaid", "S25");
    const message = "IP 203.0.113.7 is not permitted";
    await withDial("services", { say: message }, async () => {
      const { status, body } = await sync("sync-products");
      expect([status, body.success]).toEqual([200, false]);
      expect(body.error).toContain("not_permitted_address");
    });
    expect(await serviceOf(ctx, "prepaid", "S25")).toEqual(before);
  });

  it.each([["apa-saja"], [undefined], [7], [null]])("refuses the action %j", async (action) => {
    const { status, body } = await sync(action);
    expect([status, body]).toEqual([
      400,
      { success: false, message: "Invalid action", error: "Invalid action" },
    ]);
  });
});

describe("GET /api/admin/vip-sync/runs", () => {
  it("tells how a job that an answer named went, family by family, and what is newest", async () => {
    const { userId, token } = await createUser(["admin"]);
    const started = await api(path, { method: "POST", json: { action: "sync-services" }, token });
    const jobId = started.body.job.id;
    const message = "IP 203.0.113.7 is not permitted";
    let failed = "";
    await withDial("services", { say: message }, async () => {
      failed = (await sync("sync-products")).body.job.id;
    });
    const runsOf = async (query: string) =>
      (await api(`${path}/runs${query}`, { token })).body.data;
    const applied = expect.objectContaining({ state: "applied", rows: expect.any(Number) });
    expect(await runsOf(`?job=${jobId}`)).toEqual({
      next: null,
      runs: [
        {
          ...{ id: expect.any(String), jobId, action: "sync-services", state: "success" },
          ...{ level: expect.any(String), error: null, requestedBy: userId },
          ...{ startedAt: expect.any(String), finishedAt: expect.any(String) },
          families: { prepaid: applied, game: applied, social: applied },
          counts: started.body.data,
        },
      ],
    });
    expect((await runsOf(`?job=${failed}`)).runs).toEqual([
      expect.objectContaining({
        state: "failed",
        error: expect.stringContaining("game: unauthorised not_permitted_address"),
        families: expect.objectContaining({
          game: { state: "failed", reason: "unauthorised not_permitted_address" },
        }),
      }),
    ]);
    const first = await runsOf("?limit=1");
    expect(first.runs).toMatchObject([{ jobId: failed }]);
    expect((await runsOf(`?limit=1&cursor=${first.next}`)).runs).toMatchObject([{ jobId }]);
    expect(await runsOf("?job=x")).toEqual({ runs: [], next: null });
    expect((await api(`${path}/runs`, { token: (await createUser()).token })).status).toBe(403);
  });
});

describe("GET /api/admin/vip-sync?action=low-stock", () => {
  it("lists counted services that are about to run out, in the contract's shape", async () => {
    const code = unique("L");
    await run(sql`insert into topup_services (family, code, name, target_kind, supplier_price, price, stock,
        stock_type, min_stock) values ('game', ${code}, ${code}, 'game_id', 1000, 1100, 2, 'LIMITED', 5)`);
    const { status, body } = await api(`${path}?action=low-stock`, { token: await admin() });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      data: expect.arrayContaining([{ id: expect.any(String), name: code, stock: 2, minStock: 5 }]),
    });
  });

  it("refuses any other action", async () => {
    for (const query of ["", "?action=", "?action=full-sync"]) {
      const { status, body } = await api(`${path}${query}`, { token: await admin() });
      expect([status, body.message]).toEqual([400, "Invalid action"]);
    }
  });
});

describe("whoever is no admin", () => {
  it.each(["GET", "POST"])("is refused at %s in the contract's envelope", async (method) => {
    const json = method === "POST" ? { json: { action: "full-sync" } } : {};
    const missing = await api(path, { method, ...json });
    expect([missing.status, missing.body]).toEqual([
      401,
      { success: false, message: "Unauthorized", error: "Unauthorized" },
    ]);
    const { token } = await createUser(["buyer", "seller"]);
    const refused = await api(path, { method, token, ...json });
    const message = "Insufficient privileges";
    expect([refused.status, refused.body]).toEqual([
      403,
      { success: false, message, error: message },
    ]);
  });
});
