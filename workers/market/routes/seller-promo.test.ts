import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { createShop, failure, refusesStrangers, run } from "../testing/catalogue.ts";

const path = "/api/seller/promo";
const call = (method: string) => (user: TestUser, json: unknown) =>
  api(path, { method, token: user.token, json });
const [post, put] = [call("POST"), call("PUT")];
const list = (user: TestUser, query = "") => api(path + query, { token: user.token });

const promo = (changes: Record<string, unknown> = {}) => ({
  code: unique("p"),
  type: "percentage",
  value: 10,
  starts_at: "2026-01-01T00:00:00Z",
  ends_at: "2027-01-01T00:00:00+07:00",
  ...changes,
});
const missing = [404, failure("Promo tidak ditemukan", {})];

describe("every promo route", () => {
  it("is for sellers", async () => {
    await refusesStrangers(path, {}, "seller");
    await refusesStrangers(path, { method: "POST", json: promo() }, "seller");
    await refusesStrangers(path, { method: "PUT", json: { id: unique() } }, "seller");
    await refusesStrangers(`${path}?id=x`, { method: "DELETE" }, "seller");
  });

  it("answers somebody else's promo, a missing one and rubbish alike", async () => {
    const { seller } = await createShop();
    const { id } = (await post(seller, promo())).body.data;
    const { seller: stranger } = await createShop();
    for (const wanted of [id, "00000000-0000-7000-8000-000000000000", "x'; --"]) {
      const changed = await put(stranger, { id: wanted, value: 99 });
      expect([changed.status, changed.body]).toEqual(missing);
      const ended = await api(`${path}?id=${encodeURIComponent(wanted)}`, {
        method: "DELETE",
        token: stranger.token,
      });
      expect([ended.status, ended.body]).toEqual(missing);
    }
    expect((await list(seller)).body.data).toMatchObject([{ id, value: 10 }]);
  });

  it("asks for a store first", async () => {
    const seller = await createUser(["seller"]);
    for (const answer of [await list(seller), await post(seller, promo())]) {
      expect([answer.status, answer.body]).toEqual([404, failure("Store not found", {})]);
    }
  });
});

describe("POST /api/seller/promo", () => {
  it("answers 201 with the code in capitals", async () => {
    const { seller, store } = await createShop();
    const given = promo({ max_uses: 5, min_purchase: 50_000 });
    const { status, body } = await post(seller, { ...given, used_count: 3, store_id: null });
    expect(status).toBe(201);
    expect(body.data).toMatchObject({
      code: given.code.toUpperCase(),
      type: "percentage",
      value: 10,
      min_purchase: 50_000,
      max_uses: 5,
      used_count: 0,
      store_id: store.id,
      created_by: seller.userId,
      is_active: true,
      ends_at: "2026-12-31T17:00:00.000Z",
    });
  });

  it("gives a code to one of many that ask at once", async () => {
    const shops = await Promise.all(Array.from({ length: 8 }, createShop));
    const { code } = promo();
    const answers = await Promise.all(shops.map(({ seller }) => post(seller, promo({ code }))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, body]).toEqual([409, failure("Kode promo sudah dipakai", {})]);
    }
  });

  it("refuses what makes no sense, with words", async () => {
    const { seller } = await createShop();
    const wrong = [
      { value: 101 },
      { value: 0 },
      { value: -5, type: "fixed" },
      { value: 10.5 },
      { value: "10" },
      { type: "free" },
      { code: "a b" },
      { code: "'; drop table market_promo_codes; --" },
      { starts_at: "besok" },
      { ends_at: "2025-01-01" },
      { max_uses: 0 },
      { min_purchase: -1 },
    ];
    for (const change of wrong) {
      const { status, body } = await post(seller, promo(change));
      expect([status, body], JSON.stringify(change)).toEqual([400, failure(expect.any(String))]);
    }
    expect((await list(seller)).body.meta.total).toBe(0);
  });
});

describe("PUT /api/seller/promo", () => {
  it("changes what is given, never the count of uses (TB-5)", async () => {
    const { seller, store } = await createShop();
    const made = (await post(seller, promo())).body.data;
    const given = { id: made.id, is_active: false, value: 25, used_count: 0, store_id: null };
    await run(sql`update market_promo_codes set used_count = 2 where id = ${made.id}`);
    const { status, body } = await put(seller, given);
    expect(status).toBe(200);
    expect(body.data).toEqual({
      ...made,
      is_active: false,
      value: 25,
      used_count: 2,
      store_id: store.id,
      updated_at: body.data.updated_at,
    });
  });

  it("keeps it sane against what is stored", async () => {
    const { seller } = await createShop();
    const { id } = (await post(seller, promo({ max_uses: 9 }))).body.data;
    await run(sql`update market_promo_codes set used_count = 3 where id = ${id}`);
    for (const change of [{ value: 200 }, { ends_at: "2025-12-31" }, { max_uses: 2 }]) {
      const { status, body } = await put(seller, { id, ...change });
      expect([status, body], JSON.stringify(change)).toEqual([400, failure(expect.any(String))]);
    }
    expect((await put(seller, { id, max_uses: 3 })).status).toBe(200);
  });
});

describe("DELETE /api/seller/promo", () => {
  it("ends the code, named in the query or in the body, and gives its name back", async () => {
    const { seller } = await createShop();
    const given = promo();
    for (const inBody of [true, false]) {
      const { id } = (await post(seller, given)).body.data;
      const ended = await api(inBody ? path : `${path}?id=${id}`, {
        method: "DELETE",
        token: seller.token,
        ...(inBody ? { json: { id } } : {}),
      });
      expect(ended).toMatchObject({ status: 200, body: { data: { id }, error: null } });
      expect((await list(seller)).body).toMatchObject({ data: [], meta: { total: 0 } });
    }
  });

  it("without an id ends nothing", async () => {
    const { seller } = await createShop();
    await post(seller, promo());
    const { status, body } = await api(path, { method: "DELETE", token: seller.token });
    expect([status, body]).toEqual(missing);
    expect((await list(seller)).body.meta.total).toBe(1);
  });
});

it("GET /api/seller/promo lists the newest first, a page at a time", async () => {
  const { seller } = await createShop();
  const made: string[] = [];
  for (let i = 0; i < 3; i++) made.unshift((await post(seller, promo())).body.data.id);
  const { body } = await list(seller, "?page=1&limit=2");
  expect(body.data.map(({ id }: { id: string }) => id)).toEqual(made.slice(0, 2));
  expect(body.meta).toEqual({ page: 1, limit: 2, total: 3 });
});
