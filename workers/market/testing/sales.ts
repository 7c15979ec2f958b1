import { sql } from "drizzle-orm";
import { expect, vi } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import { rows, type Statement } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import { noticeApplier } from "../../../shared/payments/index.ts";
import { testContext } from "../../testing/api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "../../testing/factories.ts";
import {
  COURIER_AREA,
  midtransNotice,
  noticeMessage,
  type OrderOptions,
  order,
  payAtTwin,
  readOrder,
} from "../../testing/orders.ts";
import { orderSettlement } from "../orders/settlement.ts";
import { courierApplier } from "../shipping/courier-news.ts";

export interface Shop {
  seller: TestUser;
  buyer: TestUser;
  store: TestStore;
}

/** A store of its own, so that its escrow and its seller's wallet hold this test's money alone. */
export async function openShop(): Promise<Shop> {
  const [seller, buyer] = await Promise.all([createUser(["buyer", "seller"]), createUser()]);
  return { seller, buyer, store: await createStore(seller, COURIER_AREA) };
}

export interface Sale extends Shop {
  product: TestProduct;
  orderId: string;
  number: string;
  total: number;
  qris: string;
  snap: string;
}

/** A placed order of one product. */
export async function sell(
  shop: Shop,
  fields: { price?: number; stock?: number; quantity?: number } & OrderOptions = {},
): Promise<Sale> {
  const { price = 25_000, stock = 10, quantity = 2, ...options } = fields;
  const product = await createProduct(shop.store, { price, stock });
  return await sellAgain(shop, product, quantity, options);
}

/** Another order of a product that is there. */
export async function sellAgain(
  shop: Shop,
  product: TestProduct,
  quantity = 1,
  options: OrderOptions = {},
): Promise<Sale> {
  const { status, body } = await order(shop.buyer, shop.store, [[product, quantity]], {
    originAreaId: COURIER_AREA,
    ...options,
  });
  expect([status, body.error]).toEqual([201, null]);
  const orderId: string = body.data.order_id;
  await untilRecorded(orderId);
  const { number, total, provider_ref: qris, snap_ref: snap } = await readOrder(orderId);
  return { ...shop, product, orderId, number, total, qris, snap };
}

/** The provider's answers are recorded behind our own answer: a test that goes on by hand waits for that. */
async function untilRecorded(orderId: string): Promise<void> {
  const open = rows(
    sql`select count(*)::int as open from payments_charges c join market_orders o on o.payment_id = c.intent_id
      where o.id = ${orderId} and c.state = 'creating'`,
    z.object({ open: z.number() }),
  );
  await vi.waitFor(async () => expect(await testContext().db.run(open)).toEqual([{ open: 0 }]), {
    interval: 5,
  });
}

/** A promo code of the store, or of the platform. */
export async function makePromo(
  { seller, store }: Shop,
  fields: { value?: number; maxUses?: number; platform?: boolean } = {},
): Promise<string> {
  const code = unique("P").slice(0, 18).toUpperCase();
  await testContext().db.run(
    rows(
      sql`insert into market_promo_codes (store_id, created_by, code, type, value, max_uses, starts_at, ends_at)
        values (${fields.platform ? null : store.id}, ${seller.userId}, ${code}, 'percentage', ${fields.value ?? 10},
          ${fields.maxUses ?? null}, now() - interval '1 hour', now() + interval '1 hour')`,
      z.unknown(),
    ),
  );
  return code;
}

export async function usesOf(code: string): Promise<number> {
  const [row] = await testContext().db.run(
    rows(
      sql`select used_count from market_promo_codes where code = ${code}`,
      z.object({ used_count: z.number() }),
    ),
  );
  return row?.used_count ?? -1;
}

/** A context whose wake-ups go nowhere: a job runs when its test says so, and never beside it. */
export const quietContext = (): Ctx => contextWithQueues().ctx;

const appliers = [noticeApplier([orderSettlement]), courierApplier];

/** One delivery of a verified notice to the queue side; answers what became of the message. */
export async function takeIn(provider: string, body: string, ctx: Ctx = quietContext()) {
  const { batch, fates } = deliver("webhooks", [noticeMessage(provider, body)]);
  await consumeNotices(ctx, batch, appliers);
  return fates[0];
}

export const paidNotice = (sale: Sale, ref = sale.qris) =>
  midtransNotice({ orderRef: ref, amount: sale.total });

/** Pays at the twin and takes its notice in, quietly. */
export async function settle(sale: Sale, ref = sale.qris): Promise<void> {
  await payAtTwin(ref);
  await takeIn("midtrans", await paidNotice(sale, ref));
}

/** The buyer picks QRIS on the hosted page: only now does the provider know of a transaction, and can end it. */
export async function pickOnPage(paymentUrl: string): Promise<void> {
  const body = new URLSearchParams({ method: "qris" });
  const answer = await fetch(`${paymentUrl}/pick`, { method: "POST", body, redirect: "manual" });
  if (answer.status >= 400) throw new Error(`the page answered ${answer.status}`);
}

const Transfer = z.object({
  what: z.string(),
  from: z.string(),
  to: z.string(),
  amount: z.number(),
});

/** Every transfer that an order and its charges caused, by kind of reference and of account. */
export async function booksOf({ orderId }: Sale) {
  return await testContext().db.run(
    rows(
      sql`select split_part(t.reference, '/', 1) as what, d.kind as from, c.kind as to, t.amount::float8 as amount
        from ledger_transfers t
        join ledger_accounts d on d.id = t.debit_account_id
        join ledger_accounts c on c.id = t.credit_account_id
        where split_part(t.reference, '/', 2) in (
          select ${orderId}::text union all select c.id::text from payments_charges c
          join market_orders o on o.payment_id = c.intent_id where o.id = ${orderId})
        order by 1, 2, 3`,
      Transfer,
    ),
  );
}

/** What all accounts of the ledger add up to. */
export async function sumOfLedger(): Promise<number> {
  const [row] = await testContext().db.run(
    rows(
      sql`select coalesce(sum(balance), 0)::float8 as sum from ledger_accounts where currency = 'IDR'`,
      z.object({ sum: z.number() }),
    ),
  );
  return row?.sum ?? Number.NaN;
}

/** The keys of the jobs that an order caused (mails too), sorted. */
export async function jobsOf({ orderId }: Sale): Promise<string[]> {
  const found = await testContext().db.run(
    rows(
      sql`select replace(dedupe_key, ${orderId}, '*') as key from jobs
        where dedupe_key like ${`%${orderId}%`} order by 1`,
      z.object({ key: z.string() }),
    ),
  );
  return found.map(({ key }) => key);
}

/** How a call of the database fails: its statement never arrives, or it runs and only its answer is lost. */
export type Kill = "before" | "after";

class DyingDatabase extends Database {
  readonly #at: number;
  readonly #kill: Kill;
  calls = 0;

  constructor(ctx: Ctx, at: number, kill: Kill) {
    const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
    super(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId);
    this.#at = at;
    this.#kill = kill;
  }

  override async batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    const dies = this.calls === this.#at;
    this.calls += 1;
    if (dies && this.#kill === "before") throw gone();
    const results = await super.batch(queries, constraints);
    if (dies) throw gone();
    return results;
  }
}

const gone = () => new AppError("unavailable", "the test took the database away");

/** A context whose `at`th call of the database (from 0) fails as told; `calls` says how many there were. */
export function dyingContext(ctx: Ctx, at: number, kill: Kill) {
  const db = new DyingDatabase(ctx, at, kill);
  return { ctx: { ...ctx, db }, calls: () => db.calls };
}
