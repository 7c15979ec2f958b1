import { type SQL, sql } from "drizzle-orm";
import { expect, vi } from "vitest";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { consumeNotices } from "../../../shared/inbox/inbox.ts";
import { contextWithQueues, deliver } from "../../../shared/jobs/test-queues.ts";
import {
  confirmCharge,
  ipaymuNoticeApplier,
  reconcileCharges,
} from "../../../shared/payments/index.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { noticeMessage, twin } from "../../testing/orders.ts";
import { hostingSettlement } from "../settlement.ts";
import { orderTerms } from "../terms.ts";

/** Runs one statement for a test's own rows, as nobody in particular. */
export async function query<S extends z.ZodType>(text: SQL, row: S): Promise<z.output<S>[]> {
  return await testContext().db.run(rows(text, row));
}

export async function one<S extends z.ZodType>(text: SQL, row: S): Promise<z.output<S>> {
  const [found] = await query(text, row);
  if (found === undefined) throw new Error("no such row");
  return found;
}

export const run = async (text: SQL) => void (await query(text, z.unknown()));

/** A context whose queues keep what is sent to them. */
export const quietContext = (): Ctx => contextWithQueues().ctx;

export interface TestPlan {
  id: string;
  name: string;
  price: number;
}

/** A plan of its own, so that its slots are this test's alone. */
export async function createPlan(
  fields: { price?: number; slots?: number | null; type?: string; isActive?: boolean } = {},
): Promise<TestPlan> {
  const { price = 30_000, slots = null, type = "HOSTING", isActive = true } = fields;
  const name = unique("paket-");
  const plan = await one(
    sql`insert into hosting_plans (name, display_name, type, price, slots, is_active)
      values (${name}, ${name.toUpperCase()}, ${type}, ${price}, ${slots}, ${isActive}) returning id`,
    z.object({ id: z.string() }),
  );
  return { id: plan.id, name, price };
}

export const slotsTaken = async ({ id }: TestPlan): Promise<number> =>
  (
    await one(
      sql`select slots_taken from hosting_plans where id = ${id}`,
      z.object({ slots_taken: z.number() }),
    )
  ).slots_taken;

/** The contract's call; `more` replaces what it would say. */
export const buy = (user: TestUser | null, plan: TestPlan, more: object = {}, key?: string) =>
  api("/api/payment/create", {
    method: "POST",
    json: { planName: plan.name, planType: "hosting", price: plan.price, ...more },
    ...(user ? { token: user.token } : {}),
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });

const saleRow = z.object({
  status: z.string(),
  price: z.number(),
  intent_state: z.string().nullable(),
  ref: z.string().nullable(),
  url: z.string().nullable(),
  holds_slot: z.boolean(),
  invoice: z.string().nullable(),
  closed_reason: z.string().nullable(),
});

/** What the database says of an order and its payment. */
export const readOrder = (orderId: string) =>
  one(
    sql`select o.status, o.price::float8 as price, i.state as intent_state, c.provider_ref as ref,
        c.payment_url as url, o.holds_slot, v.number as invoice, o.closed_reason
      from hosting_orders o
      left join payments_intents i on i.id = o.intent_id
      left join payments_charges c on c.intent_id = i.id
      left join hosting_invoices v on v.order_id = o.id
      where o.id = ${orderId}`,
    saleRow,
  );

export interface Sale {
  user: TestUser;
  plan: TestPlan;
  orderId: string;
  ref: string;
  price: number;
}

/** An order whose payment page is open and recorded. */
export async function sell(
  more: object = {},
  { user, plan }: { user?: TestUser; plan?: TestPlan } = {},
): Promise<Sale> {
  const sold = { user: user ?? (await createUser()), plan: plan ?? (await createPlan()) };
  const { status, body } = await buy(sold.user, sold.plan, more);
  expect([status, body.error]).toEqual([200, undefined]);
  return await recorded(sold, body.order.id);
}

/** The provider's answer is recorded behind our own: a test that goes on by hand waits for that. */
export async function recorded(sold: Pick<Sale, "user" | "plan">, orderId: string): Promise<Sale> {
  const found = await vi.waitFor(
    async () => {
      const order = await readOrder(orderId);
      expect(order.url).not.toBeNull();
      return order;
    },
    { interval: 5 },
  );
  return { ...sold, orderId, ref: found.ref ?? "", price: found.price };
}

export const ipaymu = (path: string, body: unknown = {}, method = "POST") =>
  twin(standIns().ipaymu, path, body, method);

/** What iPaymu holds about a payment is asked for, and taken in. */
export const confirm = (ref: string, ctx: Ctx = quietContext()) =>
  confirmCharge(ctx, ref, [hostingSettlement]);

/** Pays at the twin and takes that in. */
export async function pay({ ref }: { ref: string }, body: object = {}): Promise<void> {
  await ipaymu(`/_pay/${ref}`, body);
  await confirm(ref);
}

/** A callback of iPaymu as a form, as the queue brings it once its signature was checked. */
export async function takeIn(fields: Record<string, string | number>, ctx: Ctx = quietContext()) {
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, value]) => [name, String(value)]),
  );
  const { batch, fates } = deliver("webhooks", [noticeMessage("ipaymu", form.toString())]);
  await consumeNotices(ctx, batch, [ipaymuNoticeApplier([hostingSettlement])]);
  return fates[0];
}

