import { readFileSync } from "node:fs";
import pg from "pg";
import { startDatabase } from "../../local/database.ts";
import { ProductQuery } from "../../workers/market/schemas/products.ts";
import { searchStatement } from "../../workers/market/search.ts";
import { median, percentile } from "../load.ts";
import { milliseconds } from "../table.ts";

const SIZES = [10_000, 1_000_000];
const GOAL_MS = 30;
const WARM_UP = 2;
const ROUNDS = 12;

type Keep = (stop: () => Promise<unknown>) => void;
type Kind = (n: number) => Record<string, string>;

/** The words of the made names are numbers in letters, the lower the more common: the first stands in 17 % of them. */
const noun = (n: number) => `barang${"abcdefghij"[n % 10]}${n}`;
const maker = (n: number) => `merek${n}`;

/** What people ask for; `n` varies the question. */
const KINDS: Record<string, Kind> = {
  "no words": (n) => ({ page: `${n + 1}` }),
  "no words, cheapest": (n) => ({ sort: "cheapest", page: `${n + 1}` }),
  "common word": (n) => ({ q: noun(n % 3) }),
  "common word, newest": (n) => ({ q: noun(n % 3), sort: "newest" }),
  "common word, dearest": (n) => ({ q: noun(n % 3), sort: "dearest" }),
  "common word, page 50": (n) => ({ q: noun(n % 6), page: "50" }),
  "middling word": (n) => ({ q: noun(3 + (n % 40)) }),
  "middling word, cheapest": (n) => ({ q: noun(3 + (n % 40)), sort: "cheapest" }),
  "rare word": (n) => ({ q: maker(500 + n * 97) }),
  "two words": (n) => ({ q: `${noun(n % 20)} ${maker(n * 31)}` }),
  "three words": (n) => ({ q: `${noun(n % 20)} asli sedang` }),
  "part of a word": (n) => ({ q: `erek${1000 + n * 13}` }),
  "one letter": (n) => ({ q: "bmas"[n % 4] ?? "b" }),
  "beginning of many words": (n) => ({ q: n % 2 ? "merek" : "barang" }),
  "typing error": (n) => ({ q: `barng${"abcdefghij"[n % 10]}${n} merk${n}` }),
  "nothing like it": (n) => ({ q: `zzqxy${n}` }),
  "with signs": (n) => ({ q: `${noun(n % 5)} ${n}-${n}` }),
  category: (n) => ({ category_id: category(n % 20) }),
  "category, price, newest": (n) => ({ category_id: category(n % 20), ...between(n) }),
  "category, cheapest": (n) => ({ category_id: category(n % 20), sort: "cheapest" }),
  price: (n) => between(n),
  "narrow price": (n) => ({ price_min: `${n * 1000}`, price_max: `${n * 1000 + 300}` }),
  "word, category": (n) => ({ q: noun(n % 6), category_id: category(n % 20) }),
  "word, price, in stock": (n) => ({ q: noun(n % 6), ...between(n), in_stock: "true" }),
  "word, category, price": (n) => ({
    q: noun(n % 6),
    category_id: category(n % 20),
    ...between(n),
    sort: "cheapest",
  }),
  "word, dear": (n) => ({ q: noun(n % 3), price_min: "1900000", sort: order(n) }),
  "word, price of nothing": (n) => ({ q: noun(n % 3), price_max: "300", sort: order(n) }),
  "word, featured": (n) => ({ q: noun(n % 3), featured: "true", sort: order(n) }),
  store: (n) => ({ store_id: store(n * 7) }),
  "word, store": (n) => ({ q: noun(n % 6), store_id: store(n * 7) }),
  featured: (n) => ({ featured: "true", page: `${n + 1}` }),
  "beginning of 300,000 names": (n) => ({ q: "merek1", sort: order(n) }),
  "beginning of some names": (n) => ({ q: maker(5 + (n % 35)), sort: order(n) }),
  "beginning, word": (n) => ({ q: `${maker(1 + (n % 5))} asli`, sort: order(n) }),
  "beginning, category": (n) => ({
    q: n % 3 ? "merek" : "merek1",
    category_id: category(n % 20),
    sort: order(n),
  }),
  "beginning, price": (n) => ({
    q: n % 3 ? "merek" : "merek1",
    price_max: `${(n + 1) ** 2 * 5000}`,
    sort: order(n),
  }),
  letters: (n) => ({ q: ["m b", "a b m", "s k"][n % 3] ?? "m", sort: order(n) }),
  "words never together": (n) => ({
    q: n % 2 ? "sedang kecil" : "asli premium",
    sort: order(n >> 1),
  }),
  "word, number with signs": (n) => ({ q: `asli ${n}-${n}`, sort: order(n) }),
  "ten words": (n) => ({
    q: `merek${n} barang asli sedang besar kecil murah baru premium lawas`,
    sort: order(n),
  }),
  "word of old goods only": (n) => ({ q: "lawas", sort: n % 2 ? "newest" : "relevance" }),
};

