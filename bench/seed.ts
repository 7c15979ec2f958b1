import bcrypt from "bcryptjs";
import { SignJWT } from "jose";
import pg from "pg";

export interface Person {
  id: number;
  email: string;
  token: string;
}

export interface Seeds {
  buyers: Person[];
  seller: Person;
  /** The store whose pages and goods are asked for: 60 products. */
  store: { id: string; slug: string; productIds: string[] };
  /** `buyer` is a place in `buyers`. */
  orders: { id: string; buyer: number; providerRef: string; total: number }[];
}

export const PASSWORD = "bench-rahasia-1";
const BUYERS = 50;
const ORDERS_EACH = 20;

/** A marketplace of some size, written straight to Postgres: 100 stores, some 20,000 products, 1,000 orders. */
export async function seed(adminUrl: string, jwtKeys: string): Promise<Seeds> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query("begin");
    await client.query(USERS, [await bcrypt.hash(PASSWORD, 10)]);
    for (const statement of CATALOGUE) await client.query(statement);
    for (const statement of SALES) await client.query(statement);
    await client.query("commit");
    await client.query("vacuum analyze");
    return await read(client, jwtKeys);
  } finally {
    await client.end();
  }
}

/** Which district the parcels of all stores leave from. */
export async function setOrigin(adminUrl: string, areaId: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query("update market_stores set area_id = $1", [areaId]);
  await client.end();
}

const USERS = `with made as (
    insert into identity_users (email, phone, name, password_hash, roles)
    select 'bench-buyer-' || n || '@bench.example', '0812' || (10000000 + n), 'Pembeli ' || n, $1, '{buyer}'::text[]
    from generate_series(1, ${BUYERS}) n
    union all
    select 'bench-seller-' || n || '@bench.example', '0813' || (10000000 + n), 'Penjual ' || n, $1, '{buyer,seller}'::text[]
    from generate_series(1, 100) n
    returning id)
  insert into identity_sessions (user_id, expires_at) select id, now() + interval '7 days' from made`;

const NOUNS = `'{Kopi,Teh,Batik,Sambal,Keripik,Madu,Gula,Cangkir,Tas,Sepatu,Kaos,Celana,Topi,Lampu,Meja,Kursi,Buku,
  Pensil,Sabun,Minyak,Bantal,Selimut,Piring,Sendok,Wajan}'::text[]`;
const KINDS = `'{Gayo,Kelud,Blitar,Tulis,Pedas,Manis,Hutan,Merah,Biru,Hijau,Klasik,Modern,Anak,Dewasa,Besar,Kecil,
  Premium,Hemat,Asli,Organik}'::text[]`;

const CATALOGUE = [
  `insert into market_stores (user_id, name, slug, description, phone, address, city, province, area_id)
    select u.id, 'Toko ' || n, 'bench-' || n, 'Toko contoh nomor ' || n || ' dengan barang pilihan.',
      '081234567890', 'Jl. Merdeka No. ' || n, 'Blitar', 'Jawa Timur', '1'
    from generate_series(1, 100) n
    join identity_users u on u.email = 'bench-seller-' || n || '@bench.example'`,
  "insert into market_store_slugs (slug, store_id) select slug, id from market_stores",
  `insert into market_products (store_id, category_id, name, description, price, stock, weight_gram, status, created_at)
    select s.id, c.ids[1 + n % cardinality(c.ids)],
      (${NOUNS})[1 + (n * 7 + place) % 25] || ' ' || (${KINDS})[1 + (n + place * 3) % 20] || ' ' || n,
      repeat('Barang contoh yang dibuat dengan teliti dan dikirim dengan aman. ', 4),
      5000 + (n * 500) % 200000, 100000000, 200 + n % 800, 'active', now() - make_interval(mins => n * 100 + place)
    from (select id, row_number() over (order by id)::int as place from market_stores) s
    cross join (select array_agg(id order by slug) as ids from market_categories) c
    cross join lateral generate_series(1, case place when 1 then 60 else 201 end) n`,
  `insert into market_product_images (product_id, url, is_primary, sort_order)
    select p.id, 'https://gambar.example/' || p.id || '/' || n || '.jpg', n = 1, n
    from market_products p cross join generate_series(1, 2) n`,
  `insert into market_cart_items (user_id, product_id, quantity, seen_price)
    select u.id, p.id, 2, p.price
    from identity_users u
    cross join lateral (select id, price from market_products where store_id = (select id from market_stores
      order by id limit 1) order by md5(id::text || u.id) limit 4) p
    where u.email like 'bench-buyer-%'`,
];

