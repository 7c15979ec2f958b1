import { Router } from "express";
import { query } from "./database.ts";
import { user } from "./people.ts";

export const cartRoutes = Router();

const cartOf = async (userId: number) => ({
  items: await query(
    `select c.quantity, c.seen_price, p.id, p.name, p.price, p.stock, p.weight_gram, p.store_id,
        s.name as store_name, s.slug, (select url from market_product_images i where i.product_id = p.id
          order by i.is_primary desc, i.sort_order limit 1) as image_url
      from market_cart_items c join market_products p on p.id = c.product_id
      join market_stores s on s.id = p.store_id where c.user_id = $1 order by c.created_at`,
    [userId],
  ),
});

cartRoutes.get("/api/buyer/cart", async (request, response) => {
  response.json({ data: await cartOf(await user(request)), error: null, meta: {} });
});

cartRoutes.post("/api/buyer/cart", async (request, response) => {
  const id = await user(request);
  const { product_id, quantity } = request.body;
  const [product] = await query(
    "select id, price from market_products where id = $1 and status = 'active' and stock >= $2",
    [product_id, quantity],
  );
  await query(
    `insert into market_cart_items (user_id, product_id, quantity, seen_price) values ($1, $2, $3, $4)
      on conflict (user_id, product_id) do update set quantity = excluded.quantity`,
    [id, product.id, quantity, product.price],
  );
  response.json({ data: await cartOf(id), error: null, meta: {} });
});
