import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import type { Statement } from "../../../shared/db/statement.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { createPlan, one, query, quietContext, run, type TestPlan } from "./sales.ts";

/**
 * Tests of the nightly run live years ago, each in a time of its own: a run looks at every subscription that has ended
 * by then, so those of other tests lie in its future.
 */
export interface Subscribed {
  id: string;
  user: TestUser;
  plan: TestPlan;
  websiteId: string | null;
}

export interface SubscribeFields {
  endsAt: Date;
  autoRenew?: boolean;
  plan?: TestPlan;
  user?: TestUser;
  website?: boolean;
}

/** A subscription whose paid month ends then. */
export async function subscribeUntil(fields: SubscribeFields): Promise<Subscribed> {
  const { endsAt, autoRenew = true, website = false } = fields;
  const user = fields.user ?? (await createUser());
  const plan = fields.plan ?? (await createPlan());
  const start = new Date(endsAt.getTime() - 30 * 86_400_000).toISOString();
  const { id } = await one(
    sql`with o as (
        insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, status,
          paid_at, terms, pay_key)
        values (${user.userId}, ${plan.id}, 'Uji', 'HOSTING', ${plan.price}, 1, ${plan.price}, 'COMPLETED', ${start},
          '{"ppn_percent": 0, "seller": {"name": "", "address": "", "tax_id": ""}}', ${unique()})
        returning id)
      insert into hosting_subscriptions (user_id, order_id, plan_id, plan_name, plan_type, start_date, end_date,
        anchor_day, duration, price, auto_renew)
      select ${user.userId}, o.id, ${plan.id}, 'Uji', 'HOSTING', ${start}, ${endsAt.toISOString()},
        hosting_day_of(${endsAt.toISOString()}::timestamptz), 1, ${plan.price}, ${autoRenew} from o
      returning id`,
    z.object({ id: z.string() }),
  );
  const websiteId = website ? await putSite(user, id) : null;
  return { id, user, plan, websiteId };
}

async function putSite(user: TestUser, subscriptionId: string): Promise<string> {
  const word = unique("situs-");
  const { id } = await one(
    sql`with s as (
        insert into hosting_servers (name, driver, base_url, web_address, ftp_host, sites_path, capacity, is_active)
        values (${word}, 'aapanel', ${`https://${word}.test`}, 'x', 'x', '/www/wwwroot', 1, false) returning id)
      insert into hosting_websites (user_id, subscription_id, server_id, domain, status, host_site_id, root,
        ftp_username, sealed_ftp_password)
      select ${user.userId}, ${subscriptionId}, s.id, ${`${word}.web.id`}, 'ACTIVE', '1', '/www', ${word}, 'x' from s
      returning id`,
    z.object({ id: z.string() }),
  );
  return id;
}

/** A context with that clock, whose queues keep what is sent to them. */
export const contextOn = (at: Date | string): Ctx => ({
  ...quietContext(),
  now: () => new Date(at),
});

/** A moment on Jakarta's clock. */
export const wib = (text: string) => new Date(`${text.replace(" ", "T")}+07:00`);

export const daysAfter = (moment: Date, days: number) =>
  new Date(moment.getTime() + days * 86_400_000);

/** The steps that were taken for it, in their order. */
export const stepsOf = async ({ id }: Subscribed): Promise<string[]> =>
  (
    await query(
      sql`select step from hosting_renewal_steps where subscription_id = ${id} order by done_at, step`,
      z.object({ step: z.string() }),
    )
  ).map(({ step }) => step);

export const statusOf = ({ id }: Subscribed) =>
  one(
    sql`select status, end_date as end, suspended_at as suspended, deleted_at as deleted
      from hosting_subscriptions where id = ${id}`,
    z.object({
      status: z.string(),
      end: z.coerce.date(),
      suspended: z.coerce.date().nullable(),
      deleted: z.coerce.date().nullable(),
    }),
  );

/** Its mails in their order: which template, and what it was told. */
export const mailsOf = ({ user }: Subscribed) =>
  query(
    sql`select id, payload->>'template' as template, payload->'data' as data from jobs
      where kind = 'mail.send' and payload->>'to' = ${user.email} order by id`,
    z.object({ id: z.string(), template: z.string(), data: z.record(z.string(), z.unknown()) }),
  );

/** What was ordered for its website: suspend, resume, delete. */
export const siteOrdersOf = async ({ websiteId }: Subscribed): Promise<string[]> =>
  (
    await query(
      sql`select kind from jobs where payload->>'website_id' = ${websiteId} order by id`,
      z.object({ kind: z.string() }),
    )
  ).map(({ kind }) => kind.replace(/^hosting\.(.*)-site$/, "$1"));

export const renewalOrderOf = ({ id }: Subscribed) =>
  query(
    sql`select id, status, price::float8 as price, pay_key as key, renews_period as period from hosting_orders
      where renews_subscription_id = ${id} order by id`,
    z.object({
      id: z.string(),
      status: z.string(),
      price: z.number(),
      key: z.string(),
      period: z.coerce.date(),
    }),
  );

/** Opens its payment page at that moment; the page itself is nobody's business here. */
export async function openPage(subscribed: Subscribed, at: Date): Promise<Page> {
  const [order] = (await renewalOrderOf(subscribed)).filter(({ status }) => status === "PENDING");
  const input = {
    order_id: order?.id,
    pay_key: order?.key,
    provider: "ipaymu",
    channels: ["redirect"],
    expiry_minutes: 1440,
    lease_seconds: 30,
    at: at.toISOString(),
  };
  const { ref, intent, amount } = await one(
    sql`select o->'payment'->'charges'->0->>'provider_ref' as ref, o->'payment'->>'intent_id' as intent,
        (o->'payment'->>'amount')::float8 as amount
      from hosting_order_pay(${JSON.stringify(input)}::jsonb) o`,
    z.object({ ref: z.string(), intent: z.string(), amount: z.number() }),
  );
  return { ref, intent, amount };
}

export interface Page {
  ref: string;
  intent: string;
  amount: number;
}

/** The statements with which a confirmed payment is settled (shared/payments/confirm.ts), at that moment. */
export async function settlePage({ ref, intent, amount }: Page, at: Date): Promise<void> {
  const paid = { provider_ref: ref, transaction_id: ref, amount, paid_at: at.toISOString() };
  await run(sql`select payments_settle(${JSON.stringify(paid)}::jsonb)`);
  const settled = { intent_id: intent, at: at.toISOString() };
  await run(sql`select hosting_settled(${JSON.stringify(settled)}::jsonb)`);
}

export const payAt = async (subscribed: Subscribed, at: Date): Promise<void> =>
  await settlePage(await openPage(subscribed, at), at);

/** A context whose process is killed at that call of the database (from 0): before it acts, or after. */
export function dyingContext(at: Date, killAt: number, kill: "before" | "after"): Ctx {
  const ctx = contextOn(at);
  return { ...ctx, db: new DyingDatabase(ctx, killAt, kill) };
}

class DyingDatabase extends Database {
  readonly #killAt: number;
  readonly #kill: "before" | "after";
  #calls = 0;

  constructor(ctx: Ctx, killAt: number, kill: "before" | "after") {
    const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
    super(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId);
    this.#killAt = killAt;
    this.#kill = kill;
  }

  override async batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    const dies = this.#calls++ === this.#killAt;
    if (dies && this.#kill === "before") throw new Error("killed");
    const result = await super.batch(queries, constraints);
    if (dies) throw new Error("killed");
    return result;
  }
}
