import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { ProviderError } from "../../../shared/providers/http.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { saveStore } from "../stores.ts";
import { createShop, failure, imageUrl, refusesStrangers, run } from "../testing/catalogue.ts";

const path = "/api/seller/store";
const put = (user: TestUser, json: unknown) =>
  api(path, { method: "PUT", token: user.token, json });
const get = (user: TestUser, query = "") => api(path + query, { token: user.token });

describe("GET /api/seller/store", () => {
  it("is for sellers", async () => {
    await refusesStrangers(path, {}, "seller");
  });

  it("answers null before there is a store, then the store", async () => {
    const seller = await createUser(["seller"]);
    expect(await get(seller)).toMatchObject({ status: 200, body: { data: null, error: null } });
    const slug = unique("toko");
    await put(seller, { name: "Kopi Wafero", slug });
    expect((await get(seller)).body.data).toMatchObject({
      user_id: seller.userId,
      name: "Kopi Wafero",
      slug,
      status: "active",
      deleted_at: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  it("says whether a slug is free; one's own and one's old slugs are", async () => {
    const { seller, store } = await createShop();
    const other = await createUser(["seller"]);
    const ask = async (user: TestUser, slug: string) =>
      (await get(user, `?check_slug=${encodeURIComponent(slug)}`)).body.data.available;
    expect(await ask(other, store.slug)).toBe(false);
    expect(await ask(seller, store.slug)).toBe(true);
    expect(await ask(other, unique("toko"))).toBe(true);
    expect(await ask(other, "www")).toBe(false);
    expect(await ask(other, "'; drop table market_stores; --")).toBe(false);
    expect(await ask(other, "a\u0000b")).toBe(false);
  });
});

describe("PUT /api/seller/store", () => {
  it("is for sellers", async () => {
    await refusesStrangers(path, { method: "PUT", json: { name: "Toko" } }, "seller");
  });

  it("creates once with 201, then changes only what is given", async () => {
    const seller = await createUser(["seller"]);
    const slug = unique("toko");
    const created = await put(seller, {
      name: "Kopi",
      slug,
      description: "Enak",
      lat: -8.1,
      lng: 112.2,
    });
    expect(created.status).toBe(201);
    const changed = await put(seller, { description: null, shipping_couriers: ["jne", "pos"] });
    expect(changed.status).toBe(200);
    expect(changed.body.data).toMatchObject({
      id: created.body.data.id,
      name: "Kopi",
      slug,
      description: null,
      lat: -8.1,
      shipping_couriers: ["jne", "posindonesia"],
    });
  });

  it("takes the slug from the name when none is given", async () => {
    const seller = await createUser(["seller"]);
    const word = unique("kopi");
    const created = await put(seller, { name: `Toko ${word}!` });
    expect(created.body.data.slug).toBe(`toko-${word}`);
  });

  it("needs a name and a usable slug at first", async () => {
    const seller = await createUser(["seller"]);
    for (const json of [{}, { slug: unique() }, { name: "ab", slug: unique() }, { name: "***" }]) {
      const refused = await put(seller, json);
      expect([refused.status, refused.body]).toEqual([400, failure(expect.any(String))]);
    }
    for (const slug of ["www", "ab", "-abc", "xn--abc", "a b", "", 5]) {
      expect((await put(seller, { name: "Toko", slug })).status, String(slug)).toBe(400);
    }
    expect((await get(seller)).body.data).toBeNull();
  });

  it("ignores what a seller may not say (TB-5)", async () => {
    const { seller, store } = await createShop();
    const given = { status: "suspended", is_featured: true, user_id: 1, id: unique(), version: 99 };
    const { status, body } = await put(seller, { name: "Kopi", ...given });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      id: store.id,
      user_id: seller.userId,
      status: "active",
      is_featured: false,
    });
  });

  it("takes only pictures that this seller uploaded (TB-20)", async () => {
    const { seller } = await createShop();
    const stranger = await createUser(["seller"]);
    const own = await put(seller, { logo_url: imageUrl(seller), banner_url: "" });
    expect(own.body.data).toMatchObject({ logo_url: imageUrl(seller), banner_url: null });
    for (const logo_url of [imageUrl(stranger), "blob:http://x/y", "https://evil.example/a.jpg"]) {
      expect((await put(seller, { logo_url })).status).toBe(400);
    }
  });

  it("keeps HTML and SQL as plain text", async () => {
    const { seller } = await createShop();
    const name = `<img src=x onerror=alert(1)>"'; drop table market_stores; --`;
    expect((await put(seller, { name })).body.data.name).toBe(name);
  });

  it("refuses wrong types with words", async () => {
    const { seller } = await createShop();
    const wrong = [
      { name: 5 },
      { name: "\u200b\u2060\u202e\u3164" },
      { lat: 91 },
      { lat: "x" },
      { shipping_couriers: "jne" },
      { shipping_couriers: ["burung"] },
      { phone: "abc" },
      { google_maps_url: "javascript:alert(1)" },
      { description: "x".repeat(6000) },
      { name: "Ko\u0000pi" },
    ];
    for (const json of wrong) {
      const refused = await put(seller, json);
      expect([refused.status, refused.body], JSON.stringify(json).slice(0, 60)).toEqual([
        400,
        failure(expect.any(String)),
      ]);
    }
  });

  it("takes a district that the courier knows, and refuses another in words before it is a trap", async () => {
    const { seller } = await createShop();
    const taken = await put(seller, { area_id: 1141, city: "Jakarta" });
    expect([taken.status, taken.body.data?.area_id]).toEqual([200, "1141"]);
    for (const area_id of ["99999999", "kelurahan-x"]) {
      const refused = await put(seller, { area_id, city: "Ternate" });
      expect([refused.status, refused.body]).toEqual([
        400,
        failure("area_id: Kecamatan ini tidak dikenal kurir. Pilih dari /api/buyer/areas.", {
          fields: { area_id: "Kecamatan ini tidak dikenal kurir. Pilih dari /api/buyer/areas." },
        }),
      ]);
    }
    expect((await get(seller)).body.data).toMatchObject({ area_id: "1141", city: "Jakarta" });
    expect((await put(seller, { area_id: null })).body.data.area_id).toBeNull();
  });

  it("keeps one form of a district, however its number is written", async () => {
    const { seller } = await createShop();
    for (const area_id of ["01141", " 0001141 ", 1141]) {
      const { status, body } = await put(seller, { area_id });
      expect([status, body.data?.area_id], String(area_id)).toEqual([200, "1141"]);
    }
  });

  it("asks the courier only about a district that it does not have yet", async () => {
    const { seller } = await createShop();
    const { providers, ...base } = testContext(seller);
    let asked = 0;
    const getRates: typeof providers.kiriminaja.getRates = async (...input) => {
      asked += 1;
      return await providers.kiriminaja.getRates(...input);
    };
    const kiriminaja = { ...providers.kiriminaja, getRates };
    const save = (area_id: string) =>
      saveStore({ ...base, providers: { ...providers, kiriminaja } }, { area_id });
    await save("1001");
    expect(asked).toBe(0);
    expect((await save("1141")).store.area_id).toBe("1141");
    expect(asked).toBe(1);
    await save("1141");
    expect(asked).toBe(1);
  });

  it("keeps the district that it has while the courier cannot be asked, and takes no new one on trust", async () => {
    const { seller, store } = await createShop();
    const { providers, ...base } = testContext(seller);
    const down = async () => {
      const failure = { kind: "unavailable", retryable: true, outcome: "not_done" } as const;
      throw new ProviderError("kiriminaja", failure, "away");
    };
    const kiriminaja = { ...providers.kiriminaja, getRates: down };
    const save = (area_id: string) =>
      saveStore({ ...base, providers: { ...providers, kiriminaja } }, { area_id, city: "Blitar" });
    expect((await save("1001")).store).toMatchObject({ id: store.id, city: "Blitar" });
    await expect(save("1141")).rejects.toMatchObject({ code: "provider_unavailable" });
    expect((await get(seller)).body.data).toMatchObject({ area_id: "1001" });
  });

  it("gives a slug to one of twenty stores that ask at once", async () => {
    const sellers = await Promise.all(Array.from({ length: 20 }, () => createUser(["seller"])));
    const slug = unique("rush");
    const answers = await Promise.all(sellers.map((seller) => put(seller, { name: "Rush", slug })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(19);
    for (const { body } of refused) expect(body).toEqual(failure("Slug sudah dipakai"));
  });

  it("makes one store of a seller's first saves at once", async () => {
    const seller = await createUser(["seller"]);
    const slug = unique("twice");
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => put(seller, { name: `Toko ${i}`, slug })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
  });

  it("keeps a slug with its store for ever", async () => {
    const { seller, store } = await createShop();
    const other = await createUser(["seller"]);
    const slug = unique("baru");
    expect((await put(seller, { slug })).body.data.slug).toBe(slug);
    for (const wanted of [slug, store.slug]) {
      const refused = await put(other, { name: "Lain", slug: wanted });
      expect([refused.status, refused.body.error]).toEqual([409, "Slug sudah dipakai"]);
    }
    expect((await put(seller, { slug: store.slug })).body.data.slug).toBe(store.slug);
  });

  it("keeps twenty slugs of a store at most, and lets it go back to any of them", async () => {
    const { seller, store } = await createShop();
    const more = Array.from({ length: 19 }, () => unique("toko"));
    await run(sql`insert into market_store_slugs (slug, store_id)
      select s, ${store.id} from jsonb_array_elements_text(${JSON.stringify(more)}::jsonb) s`);
    const refused = await put(seller, { slug: unique("toko") });
    expect([refused.status, refused.body.data]).toEqual([409, null]);
    for (const slug of [more[7], store.slug]) {
      expect((await put(seller, { slug })).body.data).toMatchObject({ slug });
    }
  });

  it("renames while products are added, without either waiting for the other for ever", async () => {
    const { seller } = await createShop();
    const product = { name: "Kopi", price: 1000, weight_gram: 10, status: "active" };
    const answers = await Promise.all(
      Array.from({ length: 15 }, async () => [
        (await put(seller, { slug: unique("baru") })).status,
        (await api("/api/seller/products", { method: "POST", token: seller.token, json: product }))
          .status,
      ]),
    );
    expect(answers).toEqual(Array(15).fill([200, 201]));
  });

  it("answers a store that was taken down as missing", async () => {
    const { seller, store } = await createShop();
    await run(sql`update market_stores set deleted_at = now() where id = ${store.id}`);
    expect((await get(seller)).body.data).toBeNull();
    const refused = await put(seller, { name: "Kembali" });
    expect([refused.status, refused.body]).toEqual([404, failure("Store not found", {})]);
  });
});