const order = (n: number) => ["newest", "cheapest", "dearest", "relevance"][n % 4] ?? "newest";
const hex = (head: string, n: number) =>
  `${head}0000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
const store = (n: number) => hex("a", n % 200);
const category = (n: number) => hex("c", n);
const between = (n: number) => ({ price_min: `${n * 5000}`, price_max: `${n * 5000 + 40_000}` });

/**
 * `node bench/market/search.ts`: what a search costs inside Postgres, asked with the very statement of
 * GET /api/buyer/products, at 10 thousand and 1 million products. Other sizes: as arguments.
 */
export async function benchSearch(keep: Keep, sizes = SIZES): Promise<string[]> {
  const database = await startDatabase();
  keep(database.stop);
  const missed: string[] = [];
  for (const size of sizes) {
    const { adminUrl } = await database.createDatabaseFromTemplate(`search_${size}`);
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    try {
      await fill(client, size);
      missed.push(...(await measure(client, size)));
    } finally {
      await client.end();
    }
  }
  return missed;
}

/** One question: milliseconds that the asker waited, and those that Postgres worked (other programs count only in the first). */
interface Took {
  waitedMs: number;
  workedMs: number;
}

async function measure(client: pg.Client, size: number): Promise<string[]> {
  const all: Took[] = [];
  const kinds: { name: string; times: Took[] }[] = [];
  for (const [name, kind] of Object.entries(KINDS)) {
    const times: Took[] = [];
    for (let n = -WARM_UP; n < ROUNDS; n += 1) {
      const took = await ask(client, kind(Math.max(n, 0)));
      if (n >= 0) times.push(took);
    }
    kinds.push({ name, times });
    all.push(...times);
  }
  const deep = await walkDeep(client);
  kinds.push({ name: "by cursor, to page 60", times: deep });
  all.push(...deep);
  const worked = all.map(({ workedMs }) => workedMs);
  const waited = all.map(({ waitedMs }) => waitedMs);
  const p99 = percentile(worked, 0.99);
  console.log(
    `search, ${size.toLocaleString("en")} products, ${all.length} queries of ${kinds.length} kinds: Postgres works p50 ${milliseconds(median(worked))} ms, p99 ${milliseconds(p99)} ms (goal ${GOAL_MS}); the asker waits ${milliseconds(median(waited))} and ${milliseconds(percentile(waited, 0.99))} ms`,
  );
  console.log(`  ${"kind".padEnd(26)} work p50     max   wait p50     max`);
  const worst = (times: Took[]) => Math.max(...times.map(({ workedMs }) => workedMs));
  for (const { name, times } of kinds.toSorted((a, b) => worst(b.times) - worst(a.times))) {
    const work = times.map(({ workedMs }) => workedMs);
    const wait = times.map(({ waitedMs }) => waitedMs);
    const cells = [median(work), Math.max(...work), median(wait), Math.max(...wait)];
    console.log(
      `  ${name.padEnd(26)} ${cells.map((cell) => milliseconds(cell).padStart(8)).join(" ")}`,
    );
  }
  return p99 < GOAL_MS ? [] : [`search at ${size} products: p99 ${milliseconds(p99)} ms`];
}

/** CPU time of a process so far, from the kernel's own books (Linux). */
function cpuMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
}

async function ask(client: pg.Client, input: Record<string, string>): Promise<Took> {
  return (await answer(client, input)).took;
}

/** Where pictures of the products would lie. */
const ADDRESSED = { config: { APP_URL: "http://localhost:8787" } };

async function answer(client: pg.Client, input: Record<string, string>) {
  const { sql, params } = searchStatement(ADDRESSED, ProductQuery.parse(input));
  pids.set(client, pids.get(client) ?? (await pidOf(client)));
  const pid = pids.get(client) ?? 0;
  const [began, worked] = [performance.now(), cpuMs(pid)];
  const { rows } = await client.query(sql, params as unknown[]);
  const took = { waitedMs: performance.now() - began, workedMs: cpuMs(pid) - worked };
  return { took, row: rows[0] };
}

const pids = new Map<pg.Client, number>();

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query("select pg_backend_pid() as pid");
  return Number(rows[0].pid);
}

async function walkDeep(client: pg.Client): Promise<Took[]> {
  const times: Took[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 60; page += 1) {
    const input: Record<string, string> = { q: noun(1), sort: "newest", ...(cursor && { cursor }) };
    const { took, row } = await answer(client, input);
    times.push(took);
    const { last } = row.result;
    if (!last) break;
    const position = { sort: "newest", ...last, total: 1000, capped: true };
    cursor = Buffer.from(JSON.stringify(position)).toString("base64url");
  }
  return times;
}

/** Products without their triggers and indexes, which would take an hour; the entries are made as the triggers do. */
async function fill(client: pg.Client, size: number): Promise<void> {
  const began = performance.now();
  const { rows: indexes } = await client.query<{ name: string; made: string }>(
    `select indexname as name, indexdef as made from pg_indexes where tablename in ('market_products',
      'market_search_entries') and indexname not like '%_pkey'`,
  );
  await client.query("set session_replication_role = replica; set synchronous_commit = off");
  await client.query("set maintenance_work_mem = '256MB'");
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  for (const statement of seeds(size)) await client.query(statement);
  for (const { made } of indexes) await client.query(made);
  await client.query("reset session_replication_role");
  await client.query("vacuum analyze");
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`filled ${size.toLocaleString("en")} products in ${seconds} s`);
}

const seeds = (size: number) => [
  `with made as (
    insert into identity_users (email, name, password_hash, roles)
    select 'toko-' || n || '@bench.example', 'Penjual ' || n, 'x', '{seller}' from generate_series(0, 199) n
    returning id)
  insert into market_stores (id, user_id, name, slug)
    select ('a0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, id, 'Toko ' || n, 'toko-bench-' || n
    from (select id, row_number() over () - 1 as n from made) m`,
  // Zipf's rule, roughly: the cube of an even number in [0, 1) is small more often than not.
  `insert into market_products (id, store_id, category_id, name, description, price, stock, weight_gram, is_featured,
      status, created_at)
    select ('b0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
      ('a0000000-0000-7000-8000-' || lpad(to_hex((n::bigint * 7919 % 200)::int), 12, '0'))::uuid,
      ('c0000000-0000-7000-8000-' || lpad(to_hex(floor(power(random(), 2) * 20)::int), 12, '0'))::uuid,
      'Barang' || substr('abcdefghij', what % 10 + 1, 1) || what || ' Merek' || floor(power(random(), 2) * 4000)
        || (array[' asli', ' premium', ' murah', '', ' baru'])[1 + floor(random() * 5)]
        || (array[' besar', ' sedang', ' kecil'])[1 + floor(random() * 3)] || ' ' || n % 90 || '-' || n % 90
        || case when n < ${size} / 5 and n % 4 = 0 then ' lawas' else '' end,
      repeat('Keterangan barang yang agak panjang. ', 5), 1000 + floor(power(random(), 2) * 2000000)::int,
      case when n % 12 = 0 then 0 else 10 end, 500, n % 500 = 0, 'active',
      timestamptz '2026-01-01' + n * interval '20 seconds'
    from (select n, floor(power(random(), 3) * 200)::int as what from generate_series(1, ${size}) n offset 0) g`,
  `insert into market_search_entries (product_id, store_id, category_id, price, in_stock, is_featured, created_at, words)
    select id, store_id, category_id, price, stock > 0, is_featured, created_at,
      market_search_lexemes(name, category_id, store_id, price, created_at)
    from market_products`,
  `insert into market_search_words select distinct word
    from market_search_entries, unnest(tsvector_to_array(words)) word where word not like '%:%'`,
];

if (process.argv[1] === import.meta.filename) {
  const stops: (() => Promise<unknown>)[] = [];
  const sizes = process.argv.slice(2).map(Number);
  try {
    const missed = await benchSearch((stop) => stops.push(stop), sizes.length > 0 ? sizes : SIZES);
    if (missed.length > 0) console.log(`Missed: ${missed.join("; ")}`);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
