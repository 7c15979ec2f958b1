import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../shared/audit/audit.ts";
import { api, settleBackground, testContext } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { PlanForAdmin, PlanView } from "./schemas/plans.ts";
import { createPlan, query, readOrder, sell } from "./testing/sales.ts";

const failure = (status: number, words: unknown = expect.any(String)) => ({
  status,
  body: failureBody("hosting", status, words),
});
const call = (method: string, path: string, user: TestUser | null, json?: unknown) =>
  api(path, { method, ...(user ? { token: user.token } : {}), ...(json ? { json } : {}) });
const admin = () => createUser(["buyer", "admin"]);

const shown = async (queryString = "", user: TestUser | null = null) => {
  const { body } = await call("GET", `/api/plans${queryString}`, user);
  return body.data as { name: string; type: string }[];
};

describe("the plans of the start", () => {
  it("are the contract's six with their prices, there after a migration", async () => {
    const { status, body } = await call("GET", "/api/plans", null);
    expect([status, body.success]).toEqual([200, true]);
    const plans = z.array(PlanView.strict()).parse(body.data);
    const first = ["starter", "business", "enterprise", "vps-basic", "vps-standard", "vps-pro"];
    const known = plans.filter(({ name }) => first.includes(name));
    expect(known.map((p) => [p.displayName, p.type, p.price, p.priceYearly])).toEqual([
      ["Starter", "HOSTING", 15_000, 180_000],
      ["Business", "HOSTING", 30_000, 360_000],
      ["Enterprise", "HOSTING", 70_000, 840_000],
      ["VPS Basic", "VPS", 50_000, 600_000],
      ["VPS Standard", "VPS", 100_000, 1_200_000],
      ["VPS Pro", "VPS", 200_000, 2_400_000],
    ]);
    expect(known.every(({ features }) => features.length > 0)).toBe(true);
  });

  it("can be filtered by type in any case", async () => {
    const types = async (type: string) =>
      new Set((await shown(`?type=${type}`)).map((plan) => plan.type));
    expect(await types("vps")).toEqual(new Set(["VPS"]));
    expect(await types("HOSTING")).toEqual(new Set(["HOSTING"]));
    expect(await call("GET", "/api/plans?type=kue", null)).toMatchObject(failure(400));
  });
});

describe("a plan that is not for sale", () => {
  it("is an admin's to see, whatever the query says", async () => {
    const plan = await createPlan({ isActive: false });
    const has = (plans: { name: string }[]) => plans.some(({ name }) => name === plan.name);
    expect(has(await shown())).toBe(false);
    expect(has(await shown("?activeOnly=true"))).toBe(false);
    const path = "/api/plans?activeOnly=false";
    expect(await call("GET", path, null)).toMatchObject(failure(401, "Unauthorized"));
    expect(await call("GET", path, await createUser())).toMatchObject(failure(403, "Forbidden"));
    const all = await call("GET", path, await admin());
    expect(
      z
        .array(PlanForAdmin.strict())
        .parse(all.body.data)
        .some((p) => p.id === plan.id),
    ).toBe(true);
    expect(await call("GET", `/api/plans/${plan.id}`, null)).toMatchObject(
      failure(404, "Paket tidak ditemukan"),
    );
  });
});

describe("an admin", () => {
  it("makes, changes and takes off a plan, with a trace; what was ordered keeps its price", async () => {
    const user = await admin();
    const name = unique("paket-");
    const made = await call("POST", "/api/plans", user, {
      name: name.toUpperCase(),
      displayName: "Paket Baru",
      type: "hosting",
      price: 20_000,
      slots: 2,
      features: [{ name: "SSL" }],
    });
    expect(made).toMatchObject({
      status: 200,
      body: {
        success: true,
        data: { name, type: "HOSTING", slots: 2, slotsTaken: 0, isActive: true },
      },
    });
    const { id } = made.body.data;
    const sale = await sell({}, { plan: { id, name, price: 20_000 } });
    const path = `/api/plans/${id}`;
    const changed = await call("PATCH", path, user, {
      price: 25_000,
      isSoldOut: true,
      isPopular: false,
      sortOrder: 0,
      slots: null,
    });
    expect(changed.body.data).toMatchObject({
      price: 25_000,
      isSoldOut: true,
      sortOrder: 0,
      slots: null,
      slotsTaken: 1,
      displayName: "Paket Baru",
      features: [{ name: "SSL", description: null, isIncluded: true, sortOrder: 0 }],
    });
    expect((await call("GET", path, null)).body.data).toMatchObject({ isSoldOut: true });
    expect((await readOrder(sale.orderId)).price).toBe(20_000);
    expect((await call("DELETE", path, user)).status).toBe(200);
    for (const method of ["GET", "DELETE"]) {
      expect(await call(method, path, user)).toMatchObject(failure(404, "Paket tidak ditemukan"));
    }
    const trace = await testContext().db.run(auditOf({ kind: "hosting_plan", id }));
    expect(trace.map(({ action, actorId }) => [action, actorId])).toEqual(
      expect.arrayContaining([
        ["hosting.plan.create", user.userId],
        ["hosting.plan.change", user.userId],
        ["hosting.plan.delete", user.userId],
      ]),
    );
    await settleBackground();
  });

  it("is told what does not fit, and that a name is taken", async () => {
    const user = await admin();
    const plan = await createPlan();
    const good = { name: unique("paket-"), displayName: "X", type: "vps", price: 20_000 };
    for (const wrong of [
      { name: "Nama Buruk" },
      { price: 0 },
      { price: 1_500.5 },
      { type: "kue" },
      { displayName: "" },
      { slots: -1 },
    ]) {
      const answer = await call("POST", "/api/plans", user, { ...good, ...wrong });
      expect(answer, JSON.stringify(wrong)).toMatchObject(failure(400));
    }
    const taken = failure(409, "Nama paket sudah dipakai");
    expect(await call("POST", "/api/plans", user, { ...good, name: plan.name })).toMatchObject(
      taken,
    );
    const other = await createPlan();
    expect(await call("PATCH", `/api/plans/${other.id}`, user, { name: plan.name })).toMatchObject(
      taken,
    );
    for (const id of [crypto.randomUUID(), "x"]) {
      expect(await call("PATCH", `/api/plans/${id}`, user, { price: 2_000 })).toMatchObject(
        failure(404, "Paket tidak ditemukan"),
      );
    }
  });

  it("alone may do so", async () => {
    const plan = await createPlan();
    for (const [who, status] of [
      [null, 401],
      [await createUser(["buyer", "seller"]), 403],
    ] as const) {
      for (const [method, path] of [
        ["POST", "/api/plans"],
        ["PATCH", `/api/plans/${plan.id}`],
        ["DELETE", `/api/plans/${plan.id}`],
      ] as const) {
        const json = { name: unique("paket-"), displayName: "X", type: "vps", price: 20_000 };
        expect(await call(method, path, who, json)).toMatchObject(failure(status));
      }
    }
    const left = await query(
      sql`select price::float8 as price from hosting_plans where id = ${plan.id} and deleted_at is null`,
      z.object({ price: z.number() }),
    );
    expect(left).toEqual([{ price: plan.price }]);
  });
});
