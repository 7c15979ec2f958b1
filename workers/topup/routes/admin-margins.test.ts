import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { endRepricing, repriced } from "../testing/reprice.ts";
import { createReseller, panel } from "../testing/reseller.ts";

const MARGINS = "/api/admin/topup/margins";
const MEMBERS = "/api/admin/topup/members";
const reason = "Harga penyedia naik";
const ctx = testContext();
let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
  await endRepricing(ctx);
});
const run = (query: ReturnType<typeof sql>) => ctx.db.run(rows(query, z.unknown()));
const call = (method: string, path: string, json?: unknown) =>
  api(path, { method, token: admin.token, ...(json === undefined ? {} : { json }) });
afterEach(() => endRepricing(ctx));

/** Services of a brand that no other test has, at 10,000 of the supplier's; their ids. */
async function stockBrand(count = 1): Promise<{ brand: string; ids: string[] }> {
  const brand = unique("B");
  const made = await ctx.db.run(
    rows(
      sql`insert into topup_services (family, code, name, brand, target_kind, supplier_price, price)
        select 'game', ${brand} || '-' || n, 'Uji ' || n, ${brand}, 'game_id', 10000, 10500
        from generate_series(1, ${count}::int) n returning id`,
      z.object({ id: z.uuid() }),
    ),
  );
  return { brand, ids: made.map(({ id }) => id) };
}

const pricesOf = async (brand: string) =>
  await ctx.db.run(
    rows(
      sql`select price::float8 as price, count(*)::int as n from topup_services where brand = ${brand} group by 1`,
      z.object({ price: z.number(), n: z.number() }),
    ),
  );

async function create(rule: Record<string, unknown>) {
  const { status, body } = await call("POST", MARGINS, { reason, ...rule });
  if (status !== 200) throw new Error(`no rule: ${status} ${JSON.stringify(body)}`);
  return body.data as { rule: { id: string }; job: string; warning: string | null };
}

