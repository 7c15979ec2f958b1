import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createProduct, unique } from "../../testing/factories.ts";
import { createShop, failure, run } from "../testing/catalogue.ts";

const search = (query: string) => api(`/api/buyer/products?${query}`);
const namesOf = async (query: string): Promise<string[]> =>
  (await search(query)).body.data.map(({ name }: { name: string }) => name);

describe("GET /api/buyer/products", () => {
  it("needs no sign-in and shows a product with its images and store, less what is reserved", async () => {
    const { store } = await createShop();
    const { id, name } = await createProduct(store, { stock: 9 });
    await run(sql`update market_products set reserved = 2 where id = ${id}`);
    await run(
      sql`insert into market_product_images (product_id, url, is_primary) values (${id}, '/x.jpg', true)`,
    );
    const { status, body } = await search(`store_id=${store.id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      error: null,
      meta: { page: 1, limit: 20, total: 1, capped: false, mended: false, next_cursor: null },
    });
    expect(body.data).toMatchObject([
      {
        id,
        name,
        price: 25_000,
        stock: 7,
        product_images: [{ url: "/x.jpg", is_primary: true }],
        stores: { name: `Toko ${store.slug}`, slug: store.slug },
      },
    ]);
    expect(body.data[0]).not.toHaveProperty("reserved");
  });

  it("hides drafts, archived and deleted products, and closed stores (TB-17)", async () => {
    const { store } = await createShop();
    await createProduct(store, { status: "draft" });
    await createProduct(store, { status: "archived" });
    const gone = await createProduct(store);
    await run(sql`update market_products set deleted_at = now() where id = ${gone.id}`);
    const shown = await createProduct(store);
    expect(await namesOf(`store_id=${store.id}`)).toEqual([shown.name]);
    const closed = [
      sql`status = 'suspended'`,
      sql`status = 'inactive'`,
      sql`status = 'active', deleted_at = now()`,
    ];
    for (const change of closed) {
      await run(sql`update market_stores set ${change} where id = ${store.id}`);
      const { body } = await search(`store_id=${store.id}`);
      expect(body).toMatchObject({ data: [], meta: { total: 0 } });
    }
  });

  it("finds every word anywhere in the name, with % and _ as letters", async () => {
    const { store } = await createShop();
    const word = unique("z");
    await createProduct(store, { name: `Kopi 50% ${word}` });
    await createProduct(store, { name: `Teh_Hijau ${word}` });
    expect(await namesOf(`q=${word.slice(2)}`)).toHaveLength(2);
    expect(await namesOf(`search=${word.toUpperCase()}%20kopi`)).toEqual([`Kopi 50% ${word}`]);
    expect(await namesOf(`q=${word}%2050%25`)).toEqual([`Kopi 50% ${word}`]);
    expect(await namesOf(`q=${word}%20t_h`)).toEqual([]);
    expect(await namesOf(`q=${word}%20h_hij`)).toEqual([`Teh_Hijau ${word}`]);
    expect(await namesOf(`q=${word}%20ko`)).toEqual([`Kopi 50% ${word}`]);
    expect(await namesOf(`q=${word}%20'%3B--`)).toEqual([]);
  });

  it("filters by price, category and featuring", async () => {
    const { store } = await createShop();
    const cheap = await createProduct(store, { price: 1000 });
    const dear = await createProduct(store, { price: 9000 });
    const of = `store_id=${store.id}`;
    expect(await namesOf(`${of}&price_min=2000`)).toEqual([dear.name]);
    expect(await namesOf(`${of}&price_max=1000&price_min=`)).toEqual([cheap.name]);
    const [category] = (await api("/api/buyer/categories")).body.data;
    await run(sql`update market_products set category_id = ${category.id} where id = ${cheap.id}`);
    expect(await namesOf(`${of}&category_id=${category.id}`)).toEqual([cheap.name]);
    await run(sql`update market_products set is_featured = true where id = ${dear.id}`);
    expect(await namesOf(`${of}&featured=true`)).toEqual([dear.name]);
    expect(await namesOf(`${of}&featured=false`)).toHaveLength(2);
  });

  it("forgives paging that is no number, as the shop's own pages send it (TB-15)", async () => {
    const { store } = await createShop();
    for (let i = 0; i < 3; i++) await createProduct(store);
    const of = `store_id=${store.id}`;
    for (const paging of ["limit=0", "page=NaN&limit=-1", "page=0&limit=abc", "page=&limit="]) {
      const { status, body } = await search(`${of}&${paging}`);
      expect([status, body.data.length, body.meta.total]).toEqual([200, 3, 3]);
    }
    const second = await search(`${of}&page=2&limit=2`);
    expect([second.body.data.length, second.body.meta]).toEqual([
      1,
      { page: 2, limit: 2, total: 3, capped: false, mended: false, next_cursor: null },
    ]);
    expect((await search(`${of}&page=99999999&limit=100`)).body.data).toEqual([]);
  });

  it("refuses a filter that is none, with words", async () => {
    for (const query of [
      "price_min=abc",
      "price_max=-5",
      "category_id=1%20or%201=1",
      "store_id=x",
    ]) {
      const { status, body } = await search(query);
      expect([status, body], query).toEqual([400, failure(expect.any(String))]);
    }
  });

  it("counts a thousand matches and says when there are more", async () => {
    const { store } = await createShop();
    await run(sql`insert into market_products (store_id, name, price, weight_gram, status)
      select ${store.id}, 'Banyak ' || g, 1000, 100, 'active' from generate_series(1, 1005) g`);
    const { body } = await search(`store_id=${store.id}&page=10&limit=100`);
    expect(body.data).toHaveLength(100);
    expect(body.meta).toMatchObject({ page: 10, limit: 100, total: 1000, capped: true });
    expect((await search(`store_id=${store.id}&page=11&limit=100`)).body.data).toEqual([]);
  });
});

describe("GET /api/buyer/categories", () => {
  it("lists all by name, for everybody", async () => {
    const { status, body } = await api("/api/buyer/categories");
    expect([status, body.error]).toEqual([200, null]);
    expect(body.data.length).toBeGreaterThanOrEqual(12);
    expect(body.data[0]).toEqual({
      id: expect.any(String),
      name: expect.any(String),
      slug: expect.stringMatching(/^[a-z-]+$/),
      icon_url: null,
      parent_id: null,
    });
  });
});
