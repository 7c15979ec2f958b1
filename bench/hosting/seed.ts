import { SignJWT } from "jose";
import pg from "pg";

export interface Customer {
  token: string;
}

export interface HostingSeeds {
  /** They have bought nothing yet: a customer may leave three orders unpaid, and each of these orders once or twice. */
  buyers: Customer[];
  /** Ten paid orders each, some of them renewals. */
  readers: Customer[];
}

export const PLAN = { name: "bench-plan", price: 30_000 };
const BUYERS = 4_000;
const READERS = 200;

/** Customers of a hoster of some size: 4,200 of them, 2,000 orders with subscriptions and invoices. */
export async function seedHosting(adminUrl: string, jwtKeys: string): Promise<HostingSeeds> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const statement of STATEMENTS) await client.query(statement);
    await client.query("vacuum analyze");
    const people = async (kind: string): Promise<Customer[]> => {
      const { rows } = await client.query(
        `select u.id, s.id as session from identity_users u join identity_sessions s on s.user_id = u.id
          where u.email like 'bench-plan-' || $1 || '-%' order by u.id`,
        [kind],
      );
      return await Promise.all(rows.map(async (row) => ({ token: await sign(row, jwtKeys) })));
    };
    return { buyers: await people("buyer"), readers: await people("reader") };
  } finally {
    await client.end();
  }
}

async function sign({ id, session }: { id: string; session: string }, jwtKeys: string) {
  const [kid = "", secret = ""] = jwtKeys.split(":");
  const claims = { id: Number(id), phone: null, sid: session, roles: ["buyer"] };
  const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid });
  return await token.setExpirationTime("7 days").sign(new TextEncoder().encode(secret));
}

const TERMS = `'{"ppn_percent": 0, "seller": {"name": "", "address": "", "tax_id": ""}}'`;

const STATEMENTS = [
  `with told(kind, people) as (values ('buyer', ${BUYERS}), ('reader', ${READERS}))
  , made as (
    insert into identity_users (email, name, password_hash, roles)
    select 'bench-plan-' || kind || '-' || n || '@bench.example', 'Pelanggan ' || n, 'x', '{buyer}'::text[]
    from told, generate_series(1, people) n returning id)
  insert into identity_sessions (user_id, expires_at) select id, now() + interval '7 days' from made`,
  `insert into hosting_plans (name, display_name, type, price)
    values ('${PLAN.name}', '${PLAN.name}', 'HOSTING', ${PLAN.price})`,
  `with people as (select id from identity_users where email like 'bench-plan-reader-%')
  , ordered as (
    insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, status, paid_at,
      terms, pay_key, domain)
    select u.id, p.id, p.display_name, p.type, p.price, 1, p.price, 'COMPLETED', now(), ${TERMS}, 'bench',
      'situs-' || n || '.example'
    from people u, hosting_plans p, generate_series(1, 5) n where p.name = '${PLAN.name}' returning *)
  insert into hosting_subscriptions (user_id, order_id, plan_id, plan_name, plan_type, start_date, end_date, anchor_day,
    duration, price)
  select user_id, id, plan_id, plan_name, plan_type, now() - interval '20 days', now() + interval '40 days', 1, 1, price
  from ordered`,
  `insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, status, paid_at,
    terms, pay_key, renews_subscription_id, renews_period)
  select s.user_id, s.plan_id, s.plan_name, s.plan_type, s.price, 1, s.price, 'COMPLETED', now(), ${TERMS}, 'bench', s.id,
    s.end_date - interval '30 days'
  from hosting_subscriptions s join identity_users u on u.id = s.user_id and u.email like 'bench-plan-reader-%'`,
];
