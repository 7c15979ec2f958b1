import { Router } from "express";
import { query } from "./database.ts";
import { user } from "./people.ts";

export const catalogueRoutes = Router();

catalogueRoutes.get("/api/buyer/products", async (request, response) => {
  const search = `%${request.query.search ?? ""}%`;
  const filter = `from market_products p join market_stores s on s.id = p.store_id
    where p.status = 'active' and p.deleted_at is null and s.status = 'active' and p.name ilike $1`;
  const [{ total }] = await query(`select count(*) as total ${filter}`, [search]);
  const rows = await query(
    `select p.*, json_build_object('name', s.name, 'slug', s.slug) as stores ${filter}
      order by p.created_at desc, p.id desc limit 20`,
    [search],
  );
  await addImages(rows);
  response.json({ data: rows, error: null, meta: { page: 1, limit: 20, total: Number(total) } });
});

catalogueRoutes.get("/api/seller/products", async (request, response) => {
  const id = await user(request);
  const [store] = await query("select id from market_stores where user_id = $1", [id]);
  const [{ total }] = await query(
    "select count(*) as total from market_products where store_id = $1 and deleted_at is null",
    [store.id],
  );
  const rows = await query(
    `select * from market_products where store_id = $1 and deleted_at is null
      order by created_at desc, id desc limit 20`,
    [store.id],
  );
  await addImages(rows);
  response.json({ data: rows, error: null, meta: { page: 1, limit: 20, total: Number(total) } });
});

async function addImages(products: { id: string; product_images?: unknown[] }[]): Promise<void> {
  const ids = products.map(({ id }) => id);
  const images = await query(
    "select * from market_product_images where product_id = any($1) order by sort_order",
    [ids],
  );
  for (const product of products) {
    product.product_images = images.filter((image) => image.product_id === product.id);
  }
}
