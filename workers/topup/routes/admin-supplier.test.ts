import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { watchSupplier } from "../admin/supplier.ts";
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

const get = (path: string) => api(`${PATH}${path}`, { token: admin.token });
const post = (path: string) => api(`${PATH}${path}`, { method: "POST", token: admin.token });
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

  it("that goes up and down at the floor is mailed once an hour, and a hold that lasts in the next one", async () => {
    const look = async (amount: number) => {
      await vipTwin("/_account", { balance: amount });
      return (await post("/supplier/check")).body.data;
    };
    const mails = async () => (await mailsAbout())[0]?.n;
    await look(rich);
    await execute(sql`delete from jobs where dedupe_key like 'mail/alert/topup-balance/%'`);
    for (let time = 0; time < 3; time += 1) {
      expect(await look(99_999)).toMatchObject({ held: true });
      expect(await look(100_000)).toMatchObject({ held: false });
    }
    await look(99_999);
    expect(await mails()).toBe(1);
    await execute(sql`update jobs set dedupe_key = 'mail/alert/topup-balance/'
      || extract(epoch from now() - interval '61 minutes') where dedupe_key like 'mail/alert/topup-balance/%'`);
    for (let time = 0; time < 2; time += 1) await look(99_999);
    expect(await mails()).toBe(2);
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
    // A supplier that has not answered since the deployment.
    await execute(sql`delete from topup_supplier_state`);
    for (let run = 0; run < 3; run += 1) await watchSupplier(testContext());
    expect(await silences()).toHaveLength(before + 2);
    expect(await post("/supplier/check")).toMatchObject({
      status: 503,
      body: failureBody("topup", 503),
    });
    await vipTwin("/_dials", {}, "DELETE");
  });
});
