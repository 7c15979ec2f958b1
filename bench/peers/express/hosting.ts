import { createHash, createHmac, randomUUID } from "node:crypto";
import { Router } from "express";
import type pg from "pg";
import { pool, query } from "./database.ts";
import { user } from "./people.ts";

const { IPAYMU_URL, IPAYMU_VA = "", IPAYMU_API_KEY = "" } = process.env;

export const hostingRoutes = Router();

hostingRoutes.get("/api/orders", async (request, response) => {
  const buyer = await user(request);
  const orders = await query(
    `select o.*, c.payment_url from hosting_orders o left join payments_charges c on c.intent_id = o.intent_id
      where o.user_id = $1 order by o.id desc limit 100`,
    [buyer],
  );
  const subscriptions = await query(
    "select * from hosting_subscriptions where order_id = any($1) or id = any($2)",
    [orders.map(({ id }) => id), orders.map((order) => order.renews_subscription_id)],
  );
  const invoices = await query(
    "select order_id, number from hosting_invoices where order_id = any($1)",
    [orders.map(({ id }) => id)],
  );
  response.json({
    orders: orders.map((order) => ({
      ...order,
      subscription: subscriptions.find(
        ({ id, order_id }) => order_id === order.id || id === order.renews_subscription_id,
      ),
      invoice: invoices.find(({ order_id }) => order_id === order.id)?.number ?? null,
    })),
  });
});

interface Wish {
  planName: string;
  planType: string;
  price: number;
  metadata: { domain: string };
}

interface Placed {
  id: string;
  intent: string;
  reference: string;
  price: number;
}

hostingRoutes.post("/api/payment/create", async (request, response) => {
  const buyer = await user(request);
  const client = await pool.connect();
  try {
    await query("begin", [], client);
    const placed = await place(client, buyer, request.body);
    await query("commit", [], client);
    const { url, sid } = await openPage(placed);
    await query(
      `insert into payments_charges (intent_id, channel, provider_ref, state, payment_url, expires_at)
        values ($1, 'redirect', $2, 'pending', $3, now() + interval '1 day')`,
      [placed.intent, placed.reference, url],
      client,
    );
    response.json({ success: true, order: placed, paymentUrl: url, sessionId: sid });
  } catch (error) {
    await client.query("rollback");
    response.status(400).json({ success: false, error: String(error) });
  } finally {
    client.release();
  }
});

/** The plan's price is charged, three unpaid orders are the most; one transaction. */
async function place(client: pg.PoolClient, buyer: number, wish: Wish): Promise<Placed> {
  const [plan] = await query(
    "select * from hosting_plans where name = $1 and type = $2 and is_active",
    [wish.planName, wish.planType.toUpperCase()],
    client,
  );
  const price = Number(plan.price);
  if (wish.price !== price) throw new Error("Harga tidak sesuai");
  const [{ unpaid }] = await query(
    "select count(*)::int as unpaid from hosting_orders where user_id = $1 and status = 'PENDING'",
    [buyer],
    client,
  );
  if (unpaid >= 3) throw new Error("Terlalu banyak pesanan yang belum dibayar");
  const id = randomUUID();
  const [intent] = await query(
    `insert into payments_intents (purpose, purpose_id, user_id, provider, amount, expires_at)
      values ('hosting', $1, $2, 'ipaymu', $3, now() + interval '1 day') returning id`,
    [id, buyer, price],
    client,
  );
  await query(
    `insert into hosting_orders (id, user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, domain,
      metadata, terms, pay_key, intent_id, expires_at)
      values ($1, $2, $3, $4, $5, $6, 1, $6, $7, $8, '{}', 'x', $9, now() + interval '1 day')`,
    [
      id,
      buyer,
      plan.id,
      plan.display_name,
      plan.type,
      price,
      wish.metadata.domain,
      wish.metadata,
      intent.id,
    ],
    client,
  );
  const reference = `EX-${id.replaceAll("-", "").slice(0, 20)}`;
  return { id, intent: intent.id, reference, price };
}

async function openPage({ reference, price }: Placed): Promise<{ url: string; sid: string }> {
  const address = "https://lumbung.example/";
  const body = JSON.stringify({
    product: ["Paket"],
    qty: [1],
    price: [price],
    description: ["Paket"],
    returnUrl: address,
    notifyUrl: address,
    cancelUrl: address,
    referenceId: reference,
    feeDirection: "MERCHANT",
  });
  const hash = createHash("sha256").update(body).digest("hex");
  const text = `POST:${IPAYMU_VA}:${hash}:${IPAYMU_API_KEY}`;
  const answer = await fetch(`${IPAYMU_URL}/api/v2/payment`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      va: IPAYMU_VA,
      signature: createHmac("sha256", IPAYMU_API_KEY).update(text).digest("hex"),
      timestamp: new Date().toISOString().replace(/\D/g, "").slice(0, 14),
    },
    body,
  });
  const { Status, Data, Message } = (await answer.json()) as {
    Status: number;
    Data: { SessionID: string; Url: string };
    Message: string;
  };
  if (Status !== 200) throw new Error(Message);
  return { url: Data.Url, sid: Data.SessionID };
}
