import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, unique } from "../../testing/factories.ts";

const ctx = testContext();
const run = (change: ReturnType<typeof sql>) => ctx.db.run(rows(change, z.unknown()));

/** A service of its own brand, on sale unless said otherwise. */
async function createService(
  brand: string,
  fields: Record<string, string | number | boolean | null> = {},
) {
  const service = {
    family: "game",
    code: unique("C"),
    name: unique("Layanan "),
    category: brand,
    price: 21_000,
    supplier: 20_000,
    status: "available",
    active: true,
    stock: null,
    stockType: "UNLIMITED",
    reserved: 0,
    ...fields,
  };
  await run(sql`insert into topup_services (family, code, name, brand, category, type, target_kind, supplier_price,
      price, status, active, stock, stock_type, reserved, min_quantity, max_quantity)
    values (${service.family}, ${service.code}, ${service.name}, ${brand}, ${service.category}, 'game', 'game_id',
      ${service.supplier}, ${service.price}, ${service.status}, ${service.active}, ${service.stock},
      ${service.stockType}, ${service.reserved}, 1, 1)`);
  return service;
}

const search = (query: string, token?: string) =>
  api(`/api/services?${query}`, token === undefined ? {} : { token });
const namesOf = async (query: string) =>
  (await search(query)).body.data.map(({ name }: { name: string }) => name);

