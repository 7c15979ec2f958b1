import { createHash, randomUUID } from "node:crypto";
import { Router } from "express";
import type pg from "pg";
import { pool, query } from "./database.ts";
import { user } from "./people.ts";

const { MIDTRANS_URL, MIDTRANS_KEY } = process.env;

export const orderRoutes = Router();

orderRoutes.get("/api/buyer/orders/:id", async (request, response) => {
  const buyer = await user(request);
  const [order] = await query("select * from market_orders where id = $1 and buyer_id = $2", [
    request.params.id,
    buyer,
  ]);
  const [store] = await query("select name, slug from market_stores where id = $1", [
    order.store_id,
  ]);
  const items = await query("select * from market_order_items where order_id = $1", [order.id]);
  const [shipment] = await query("select * from market_shipments where order_id = $1", [order.id]);
  const charges = await query("select * from payments_charges where intent_id = $1", [
    order.payment_id,
  ]);
  const data = {
    ...order,
    stores: store,
    order_items: items,
    shipments: shipment ?? null,
    charges,
  };
  response.json({ data, error: null, meta: {} });
});

interface Line {
  product_id: string;
  quantity: number;
}

orderRoutes.post("/api/buyer/orders", async (request, response) => {
  const buyer = await user(request);
  const client = await pool.connect();
  try {
    await query("begin", [], client);
    const order = await place(client, buyer, request.body);
    await query("commit", [], client);
    const charges = await Promise.all([chargeQris(order), chargeSnap(order)]);
    await query(
      `insert into payments_charges (intent_id, channel, provider_ref, state, qr_string, payment_url, expires_at)
        select $1::uuid, channel, $2::text || '-' || channel, 'pending', qr, url, now() + interval '15 minutes'
        from (values ('qris', $3::text, null), ('snap', null, $4::text)) as c(channel, qr, url)`,
      [order.intent, order.number, charges[0], charges[1]],
      client,
    );
    const data = { order_id: order.id, qr_code: charges[0], payment_url: charges[1] };
    response.status(201).json({ data, error: null, meta: {} });
  } catch (error) {
    await client.query("rollback");
    response.status(409).json({ data: null, error: String(error), meta: {} });
  } finally {
    client.release();
  }
});

interface Placed {
  id: string;
  number: string;
  total: number;
  intent: string;
}

async function place(
  client: pg.PoolClient,
  buyer: number,
  input: { store_id: string; items: Line[]; shipping_address: unknown; courier: string },
): Promise<Placed> {
  const id = randomUUID();
  const number = `EX${id.replaceAll("-", "").slice(0, 12).toUpperCase()}`;
  let subtotal = 0;
  for (const { product_id, quantity } of input.items) {
    const [product] = await query(
      "select * from market_products where id = $1 and status = 'active' for update",
      [product_id],
      client,
    );
    if (product.stock - product.reserved < quantity) throw new Error("sold out");
    await query(
      "update market_products set reserved = reserved + $2 where id = $1",
      [product_id, quantity],
      client,
    );
    subtotal += Number(product.price) * quantity;
  }
  const total = subtotal + 10_000;
  const [intent] = await query(
    `insert into payments_intents (purpose, purpose_id, user_id, provider, amount, expires_at)
      values ('market_order', $1, $2, 'midtrans', $3, now() + interval '15 minutes') returning id`,
    [id, buyer, total],
    client,
  );
  await query(
    `insert into market_orders (id, number, buyer_id, store_id, subtotal_amount, shipping_amount, total_amount,
        commission_amount, shipping_address, courier, weight_gram, expires_at, payment_id)
      values ($1, $2, $3, $4, $5, 10000, $6, 0, $7, $8, 1, now() + interval '15 minutes', $9)`,
    [
      id,
      number,
      buyer,
      input.store_id,
      subtotal,
      total,
      input.shipping_address,
      { courier_code: input.courier },
      intent.id,
    ],
    client,
  );
  for (const { product_id, quantity } of input.items) {
    await query(
      `insert into market_order_items (order_id, product_id, name, quantity, unit_price, subtotal, weight_gram)
        select $1::uuid, id, name, $3::int, price, price * $3::int, weight_gram from market_products where id = $2`,
      [id, product_id, quantity],
      client,
    );
    await query(
      "delete from market_cart_items where user_id = $1 and product_id = $2",
      [buyer, product_id],
      client,
    );
  }
  return { id, number, total, intent: intent.id };
}

async function chargeQris({ number, total }: Placed): Promise<string> {
  const charge = await askMidtrans("/v2/charge", {
    payment_type: "qris",
    transaction_details: { order_id: `${number}-qris`, gross_amount: total },
  });
  return charge.qr_string ?? "";
}

async function chargeSnap({ number, total }: Placed): Promise<string> {
  const page = await askMidtrans("/snap/v1/transactions", {
    transaction_details: { order_id: `${number}-snap`, gross_amount: total },
  });
  return page.redirect_url ?? "";
}

async function askMidtrans(path: string, body: unknown): Promise<Record<string, string>> {
  const response = await fetch(`${MIDTRANS_URL}${path}`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${MIDTRANS_KEY}:`)}`,
      "content-type": "application/json",
      accept: "application/json",
    },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, string>;
}

/** A notice, believed by its signature and applied at once, as such servers do. */
orderRoutes.post("/api/webhooks/midtrans", async (request, response) => {
  const { order_id, status_code, gross_amount, signature_key, transaction_id } = request.body;
  const text = `${order_id}${status_code}${gross_amount}${MIDTRANS_KEY}`;
  if (createHash("sha512").update(text).digest("hex") !== signature_key) {
    return void response.status(401).json({ data: null, error: "signature", meta: {} });
  }
  const [charge] = await query(
    `select c.id from payments_charges c join payments_intents i on i.id = c.intent_id
      where c.provider_ref = $1`,
    [order_id],
  );
  await query("update payments_charges set transaction_id = $2, updated_at = now() where id = $1", [
    charge.id,
    transaction_id,
  ]);
  response.json({ data: { received: true }, error: null, meta: {} });
});