const told = z.object({
  transaction: z.object({ TransactionId: z.coerce.number() }).nullable(),
});

/** The fields of a callback about that payment, as the twin would send them. */
export async function callbackOf({ ref, price }: Sale, more: Record<string, string | number> = {}) {
  const { transaction } = told.parse(await ipaymu(`/_orders/${ref}`, {}, "GET"));
  return {
    trx_id: transaction?.TransactionId ?? 1,
    reference_id: ref,
    status: "berhasil",
    status_code: 1,
    sub_total: price,
    total: price,
    amount: price,
    ...more,
  };
}

const subscriptionRow = z.object({
  id: z.string(),
  status: z.string(),
  start: z.coerce.date(),
  end: z.coerce.date(),
  anchor: z.number(),
  orders: z.number(),
});

/** The subscription that an order began, or that a user has. */
export const subscriptionOf = (orderId: string) =>
  one(
    sql`select s.id, s.status, s.start_date as start, s.end_date as end, s.anchor_day as anchor,
        (select count(*)::int from hosting_orders o where o.renews_subscription_id = s.id) as orders
      from hosting_subscriptions s where s.order_id = ${orderId}`,
    subscriptionRow,
  );

export const subscriptionsOf = async (user: TestUser): Promise<number> =>
  (
    await one(
      sql`select count(*)::int as n from hosting_subscriptions where user_id = ${user.userId}`,
      z.object({ n: z.number() }),
    )
  ).n;

/** A renewal order as the nightly run opens it. */
export async function openRenewal(subscriptionId: string, at = new Date()): Promise<string> {
  const input = {
    subscription_id: subscriptionId,
    at: at.toISOString(),
    terms: orderTerms(testContext().config),
  };
  const { opened } = await one(
    sql`select hosting_renewal_open(${JSON.stringify(input)}::jsonb) as opened`,
    z.object({ opened: z.object({ order_id: z.string() }) }),
  );
  return opened.order_id;
}

/** Every transfer of the ledger that an order's payment caused. */
export const booksOf = (ref: string) =>
  query(
    sql`select split_part(t.reference, '/', 1) as what, d.kind || '/' || d.owner_id as from,
        k.kind || '/' || k.owner_id as to, t.amount::float8 as amount
      from payments_charges c
      join ledger_transfers t on split_part(t.reference, '/', 2) in (c.id::text, c.intent_id::text)
      join ledger_accounts d on d.id = t.debit_account_id
      join ledger_accounts k on k.id = t.credit_account_id
      where c.provider_ref = ${ref} order by t.id`,
    z.object({ what: z.string(), from: z.string(), to: z.string(), amount: z.number() }),
  );

/** The mails of a template that went to somebody, with what they say. */
export const mailsTo = async (user: TestUser, template: string) =>
  (
    await query(
      sql`select payload->'data' as data from jobs
        where kind = 'mail.send' and payload->>'to' = ${user.email} and payload->>'template' = ${template}`,
      z.object({ data: z.record(z.string(), z.unknown()) }),
    )
  ).map(({ data }) => data);

/** A website of the order's subscription, as provisioning leaves it. */
export const putWebsite = ({ orderId, user }: Sale, status = "ACTIVE") =>
  one(
    sql`with server as (
        insert into hosting_servers (name, driver, base_url, sealed_key, web_address, ftp_host, sites_path, capacity,
          is_active)
        values ('uji', 'aapanel', ${`https://${orderId}.example`}, 'RAHASIA', 'x', 'x', '/www/wwwroot', 5, false) returning id)
      insert into hosting_websites (user_id, subscription_id, server_id, domain, status, ftp_username, sealed_ftp_password,
        host_site_id, root)
      select ${user.userId}, s.id, server.id, ${`${orderId}.example`}, ${status}, ${`f${orderId}`}, 'RAHASIA', '7', '/www/wwwroot/x'
      from server, hosting_subscriptions s where s.order_id = ${orderId} returning id`,
    z.object({ id: z.string() }),
  );

export const ordersOf = (userId: number) =>
  query(sql`select id from hosting_orders where user_id = ${userId}`, z.object({ id: z.string() }));

export const minutesLater = (minutes: number): Ctx => ({
  ...quietContext(),
  now: () => new Date(Date.now() + minutes * 60_000),
});

/** A run of the minute cron, so many minutes on, that finds this payment due. */
export async function cron({ ref }: { ref: string | null }, minutes = 0): Promise<void> {
  await run(sql`update payments_charges set check_at = now() - interval '1 day'
    where provider_ref = ${ref} and check_at is not null`);
  await reconcileCharges(minutesLater(minutes), [hostingSettlement]);
}

/** How often an answered request asked the database so far. */
export async function roundTripsOf({ headers }: { headers: Headers }): Promise<number> {
  const id = headers.get("x-request-id");
  const answer = await fetch(`${standIns().databaseHttpUrl}/_counts?request_id=${id}`);
  return z.object({ count: z.number() }).parse(await answer.json()).count;
}
