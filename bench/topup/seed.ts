import { SignJWT } from "jose";
import pg from "pg";

export interface Customer {
  id: number;
  token: string;
}

export interface TopupSeeds {
  customers: Customer[];
  /** Codes of prepaid services that the supplier's twin sells, too. */
  codes: string[];
}

const CUSTOMERS = 200;
/** Services of the twin that sell phone credit of one operator. */
const CODES = ["S5", "S10", "S20"];

/** Customers with money, and as much of a catalogue as a shop of some size has: 20,000 services. */
export async function seedTopup(adminUrl: string, jwtKeys: string): Promise<TopupSeeds> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const statement of STATEMENTS) await client.query(statement);
    await client.query("vacuum analyze");
    const { rows } = await client.query(
      `select u.id, u.roles, s.id as session from identity_users u join identity_sessions s on s.user_id = u.id
        where u.email like 'bench-topup-%' order by u.id`,
    );
    const [kid = "", secret = ""] = jwtKeys.split(":");
    const key = new TextEncoder().encode(secret);
    const customers = rows.map(async (row): Promise<Customer> => {
      const claims = { id: Number(row.id), phone: null, sid: row.session, roles: row.roles };
      const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid });
      return { id: Number(row.id), token: await token.setExpirationTime("7 days").sign(key) };
    });
    return { customers: await Promise.all(customers), codes: CODES };
  } finally {
    await client.end();
  }
}

const STATEMENTS = [
  `with made as (
    insert into identity_users (email, phone, name, password_hash, roles)
    select 'bench-topup-' || n || '@bench.example', '0817' || (10000000 + n), 'Pelanggan ' || n, 'x', '{buyer}'::text[]
    from generate_series(1, ${CUSTOMERS}) n returning id)
  insert into identity_sessions (user_id, expires_at) select id, now() + interval '7 days' from made`,
  `select ledger_transfer('bench/topup/' || id, 'gateway', 'midtrans', 'wallet', id::text, 20000000, 'deposit')
    from identity_users where email like 'bench-topup-%'`,
  `insert into topup_services (family, code, name, brand, category, target_kind, supplier_price, price)
    select 'prepaid', code, 'Pulsa ' || code, 'TELKOMSEL', 'Pulsa', 'phone', 200000, 210000
    from unnest('{${CODES.join(",")}}'::text[]) code`,
  `insert into topup_services (family, code, name, brand, category, target_kind, supplier_price, price)
    select 'prepaid', 'X' || n, 'Paket Data ' || n, 'OPERATOR ' || n % 40, 'Paket Data', 'phone', 5000 + n, 6000 + n
    from generate_series(1, 20000) n`,
];
