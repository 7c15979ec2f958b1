import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { onSale, pictureColumn } from "./catalogue-rows.ts";
import { type Cart, type CartItem, type CartLine, CartRow } from "./schemas/cart.ts";

export const MAX_CART_LINES = 100;

const lines = (ctx: Ctx) =>
  rows(
    sql`select c.product_id, c.quantity, c.seen_price::float8 as seen_price, p.name, p.price::float8 as price,
        p.stock - p.reserved as stock, p.weight_gram, (${onSale}) as on_sale,
        json_build_object('id', s.id, 'name', s.name, 'slug', s.slug) as store,
        (select ${pictureColumn(ctx, "i.url")} from market_product_images i where i.product_id = p.id
          order by i.is_primary desc, i.sort_order, i.id limit 1) as image_url
      from market_cart_items c join market_products p on p.id = c.product_id
        join market_stores s on s.id = p.store_id
      where c.user_id = ${actorOf(ctx).userId} order by c.created_at desc, c.product_id desc`,
    CartRow,
  );

/** The actor's cart at today's prices and stock. */
export async function getCart(ctx: Ctx): Promise<Cart> {
  return summarise(await ctx.db.run(lines(ctx)));
}

/** Sets the quantity of one product (0 takes it out), so that a repeated call changes nothing. */
export async function setCartLine(
  ctx: Ctx,
  input: CartLine,
): Promise<{ created: boolean; cart: Cart }> {
  if (input.quantity === 0) {
    return { created: false, cart: await removeFromCart(ctx, input.product_id) };
  }
  const { userId } = actorOf(ctx);
  const [{ created }, left] = await ctx.db.batch([
    call(
      "market_cart_set",
      { ...input, user_id: userId, max_lines: MAX_CART_LINES },
      z.object({ created: z.boolean() }),
    ),
    lines(ctx),
  ]);
  return { created, cart: summarise(left) };
}

/** Takes one product out of the cart, or all without a product. What is not there is out already. */
export async function removeFromCart(ctx: Ctx, productId: string | null): Promise<Cart> {
  const { userId } = actorOf(ctx);
  const [, left] = await ctx.db.batch([
    rows(
      sql`delete from market_cart_items c where c.user_id = ${userId}
        and (${productId}::uuid is null or c.product_id = ${productId}::uuid)`,
      z.unknown(),
    ),
    lines(ctx),
  ]);
  return summarise(left);
}

/** What the buyer is told of each line, and the sums per store and in all of what can be ordered now. */
export function summarise(found: readonly CartRow[]): Cart {
  const items = found.map(cartItem);
  const stores = new Map<string, Cart["stores"][number]>();
  for (const item of items) {
    const store = stores.get(item.store_id) ?? {
      ...item.stores,
      subtotal: 0,
      weight_gram: 0,
      product_ids: [],
    };
    stores.set(item.store_id, store);
    store.product_ids.push(item.product_id);
    if (!item.available) continue;
    store.subtotal += item.subtotal;
    store.weight_gram += item.weight_gram * item.quantity;
  }
  const perStore = [...stores.values()];
  const subtotal = perStore.reduce((sum, store) => sum + store.subtotal, 0);
  return { items, stores: perStore, subtotal, count: items.length };
}

function cartItem(row: CartRow): CartItem {
  const { seen_price, on_sale, store, stock, ...shown } = row;
  const left = on_sale ? Math.max(0, stock) : 0;
  return {
    ...shown,
    store_id: store.id,
    stock: left,
    subtotal: row.price * row.quantity,
    available: left >= row.quantity,
    price_changed: row.price !== seen_price,
    previous_price: seen_price,
    message: messageFor(row, left),
    stores: store,
  };
}

function messageFor(row: CartRow, left: number): string | null {
  if (!row.on_sale) return "Produk sudah tidak dijual";
  if (left === 0) return "Stok habis";
  if (left < row.quantity) return `Stok tersisa ${left}`;
  if (row.price === row.seen_price) return null;
  return `Harga berubah dari ${inRupiah(row.seen_price)} menjadi ${inRupiah(row.price)}`;
}

const inRupiah = (amount: number) => `Rp${amount.toLocaleString("id-ID")}`;
