import pg from "pg";
import { localSettings, secretsFrom } from "../../local/settings.ts";
import { both, type Pair } from "../compare.ts";
import { fire, type Shot, type Target } from "../load.ts";
import { pick, post, type Quote } from "../sale/routes.ts";
import { askQuote } from "../sale.ts";
import { type Seeds, seed } from "../seed.ts";
import { startExpress } from "../sides.ts";
import { type StandIns, startStandIns } from "../stand-ins.ts";
import { milliseconds } from "../table.ts";
import { bundleWorker, dropBundle, startWorkerd } from "../workerd.ts";

const BUYERS = 50;
const ORDERS = 400;
const SCARCE = 100;
const PLENTY = 100_000_000;

type Keep = (stop: () => Promise<unknown>) => void;

interface Place {
  sides: Pair<Target>;
  seeds: Seeds;
  quote: Quote;
  client: pg.Client;
}

/**
 * Fifty buyers at once, on one product and on a hundred, in the Worker and in Express; then more buyers than pieces, and
 * what is sold is exactly what there was.
 */
export async function benchCheckout(keep: Keep): Promise<string[]> {
  const place = await startPlace(keep);
  const missed: string[] = [];
  for (const products of [1, 100]) {
    const ids = await stockUp(place, products, PLENTY);
    await both(place.sides, (side) => buyers(side, place, ids, BUYERS * 2));
    const { worker, peer } = await both(place.sides, (side) => buyers(side, place, ids, ORDERS));
    const name = `checkout, ${BUYERS} buyers at once on ${products === 1 ? "one product" : `${products} products`}`;
    console.log(
      `${name}: Worker p50 ${milliseconds(worker.p50Ms)} ms, p99 ${milliseconds(worker.p99Ms)} ms; Express ${milliseconds(peer.p50Ms)} / ${milliseconds(peer.p99Ms)} ms (× ${(worker.p50Ms / peer.p50Ms).toFixed(2)} / ${(worker.p99Ms / peer.p99Ms).toFixed(2)}), ${ORDERS} orders each`,
    );
    const failures = worker.failures + peer.failures;
    if (failures > 0) missed.push(`${name}: ${failures} orders failed`);
    missed.push(...(await sellOut(place, products)));
  }
  return missed;
}

/** Twice as many orders as pieces: half of them must be refused, and nothing may be sold twice. */
async function sellOut(place: Place, products: number): Promise<string[]> {
  const missed: string[] = [];
  for (const [name, side] of Object.entries(place.sides)) {
    const ids = await stockUp(place, products, SCARCE / products);
    const { failures } = await buyers(side, place, ids, SCARCE * 2);
    const { rows } = await place.client.query(
      `select sum(reserved)::int as held, bool_or(reserved > stock) as over from market_products where id = any($1)`,
      [ids],
    );
    const [{ held, over }] = rows;
    console.log(
      `  ${SCARCE} pieces, ${SCARCE * 2} orders (${name}): ${SCARCE * 2 - failures} accepted, ${held} held${over ? ", OVERSOLD" : ""}`,
    );
    const isRight = failures === SCARCE && held === SCARCE && !over;
    if (name === "worker" && !isRight) missed.push(`the Worker sold ${held} of ${SCARCE} pieces`);
  }
  return missed;
}

async function stockUp({ client, seeds }: Place, count: number, stock: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `update market_products set stock = $2, reserved = 0, price = 20000, weight_gram = 400
      where id in (select id from market_products where store_id = $1 order by id limit $3) returning id`,
    [seeds.store.id, stock, count],
  );
  return rows.map(({ id }) => id);
}

let turn = 0;

const buyers = (side: Target, { seeds, quote }: Place, ids: string[], count: number) =>
  fire(side, () => order(turn++, seeds, quote, ids), { count, concurrency: BUYERS });

function order(n: number, seeds: Seeds, quote: Quote, ids: string[]): Shot {
  const body = {
    store_id: seeds.store.id,
    items: [{ product_id: pick(ids, n), quantity: 1 }],
    courier: quote.id,
    shipping_address: {
      name: "Pembeli Contoh",
      phone: "081298765432",
      street: "Jl. Tebet Raya No. 5, RT 02 RW 03",
      city: "Jakarta Selatan",
      province: "DKI Jakarta",
      postal_code: "12810",
      area_id: quote.areaId,
    },
  };
  return post(n, "/api/buyer/orders", body, pick(seeds.buyers, n));
}

async function startPlace(keep: Keep): Promise<Place> {
  const standIns: StandIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const seeds = await seed(standIns.adminUrl, secrets.JWT_KEYS);
  const client = new pg.Client({ connectionString: standIns.adminUrl });
  await client.connect();
  keep(() => client.end());
  await addGoods(client, seeds.store.id);
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
  });
  keep(async () => dropBundle(bundle));
  const worker = await startWorkerd(bundle);
  keep(worker.stop);
  const peer = await startExpress(standIns, secrets.JWT_KEYS);
  keep(peer.stop);
  const quote = await askQuote(worker, standIns, seeds);
  return { sides: { worker, peer }, seeds, quote, client };
}

/** The store of the seeds has sixty products. */
async function addGoods(client: pg.Client, storeId: string): Promise<void> {
  await client.query(
    `insert into market_products (store_id, name, description, price, stock, weight_gram, status)
      select $1, 'Tambahan ' || n, 'Barang contoh', 20000, 100, 400, 'active' from generate_series(1, 60) n`,
    [storeId],
  );
}