describe("a margin rule of an admin", () => {
  it("is shown beforehand, made, and reaches every price by its job, with a history and who did it", async () => {
    const { brand, ids } = await stockBrand(3);
    const rule = { brand, percent: 12.5, fixed: 300 };
    const preview = await call("POST", `${MARGINS}/preview`, { create: rule });
    const effect = { services: 3, raised: 3, lowered: 0 };
    expect(preview.body.data.levels).toEqual({ member: effect, reseller: effect, agent: effect });
    expect(preview.body.data.examples).toContainEqual({
      ...{ level: "agent", family: "game", service: `${brand}-1`, name: "Uji 1", brand },
      ...{ supplierPrice: 10_000, price: 10_500, newPrice: 11_550 },
    });
    expect((await call("GET", MARGINS)).body.data).toEqual([]);
    expect(await pricesOf(brand)).toEqual([{ price: 10_500, n: 3 }]);

    const made = await create(rule);
    expect(made.rule).toMatchObject({
      ...rule,
      family: null,
      level: null,
      active: true,
    });
    await repriced(ctx, made.job);
    expect(await pricesOf(brand)).toEqual([{ price: 11_550, n: 3 }]);
    const history = await call("GET", `/api/admin/topup/services/${ids[0]}/prices`);
    expect(history.body.data).toMatchObject([{ oldPrice: 10_500, price: 11_550 }]);
    expect((await call("GET", MARGINS)).body.data).toEqual([
      { ...made.rule, matches: 3, decides: 3 },
    ]);
    const audit = await ctx.db.run(auditOf({ kind: "topup_margin", id: made.rule.id }));
    expect(audit).toMatchObject([
      { action: "topup.margin.create", actorId: admin.userId, reason, after: { percent: 12.5 } },
    ]);
  });

  it("is changed, switched off and removed, each with what it was", async () => {
    const { brand } = await stockBrand();
    const { rule } = await create({ brand, level: "reseller", percent: 3 });
    const path = `${MARGINS}/${rule.id}`;
    const changed = await call("PUT", path, { reason, fixed: 77 });
    expect(changed.body.data.rule).toMatchObject({ percent: 3, fixed: 77, level: "reseller" });
    expect((await call("PUT", path, { reason, active: false })).body.data.rule.active).toBe(false);
    const preview = await call("POST", `${MARGINS}/preview`, {
      id: rule.id,
      change: { active: true },
    });
    expect(preview.body.data.levels).toMatchObject({
      reseller: { services: 1, raised: 0, lowered: 1 },
      agent: { services: 0 },
    });
    const gone = await call("DELETE", path, { reason });
    expect(gone.body.data).toEqual({
      rule: expect.any(Object),
      job: expect.any(String),
      warning: null,
    });
    expect(await call("DELETE", path, { reason })).toMatchObject({
      status: 404,
      body: failureBody("topup", 404, "Rule not found"),
    });
    const audit = await ctx.db.run(auditOf({ kind: "topup_margin", id: rule.id }));
    const done = audit.filter(({ outcome }) => outcome === "done");
    expect(done.map(({ action, before, after }) => [action, before, after])).toMatchObject([
      ["topup.margin.delete", { fixed: 77 }, null],
      ["topup.margin.change", { active: true }, { active: false }],
      ["topup.margin.change", { fixed: 0 }, { fixed: 77 }],
      ["topup.margin.create", null, { fixed: 0 }],
    ]);
  });

  it("for a brand that is spelt otherwise says so, beforehand and when it is made, with the names that come near", async () => {
    const { brand } = await stockBrand();
    const near = `No service matches this rule. Did you mean: ${brand} (game)?`;
    for (const [wrong, family] of [
      [brand.toLowerCase(), undefined],
      [`${brand.slice(0, 4)} ${brand.slice(4)}`, "game"],
      [brand.slice(0, -2), undefined],
      [brand, "prepaid"],
    ] as const) {
      const rule = { brand: wrong, family, percent: 9 };
      const preview = await call("POST", `${MARGINS}/preview`, { create: rule });
      expect(preview.body.data.warning).toContain(`${brand} (game)`);
      const made = await create(rule);
      expect([wrong, made.warning?.slice(0, near.length - 1)]).toEqual([wrong, near.slice(0, -1)]);
    }
    expect((await create({ brand: "Ω≈ç√∫", percent: 9 })).warning).toBe(
      "No service matches this rule",
    );
    const right = await create({ brand, percent: 9 });
    expect(right.warning).toBeNull();
    const change = await call("PUT", `${MARGINS}/${right.rule.id}`, { reason, fixed: 5 });
    expect(change.body.data.warning).toBeNull();
  });

  it("is listed with how many services it was made for, and of how many it decides the price", async () => {
    const [one, other] = [await stockBrand(3), await stockBrand(2)];
    await run(sql`update topup_services set active = false where id = ${other.ids[0]}`);
    const general = { family: "game" };
    for (const rule of [
      general,
      { brand: one.brand },
      { brand: one.brand, family: "game" },
      { brand: other.brand, level: "agent" },
      { brand: other.brand, level: "member", active: false },
    ])
      await create({ ...rule, percent: 7 });
    const listed: Record<string, unknown>[] = (await call("GET", MARGINS)).body.data;
    const counts = listed.map(({ brand, family, matches, decides }) => [
      brand,
      family,
      matches,
      decides,
    ]);
    const [games] = await ctx.db.run(
      rows(
        sql`select count(*)::int as n from topup_services where family = 'game' and active and status <> 'gone'`,
        z.object({ n: z.number() }),
      ),
    );
    expect(counts[0]).toEqual([null, "game", games?.n, (games?.n ?? 0) - 3]);
    expect(counts).toEqual(
      expect.arrayContaining([
        [one.brand, null, 3, 0],
        [one.brand, "game", 3, 3],
        [other.brand, null, 1, 1],
        [other.brand, null, 1, 0],
      ]),
    );
  });

  it("is one a scope, from twenty admins at once", async () => {
    const brand = unique("B");
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call("POST", MARGINS, { reason, brand, percent: 1 })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
    const again = await call("POST", `${MARGINS}/preview`, { create: { brand } });
    expect(again).toMatchObject({ status: 409, body: failureBody("topup", 409) });
  });

  it.each([
    ["a per cent below nothing", { percent: -1 }],
    ["a thousandth", { percent: 1.001 }],
    ["more than ten times the price", { percent: 1_001 }],
    ["half a rupiah", { fixed: 0.5 }],
    ["no family of ours", { family: "gift" }],
    ["no level of ours", { level: "boss" }],
    ["an empty brand", { brand: " " }],
    ["a misspelt field", { percents: 5 }],
    ["no reason", { reason: undefined }],
  ])("with %s is refused", async (_, rule) => {
    const answer = await call("POST", MARGINS, { reason, brand: unique("B"), ...rule });
    expect(answer).toMatchObject({ status: 400, body: failureBody("topup", 400) });
    expect((await call("GET", MARGINS)).body.data).toEqual([]);
  });

  it("re-prices a long catalogue in short steps that orders and price rises pass between", async () => {
    const { brand, ids } = await stockBrand(2_500);
    const { job } = await create({ brand, fixed: 900 });
    const rise = async (id: string) =>
      await run(
        sql`update topup_services set supplier_price = 20000, price = 21000 where id = ${id}`,
      );
    await Promise.all([repriced(ctx, job), ...ids.filter((_, n) => n % 250 === 0).map(rise)]);
    const prices = await pricesOf(brand);
    expect(prices.reduce((sum, { n }) => sum + n, 0)).toBe(2_500);
    // Who rose behind the step of his row has the rise's own price until the next sync.
    expect(prices.every(({ price }) => [10_900, 20_900, 21_000].includes(price))).toBe(true);
    expect(prices.find(({ price }) => price === 10_900)?.n).toBe(2_490);
  });
});

