import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import worker from "../index.ts";
import { signQuote } from "../market/shipping/quotes.ts";
import { api, standIns, type TestAnswer, testContext } from "./api.ts";
import type { TestProduct, TestStore, TestUser } from "./factories.ts";

/** Where `createStore` puts a store. The courier twin knows no such district: a parcel leaves from `COURIER_AREA`. */
export const ORIGIN_AREA = "1001";
/** Districts that the courier twin knows: Sananwetan in Blitar, Tebet in Jakarta. */
export const COURIER_AREA = "1001";
export const DESTINATION_AREA = "1141";

export interface OrderOptions {
  quantity?: number;
  promoCode?: string;
  weightGram?: number;
  priceIdr?: number;
  key?: string;
  courier?: unknown;
  originAreaId?: string;
}

/** The body of a checkout whose rate was shown and signed, as the shipping route does. */
export async function orderBody(
  store: TestStore,
  lines: [TestProduct, number][],
  options: OrderOptions = {},
) {
  const courier =
    options.courier ??
    (await signQuote(testContext(), {
      storeId: store.id,
      originAreaId: options.originAreaId ?? ORIGIN_AREA,
      destinationAreaId: DESTINATION_AREA,
      weightGram: options.weightGram ?? 50_000,
      priceIdr: options.priceIdr ?? 18_000,
      courierCode: "jne",
      courierName: "JNE",
      serviceCode: "REG23",
      serviceName: "Reguler",
      duration: "2-3",
      type: "regular",
    }));
  return {
    store_id: store.id,
    items: lines.map(([product, quantity]) => ({ product_id: product.id, quantity })),
    ...(options.promoCode ? { promo_code: options.promoCode } : {}),
    courier,
    shipping_address: {
      name: "Pembeli Uji",
      phone: "081298765432",
      street: "Jl. Tebet Raya No. 5, RT 02 RW 03",
      city: "Jakarta Selatan",
      area_id: DESTINATION_AREA,
    },
  };
}

/** Places an order over the API. */
export async function order(
  buyer: TestUser,
  store: TestStore,
  lines: [TestProduct, number][],
  options: OrderOptions = {},
): Promise<TestAnswer> {
  return await api("/api/buyer/orders", {
    method: "POST",
    token: buyer.token,
    json: await orderBody(store, lines, options),
    ...(options.key ? { headers: { "idempotency-key": options.key } } : {}),
  });
}

const OrderRow = z.object({
  id: z.string(),
  number: z.string(),
  status: z.string(),
  total: z.number(),
  provider_ref: z.string(),
  snap_ref: z.string(),
  intent_state: z.string(),
});

/** What the database says of an order. */
export async function readOrder(orderId: string) {
  const [row] = await testContext().db.run(
    rows(
      sql`select o.id, o.number, o.status, o.total_amount::float8 as total, p.state as intent_state,
          (select provider_ref from payments_charges where intent_id = p.id and channel = 'qris') as provider_ref,
          (select provider_ref from payments_charges where intent_id = p.id and channel = 'snap') as snap_ref
        from market_orders o join payments_intents p on p.id = o.payment_id where o.id = ${orderId}`,
      OrderRow,
    ),
  );
  if (!row) throw new Error("no such order");
  return row;
}

export async function readStock(
  product: TestProduct,
): Promise<{ stock: number; reserved: number }> {
  const [row] = await testContext().db.run(
    rows(
      sql`select stock, reserved from market_products where id = ${product.id}`,
      z.object({ stock: z.number(), reserved: z.number() }),
    ),
  );
  if (!row) throw new Error("no such product");
  return row;
}

export async function balance(kind: string, owner: string | number): Promise<number> {
  const [row] = await testContext().db.run(
    rows(
      sql`select coalesce(sum(balance), 0)::float8 as balance from ledger_accounts
        where kind = ${kind} and owner_id = ${String(owner)} and currency = 'IDR'`,
      z.object({ balance: z.number() }),
    ),
  );
  return row?.balance ?? 0;
}

/** Turns a knob of a twin, or does by hand what a person would. */
export async function twin(url: string, path: string, body: unknown = {}, method = "POST") {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok)
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return await response.json();
}

export const payAtTwin = (providerRef: string, body: unknown = {}) =>
  twin(standIns().midtrans, `/_pay/${providerRef}`, body);

/** A notice as Midtrans signs it (midtrans.md §6), written here from the facts. */
export async function midtransNotice(fields: {
  orderRef: string;
  amount: number;
  status?: string;
  statusCode?: string;
  transactionId?: string;
  key?: string;
}): Promise<string> {
  const statusCode = fields.statusCode ?? "200";
  const gross = `${fields.amount}.00`;
  const key = fields.key ?? testContext().config.MIDTRANS_SERVER_KEY;
  const text = new TextEncoder().encode(`${fields.orderRef}${statusCode}${gross}${key}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", text));
  return JSON.stringify({
    transaction_time: "2026-11-21 12:00:00",
    transaction_status: fields.status ?? "settlement",
    transaction_id: fields.transactionId ?? crypto.randomUUID(),
    status_message: "midtrans payment notification",
    status_code: statusCode,
    signature_key: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    payment_type: "qris",
    order_id: fields.orderRef,
    merchant_id: "M0001",
    gross_amount: gross,
    fraud_status: "accept",
    currency: "IDR",
  });
}

/** Hands one message to the Worker's queue side, as the platform would. */
export async function deliverTo(queue: string, body: unknown, attempts = 1) {
  const batch = createMessageBatch(queue, [
    { id: crypto.randomUUID(), timestamp: new Date(), attempts, body },
  ]);
  const execution = createExecutionContext();
  await worker.queue(batch, env, execution);
  return await getQueueResult(batch, execution);
}

/** The queue's message for a notice that was verified. */
export const noticeMessage = (provider: string, body: string) => ({
  v: 1,
  type: "notice",
  provider,
  body,
  receivedAt: new Date().toISOString(),
  requestId: crypto.randomUUID(),
});

/** Settles an order as in life: the twin is paid, its notice arrives through the queue. */
export async function payOrder(orderId: string): Promise<void> {
  const found = await readOrder(orderId);
  await payAtTwin(found.provider_ref);
  const notice = await midtransNotice({ orderRef: found.provider_ref, amount: found.total });
  await deliverTo("webhooks", noticeMessage("midtrans", notice));
}

const JobRow = z.object({
  id: z.string(),
  state: z.string(),
  attempts: z.number(),
  error: z.string().nullable(),
});

export async function findJob(dedupeKey: string) {
  const [row] = await testContext().db.run(
    rows(sql`select id, state, attempts, error from jobs where dedupe_key = ${dedupeKey}`, JobRow),
  );
  return row ?? null;
}

/** Wakes a job by its key, whether or not its wake-up has come. */
export async function runJobByKey(dedupeKey: string, queue = "provisioning") {
  const job = await findJob(dedupeKey);
  if (!job) throw new Error(`no job ${dedupeKey}`);
  await deliverTo(queue, { v: 1, type: "job", id: job.id });
  return await findJob(dedupeKey);
}
