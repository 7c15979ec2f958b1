import { z } from "@hono/zod-openapi";

const CartStoreShape = z.object({ id: z.string(), name: z.string(), slug: z.string() });

/** A line as Postgres knows it; what the buyer is told about it is decided in cart.ts. */
export const CartRow = z.object({
  product_id: z.string(),
  quantity: z.number(),
  seen_price: z.number(),
  name: z.string(),
  price: z.number(),
  stock: z.number(),
  weight_gram: z.number(),
  image_url: z.string().nullable(),
  on_sale: z.boolean(),
  store: CartStoreShape,
});

const CartItemShape = z
  .object({
    product_id: z.string(),
    store_id: z.string(),
    name: z.string(),
    price: z.number(),
    quantity: z.number(),
    subtotal: z.number(),
    weight_gram: z.number(),
    image_url: z.string().nullable(),
    stock: z.number(),
    available: z.boolean(),
    price_changed: z.boolean(),
    previous_price: z.number(),
    message: z.string().nullable(),
    stores: CartStoreShape,
  })
  .openapi("CartItem");

/** Sums count only what can be ordered now. One order is one store, so each store stands by itself. */
export const CartShape = z
  .object({
    items: z.array(CartItemShape),
    stores: z.array(
      CartStoreShape.extend({
        subtotal: z.number(),
        weight_gram: z.number(),
        product_ids: z.array(z.string()),
      }),
    ),
    subtotal: z.number(),
    count: z.number(),
  })
  .openapi("Cart");

/** Sets the line to this quantity; 0 takes it out. */
export const CartLine = z
  .object({ product_id: z.uuid(), quantity: z.number().int().min(0).max(999) })
  .openapi("CartLine");

export type CartRow = z.output<typeof CartRow>;
export type CartItem = z.output<typeof CartItemShape>;
export type Cart = z.output<typeof CartShape>;
export type CartLine = z.output<typeof CartLine>;