const SALES = [
  `insert into market_orders (number, buyer_id, store_id, subtotal_amount, shipping_amount, total_amount,
      commission_amount, shipping_address, courier, weight_gram, expires_at, created_at)
    select 'BENCH' || lpad((u.place * 100 + n)::text, 8, '0'), u.id, s.id, 20000, 10000, 30000, 1000,
      '{"name":"Pembeli","phone":"081200000000","street":"Jl. Tebet Raya No. 5","area_id":"1"}',
      '{"courier_code":"jne","courier_name":"JNE","courier_service_code":"REG","courier_service_name":"Reguler",
        "duration":"2-3","type":"regular"}',
      400, now() + interval '1 day', now() - make_interval(hours => n)
    from (select id, row_number() over (order by id)::int as place from identity_users
      where email like 'bench-buyer-%') u
    cross join (select id from market_stores order by id limit 1) s
    cross join generate_series(1, ${ORDERS_EACH}) n`,
  `insert into market_order_items (order_id, product_id, name, quantity, unit_price, subtotal, weight_gram)
    select o.id, p.id, p.name, 1, 10000, 10000, 200
    from market_orders o
    cross join lateral (select id, name from market_products where store_id = o.store_id order by id limit 2) p`,
  `insert into payments_intents (purpose, purpose_id, user_id, provider, amount, expires_at)
    select 'market_order', id::text, buyer_id, 'midtrans', total_amount, expires_at from market_orders`,
  `insert into payments_charges (intent_id, channel, provider_ref, state, qr_string, payment_url, expires_at)
    select i.id, channel, o.number || '-' || channel, 'pending',
      case channel when 'qris' then repeat('0', 200) end,
      case channel when 'snap' then 'https://bayar.example/' || o.number end, i.expires_at
    from payments_intents i join market_orders o on o.id::text = i.purpose_id
    cross join unnest('{qris,snap}'::text[]) channel`,
  `update market_orders o set payment_id = i.id from payments_intents i where i.purpose_id = o.id::text`,
  `insert into market_shipments (order_id, courier, service, shipping_cost)
    select id, 'jne', 'REG', shipping_amount from market_orders`,
  `select ledger_transfer('bench/' || u.id || '/' || n, 'gateway', 'midtrans', 'wallet', u.id::text, 10000, 'deposit')
    from identity_users u cross join generate_series(1, 10) n where u.email like 'bench-buyer-%'`,
];

async function read(client: pg.Client, jwtKeys: string): Promise<Seeds> {
  const people = async (like: string) => {
    const { rows } = await client.query(
      `select u.id, u.email, u.roles, s.id as session from identity_users u
        join identity_sessions s on s.user_id = u.id where u.email like $1 order by u.id`,
      [like],
    );
    return await Promise.all(
      rows.map(async (row): Promise<Person> => {
        const claims = { id: Number(row.id), phone: null, sid: row.session, roles: row.roles };
        return { id: Number(row.id), email: row.email, token: await sign(claims, jwtKeys) };
      }),
    );
  };
  const buyers = await people("bench-buyer-%");
  const store = await client.query(
    `select s.id, s.slug, u.email, (select json_agg(p.id order by p.id) from market_products p
        where p.store_id = s.id) as product_ids
      from market_stores s join identity_users u on u.id = s.user_id order by s.id limit 1`,
  );
  const orders = await client.query(
    `select o.id, o.buyer_id, o.number || '-qris' as provider_ref, o.total_amount from market_orders o order by o.id`,
  );
  const [shop] = store.rows;
  const [seller] = await people(shop.email);
  if (!seller) throw new Error("the seeds have no seller");
  return {
    buyers,
    seller,
    store: { id: shop.id, slug: shop.slug, productIds: shop.product_ids },
    orders: orders.rows.map((row) => ({
      id: row.id,
      buyer: buyers.findIndex(({ id }) => id === Number(row.buyer_id)),
      providerRef: row.provider_ref,
      total: Number(row.total_amount),
    })),
  };
}

/** A token that both servers accept; the session that it names stands in the database. */
async function sign(claims: Record<string, unknown>, jwtKeys: string): Promise<string> {
  const [kid = "", secret = ""] = jwtKeys.split(":");
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", kid })
    .setIssuedAt()
    .setExpirationTime("7 days")
    .sign(new TextEncoder().encode(secret));
}
