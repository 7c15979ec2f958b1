import { type SQL, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { createProduct, type TestProduct, type TestStore } from "../testing/factories.ts";
import { createShop, run, versionOf } from "./testing/catalogue.ts";

/** By how much a change moved the version of the store. */
async function moved(store: TestStore, change: () => Promise<unknown>): Promise<number> {
  const before = await versionOf(store.id);
  await change();
  return (await versionOf(store.id)) - before;
}

const update = (product: TestProduct, set: SQL) =>
  run(sql`update market_products set ${set} where id = ${product.id}`);
const addImage = (product: TestProduct) =>
  run(sql`insert into market_product_images (product_id, url)
    values (${product.id}, '/a.jpg'), (${product.id}, '/b.jpg')`);

describe("a store's version", () => {
  it("grows with the store's own fields", async () => {
    const { store } = await createShop();
    for (const set of [sql`name = 'Baru'`, sql`logo_url = '/x.jpg'`, sql`status = 'suspended'`]) {
      expect(
        await moved(store, () => run(sql`update market_stores set ${set} where id = ${store.id}`)),
      ).toBe(1);
    }
    const same = () => run(sql`update market_stores set name = name where id = ${store.id}`);
    expect(await moved(store, same)).toBe(0);
  });

  it("grows with what a shown product shows", async () => {
    const { store } = await createShop();
    const product = await createProduct(store);
    const shown = [
      sql`name = 'Baru'`,
      sql`price = 1`,
      sql`description = 'Baru'`,
      sql`status = 'archived'`,
      sql`status = 'active'`,
      sql`is_featured = true`,
      sql`deleted_at = now()`,
    ];
    for (const set of shown) expect(await moved(store, () => update(product, set))).toBe(1);
    expect(await moved(store, () => createProduct(store))).toBe(1);
  });

  it("grows with a shown product's images, once a statement", async () => {
    const { store } = await createShop();
    const product = await createProduct(store);
    expect(await moved(store, () => addImage(product))).toBe(1);
    const all = sql`product_id = ${product.id}`;
    const primary = () => run(sql`update market_product_images set is_primary = true where ${all}`);
    expect(await moved(store, primary)).toBe(1);
    expect(await moved(store, () => run(sql`delete from market_product_images where ${all}`))).toBe(
      1,
    );
  });

  it("counts stock where its pages count it: the last five, none, and back", async () => {
    const { store } = await createShop();
    const product = await createProduct(store, { stock: 30 });
    const steps: [SQL, number][] = [
      [sql`reserved = 20`, 0],
      [sql`reserved = 24`, 0],
      [sql`reserved = 25`, 1],
      [sql`reserved = 26`, 1],
      [sql`stock = 29, reserved = 25`, 0],
      [sql`reserved = 29`, 1],
      [sql`stock = 5, reserved = 5`, 0],
      [sql`reserved = 4`, 1],
      [sql`stock = 100`, 1],
      [sql`stock = 200`, 0],
    ];
    for (const [set, by] of steps) expect(await moved(store, () => update(product, set))).toBe(by);
  });

  it("stays while only drafts change", async () => {
    const { store } = await createShop();
    let draft: TestProduct | undefined;
    const add = async () => {
      draft = await createProduct(store, { status: "draft" });
      await update(draft, sql`name = 'Baru', price = 5`);
      await addImage(draft);
    };
    expect(await moved(store, add)).toBe(0);
  });

  it("is left alone by many who take stock at once and leave some over", async () => {
    const { store } = await createShop();
    const products = await Promise.all(Array.from({ length: 10 }, () => createProduct(store)));
    const by = await moved(store, () =>
      Promise.all(products.map((product) => update(product, sql`reserved = reserved + 1`))),
    );
    expect(by).toBe(0);
  });
});