describe("GET /api/services", () => {
  it("shows anybody what can be ordered and at what price, and never what it costs us", async () => {
    const brand = unique("Merek");
    const { code, name } = await createService(brand);
    const { status, body } = await search(`brand=${brand}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      data: [
        {
          id: expect.any(String),
          service: code,
          code,
          family: "game",
          name,
          brand,
          category: brand,
          type: "game",
          note: "",
          price: 21_000,
          unit: 1,
          min: 1,
          max: 1,
          status: "available",
          needsZone: false,
          targetKind: "game_id",
          maintenance: null,
        },
      ],
      meta: { page: 1, limit: 20, total: 1, capped: false },
    });
    expect(JSON.stringify(body)).not.toMatch(/supplier|20000/);
  });

  it("shows a member of a level what an order asks of him, and anybody else the plain price", async () => {
    const brand = unique("Merek");
    const { code } = await createService(brand);
    const user = await createUser();
    await run(sql`insert into topup_members (user_id, level) values (${user.userId}, 'reseller')`);
    await run(sql`insert into topup_margin_rules (brand, member_level, percent_bp, fixed)
      values (${brand}, 'reseller', 150, 0)`);
    const priceFor = async (token?: string) =>
      (await search(`brand=${brand}`, token)).body.data[0].price;
    expect(await priceFor(user.token)).toBe(20_300);
    const placed = await api("/api/orders/game", {
      method: "POST",
      token: user.token,
      json: { service: code, gameId: "12345678" },
    });
    expect(placed.body.data.amount).toBe(20_300);
    const plain = (await createUser()).token;
    expect([await priceFor(), await priceFor(plain), await priceFor("x.y.z")]).toEqual([
      21_000, 21_000, 21_000,
    ]);
    await run(sql`delete from topup_margin_rules where brand = ${brand}`);
  });

  it("prices social services per 1,000", async () => {
    const brand = unique("Merek");
    await createService(brand, { family: "social" });
    expect((await search(`brand=${brand}`)).body.data).toMatchObject([{ unit: 1000 }]);
  });

  it("hides what is gone or switched off, and calls empty what cannot be had now", async () => {
    const brand = unique("Merek");
    await createService(brand, { status: "gone" });
    await createService(brand, { active: false });
    const a = await createService(brand, { name: "A", status: "empty" });
    const b = await createService(brand, {
      name: "B",
      stock: 2,
      stockType: "LIMITED",
      reserved: 2,
    });
    const c = await createService(brand, {
      name: "C",
      stock: 2,
      stockType: "LIMITED",
      reserved: 1,
    });
    expect(await namesOf(`brand=${brand}`)).toEqual(["A", "B", "C"]);
    expect(await namesOf(`brand=${brand}&status=empty`)).toEqual([a.name, b.name]);
    expect(await namesOf(`brand=${brand}&status=available`)).toEqual([c.name]);
  });

  it("filters by family and category, finds every word, and sorts by price both ways", async () => {
    const brand = unique("Merek");
    await createService(brand, { name: "Diamond 50%", price: 30_000 });
    await createService(brand, { name: "Diamond 86", price: 25_000, category: "Lain" });
    await createService(brand, { name: "Pulsa 10", price: 26_000, family: "prepaid" });
    expect(await namesOf(`brand=${brand.toUpperCase()}&sort=price`)).toEqual([
      "Diamond 86",
      "Pulsa 10",
      "Diamond 50%",
    ]);
    expect(await namesOf(`brand=${brand}&sort=-price&family=game`)).toEqual([
      "Diamond 50%",
      "Diamond 86",
    ]);
    expect(await namesOf(`brand=${brand}&category=lain`)).toEqual(["Diamond 86"]);
    expect(await namesOf(`brand=${brand}&q=86%20diam`)).toEqual(["Diamond 86"]);
    expect(await namesOf(`brand=${brand}&search=50%25`)).toEqual(["Diamond 50%"]);
    expect(await namesOf(`search=${brand}%20diamond&sort=price`)).toEqual([
      "Diamond 86",
      "Diamond 50%",
    ]);
    expect(await namesOf(`brand=${brand}&search=d_amond`)).toEqual([]);
    expect(await namesOf(`brand=${brand}&family=&status=&q=&cached=true`)).toHaveLength(3);
  });

  it("pages without gaps, and forgives paging that is no number", async () => {
    const brand = unique("Merek");
    for (const name of ["A", "B", "C"]) await createService(brand, { name });
    expect(await namesOf(`brand=${brand}&limit=2`)).toEqual(["A", "B"]);
    expect(await namesOf(`brand=${brand}&limit=2&page=2`)).toEqual(["C"]);
    expect(await namesOf(`brand=${brand}&limit=x&page=-4`)).toHaveLength(3);
  });

  it("refuses a filter that is none, in the family's envelope", async () => {
    for (const query of ["family=buku", "status=gone", "sort=supplier_price"]) {
      const { status, body } = await search(query);
      expect([status, body], query).toEqual([
        400,
        { success: false, message: expect.any(String), error: expect.any(String) },
      ]);
    }
  });
});

describe("POST /api/services/nickname", () => {
  const ask = async (json: unknown, token?: string) => {
    const by = token ?? (await createUser()).token;
    return await api("/api/services/nickname", { method: "POST", json, token: by });
  };

  it("names a player, under either spelling of the fields", async () => {
    const first = await ask({ code: "mobile-legends", target: "12345678", zone: "1234" });
    expect([first.status, first.body]).toEqual([
      200,
      { success: true, data: { nickname: expect.stringMatching(/\S/) } },
    ]);
    const second = await ask({ game: "Mobile Legends", userId: 12345678, zoneId: 1234 });
    expect(second.body).toEqual(first.body);
    const nothing = { code: null, target: null, zone: null };
    const third = await ask({ ...nothing, game: "ML", userId: "12345678", zoneId: "1234" });
    expect(third.body).toEqual(first.body);
  });

  it("answers 404 for a player whom nobody knows", async () => {
    const { status, body } = await ask({ code: "free-fire", target: "000" });
    expect([status, body.message]).toEqual([404, "Player not found"]);
  });

  it.each([
    ["no game", { target: "1" }],
    ["no player", { code: "free-fire" }],
    ["a game that cannot be asked about", { game: "Catur", target: "1" }],
    ["an inherited word for a game", { code: "constructor", target: "1" }],
    ["no zone where one is needed", { code: "mobile-legends", target: "12345678" }],
    ["a player of two lines", { code: "free-fire", target: "12\n34" }],
    ["an endless player", { code: "free-fire", target: "1".repeat(101) }],
    ["null for a player", { code: "free-fire", target: null }],
    ["an object for a player", { code: "free-fire", target: { id: 1 } }],
    ["a list for a game", { code: ["free-fire"], target: "1" }],
    ["yes for a zone", { code: "mobile-legends", target: "1", zone: true }],
  ])("refuses %s without asking the supplier", async (_, json) => {
    const { status, body } = await ask(json);
    expect([status, body.success]).toEqual([400, false]);
  });

  it("lets a user ask 20 times a minute, and another one still", async () => {
    const { userId, token } = await createUser();
    await run(sql`insert into topup_lookups (user_id, count) values (${userId}, 20)`);
    const json = { code: "free-fire", target: "12345678" };
    const refused = await ask(json, token);
    expect([refused.status, refused.body.success]).toEqual([429, false]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
    expect((await ask(json)).status).toBe(200);
    await run(
      sql`update topup_lookups set window_started_at = now() - interval '1 minute' where user_id = ${userId}`,
    );
    expect((await ask(json, token)).status).toBe(200);
  });
});