describe("a member's level", () => {
  it("is set by an admin, holds for his next price, and is listed", async () => {
    const reseller = await createReseller();
    const { brand } = await stockBrand();
    await create({ brand, level: "agent", percent: 1 });
    const rate = async () => {
      const { body } = await panel(reseller.key, { action: "services" });
      return body.find(({ category }: { category: string }) => category === brand)?.rate;
    };
    expect(await rate()).toBe("10500");
    const path = `${MEMBERS}/${reseller.user.userId}`;
    const set = (level: string) => call("PUT", path, { level, reason });
    expect((await set("agent")).body.data).toEqual({
      userId: reseller.user.userId,
      level: "agent",
      was: "member",
    });
    expect(await rate()).toBe("10100");
    const cursor = reseller.user.userId - 1;
    const listed = await call("GET", `${MEMBERS}?cursor=${cursor}&limit=1&level=agent`);
    expect(listed.body.data.members).toMatchObject([
      { userId: reseller.user.userId, level: "agent" },
    ]);
    expect((await set("member")).body.data).toMatchObject({ level: "member", was: "agent" });
    expect(await rate()).toBe("10500");
    const audit = await ctx.db.run(auditOf({ kind: "user", id: String(reseller.user.userId) }));
    expect(audit.map(({ action }) => action)).toEqual(["topup.member.level", "topup.member.level"]);
  });

  it("is not an admin's own to better", async () => {
    const set = (level: string) => call("PUT", `${MEMBERS}/${admin.userId}`, { level, reason });
    expect(await set("agent")).toMatchObject({
      status: 403,
      body: failureBody("topup", 403, "Another admin must set your own level"),
    });
    expect((await set("member")).body.data).toMatchObject({ level: "member", was: "member" });
  });

  it("is nobody's who is not there, and none that is not known", async () => {
    const at = (id: string, level: string) => call("PUT", `${MEMBERS}/${id}`, { level, reason });
    expect(await at("999999999", "agent")).toMatchObject({
      status: 404,
      body: failureBody("topup", 404, "User not found"),
    });
    expect(await at("x", "agent")).toMatchObject({ status: 400 });
    expect(await at(String(admin.userId), "boss")).toMatchObject({ status: 400 });
  });
});
