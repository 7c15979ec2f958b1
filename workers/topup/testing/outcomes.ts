import { sql } from "drizzle-orm";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import type { Job } from "../../../shared/jobs/jobs.ts";
import { standIns, testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { balance, twin } from "../../testing/orders.ts";
import { type Order, orderShape } from "../orders/order.ts";
import { orderJob } from "../orders/recover.ts";
import { type BenchOptions, bench } from "./bench.ts";

/** The only order of a target. */
export async function theOrderOf(target: string): Promise<Order> {
  const order = await orderOf(target);
  if (!order) throw new Error(`no order of ${target}`);
  return order;
}

/** The only order of a target, or null. */
export async function orderOf(target: string): Promise<Order | null> {
  const found = await ordersOf(target);
  if (found.length > 1) throw new Error(`${found.length} orders of ${target}`);
  return found[0] ?? null;
}

export async function ordersOf(target: string): Promise<Order[]> {
  const found = await testContext().db.run(
    rows(
      sql`select to_jsonb(o) as row from topup_orders o where o.target = ${target} order by o.id`,
      z.object({ row: orderShape }),
    ),
  );
  return found.map(({ row }) => row);
}

const Purchase = z.object({
  trxid: z.string(),
  data: z.string(),
  status: z.string(),
  price: z.number(),
});

/** What the supplier's twin sold for a target. */
export async function purchasesOf(target: string) {
  const all = z.array(Purchase).parse(await twin(standIns().vipReseller, "/_orders", {}, "GET"));
  return all.filter(({ data }) => data === target);
}

/** One run of the order's job so much later. */
export async function runOrderJob(order: Order, options: BenchOptions = {}, attempts = 1) {
  const { ctx, killed, settle } = bench(options);
  const job: Job = {
    id: crypto.randomUUID(),
    kind: orderJob.kind,
    payload: { order_id: order.id },
    state: "queued",
    attempts,
    leaseId: crypto.randomUUID(),
    createdAt: new Date(),
  };
  const outcome = await Promise.race([orderJob.run(ctx, job), killed]);
  await settle();
  return outcome;
}

/** Whether a job looks after the order, that would come without anybody's doing. */
export async function isLookedAfter({ id }: Order): Promise<boolean> {
  const found = await testContext().db.run(
    rows(
      sql`select id from jobs where dedupe_key = ${`topup.order/${id}`} and finished_at is null`,
      z.object({ id: z.uuid() }),
    ),
  );
  return found.length > 0;
}

const HOUR_MS = 3_600_000;
/** Looks after which silence is believed, the first once the attempt is over (topup_orders_silence.sql). */
export const SILENT_LONG = [80_000, 6.1 * HOUR_MS, 6.2 * HOUR_MS];

/** The order's job as often as it takes, with the pauses that the clock would make after an attempt at `fromMs`. */
export async function recover(target: string, fromMs = 0): Promise<Order | null> {
  for (const afterMs of SILENT_LONG) {
    const laterMs = fromMs + afterMs;
    for (const order of await ordersOf(target)) await runOrderJob(order, { laterMs });
  }
  return (await ordersOf(target))[0] ?? null;
}

/** The subjects of the alerts about an order. */
export async function alertsOf(order: Order): Promise<string[]> {
  const found = await testContext().db.run(
    rows(
      sql`select payload->'data'->>'what' as what from jobs
        where dedupe_key like 'mail/alert/%' and payload->'data'->'facts'->>'pesanan' = ${order.number}`,
      z.object({ what: z.string() }),
    ),
  );
  return found.map(({ what }) => what);
}

export interface Books {
  wallet: number;
  escrow: number;
}

export async function booksOf(user: TestUser): Promise<Books> {
  const [wallet, escrow] = await Promise.all([
    balance("wallet", user.userId),
    balance("escrow", `topup:${user.userId}`),
  ]);
  return { wallet, escrow };
}

/** What moved because of an order, by reference. */
export async function movesOf(order: Order): Promise<Record<string, number>> {
  const found = await testContext().db.run(
    rows(
      sql`select split_part(reference, '/', 1) as what, amount::float8 as amount from ledger_transfers
        where reference like ${`topup-%/${order.id}`}`,
      z.object({ what: z.string(), amount: z.number() }),
    ),
  );
  return Object.fromEntries(found.map(({ what, amount }) => [what, amount]));
}

export async function sumOfLedger(): Promise<number> {
  const [row] = await testContext().db.run(
    rows(
      sql`select coalesce(sum(balance), 0)::float8 as sum from ledger_accounts where currency = 'IDR'`,
      z.object({ sum: z.number() }),
    ),
  );
  return row?.sum ?? Number.NaN;
}
