import { createHash, randomInt, randomUUID } from "node:crypto";
import { Router } from "express";
import type pg from "pg";
import { pool, query } from "./database.ts";
import { user } from "./people.ts";

const { VIP_RESELLER_URL, VIP_RESELLER_API_ID = "", VIP_RESELLER_API_KEY = "" } = process.env;
const sign = createHash("md5")
  .update(VIP_RESELLER_API_ID + VIP_RESELLER_API_KEY)
  .digest("hex");

export const topupRoutes = Router();

topupRoutes.post("/api/orders/prepaid", async (request, response) => {
  const buyer = await user(request);
  const client = await pool.connect();
  try {
    await query("begin", [], client);
    const order = await place(client, buyer, request.body);
    await query("commit", [], client);
    const bought = await buy(order.code, request.body.phoneNumber);
    await query(
      "update topup_orders set state = 'processing', trxid = $2, charged_amount = $3 where id = $1",
      [order.id, bought.trxid, bought.price],
      client,
    );
    const { number, name, amount } = order;
    const told = { externalId: bought.trxid, status: "processing", service: name };
    response.json({ success: true, data: { orderNumber: number, ...told, amount } });
  } catch (error) {
    await client.query("rollback");
    response.status(400).json({ success: false, message: String(error) });
  } finally {
    client.release();
  }
});

interface Ordered {
  id: string;
  number: string;
  code: string;
  name: string;
  amount: number;
}

/** The wallet pays and the order is written, in one transaction. */
async function place(
  client: pg.PoolClient,
  buyer: number,
  input: { service: string; phoneNumber: string },
): Promise<Ordered> {
  const [service] = await query(
    "select * from topup_services where family = 'prepaid' and code = $1 and status = 'available'",
    [input.service],
    client,
  );
  const amount = Number(service.price);
  const [wallet] = await query(
    "select id, balance from ledger_accounts where kind = 'wallet' and owner_id = $1 and currency = 'IDR' for update",
    [String(buyer)],
    client,
  );
  if (Number(wallet.balance) < amount) throw new Error("Saldo tidak cukup");
  await query(
    "update ledger_accounts set balance = balance - $2 where id = $1",
    [wallet.id, amount],
    client,
  );
  const id = randomUUID();
  const number = `EXP-${Date.now()}-${randomInt(1e6)}`;
  await query(
    `insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target, amount,
      supplier_amount, state) values ($1, $2, $3, $4, 'prepaid', $5, $6, $7, $8, $9, $10, 'buying')`,
    [
      id,
      number,
      buyer,
      service.id,
      service.code,
      service.name,
      service.brand,
      input.phoneNumber,
      amount,
      service.supplier_price,
    ],
    client,
  );
  return { id, number, code: service.code, name: service.name, amount };
}

async function buy(service: string, target: string): Promise<{ trxid: string; price: number }> {
  const answer = await fetch(`${VIP_RESELLER_URL}/api/prepaid`, {
    method: "POST",
    body: new URLSearchParams({
      key: VIP_RESELLER_API_KEY,
      sign,
      type: "order",
      service,
      data_no: target,
    }),
  });
  const { result, data, message } = (await answer.json()) as {
    result: boolean;
    data: { trxid: string; price: number };
    message: string;
  };
  if (!result) throw new Error(message);
  return data;
}
