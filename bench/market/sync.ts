import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { request } from "../../local/demo/http.ts";
import { connectAll, type Shops } from "../../local/demo/market/connect.ts";
import { openShop, uploadPhoto } from "../../local/demo/market/shop.ts";
import { dial, PLATFORMS, type Platform, urlOf } from "../../local/demo/market/twins.ts";
import type { Tell } from "../../local/demo/narrator.ts";
import type { Person } from "../../local/demo/sale/seller.ts";
import { startWorker } from "../../local/dev/worker.ts";
import { pause } from "../load.ts";
import { bundleWorker, dropBundle, freePort } from "../workerd.ts";

const PRODUCTS = 1_000;
const PROVIDER_MS = 100;
const PATIENCE_MS = 12 * 60_000;
/** The part of the time that the shop's own limit takes. */
const GOAL = 0.8;

type Keep = (stop: () => Promise<unknown>) => void;

interface Place {
  cloud: Cloud;
  tell: Tell;
  client: pg.Pool;
}

interface Calls {
  reads: number;
  writes: number;
  limited: number;
}

/** What a shop may be asked a second: all calls, or reads and writes apart, as its platform counts them. */
const ALLOWED: Record<Platform, { text: string; leastSeconds: (calls: Calls) => number }> = {
  shopee: { text: "10 calls/s", leastSeconds: ({ reads, writes }) => (reads + writes) / 10 },
  lazada: { text: "10 calls/s", leastSeconds: ({ reads, writes }) => (reads + writes) / 10 },
  tokopedia: {
    text: "3 writes/s, 10 reads/s",
    leastSeconds: ({ reads, writes }) => Math.max(writes / 3, reads / 10),
  },
};

const WRITES = /add_item|update|upload|create|unlist|deactivate|\/product\/202309\/products$/;

/**
 * A thousand products go to three shops at once, each at the pace of its platform, with answers after 100 ms: in
 * the local runtime with real queues. Compared with the least time that the shop's limit leaves for the calls made.
 */
export async function benchSync(keep: Keep, products = PRODUCTS): Promise<string[]> {
  const place = await startPlace(keep);
  const { cloud, tell, client } = place;
  const { seller, store } = await openShop(tell);
  const shops = await connectAll(tell, seller);
  await client.query(GOODS, [store.id, await uploadPhoto(tell, seller), products]);
  for (const name of PLATFORMS) {
    await dial(urlOf(cloud.addresses, name), shops[name], { delayMs: PROVIDER_MS });
  }
  return (
    await Promise.all(PLATFORMS.map((name) => measure(place, seller, { shops, products }, name)))
  ).flat();
}

const GOODS = `with made as (
    insert into market_products (store_id, name, description, price, stock, weight_gram, status)
    select $1, 'Topeng Kayu Panji Ukiran Tangan Blitar ' || n,
      'Buatan tangan perajin Blitar, dikemas aman dan dikirim setiap hari kerja.', 40000 + n, 50, 300, 'active'
    from generate_series(1, $3::int) n returning id)
  insert into market_product_images (product_id, url, is_primary) select id, $2, true from made`;

async function measure(
  { cloud, tell, client }: Place,
  { token }: Person,
  { shops, products }: { shops: Shops; products: number },
  platform: Platform,
): Promise<string[]> {
  const before = callsOf(cloud, shops, platform);
  const began = performance.now();
  const { job_id: run } = await request<{ job_id: string }>(
    tell.app,
    "/api/seller/marketplace/sync",
    { method: "POST", token, json: { platform } },
  );
  let done = { synced: 0, failed: 0, pending: products };
  while (done.pending > 0 && performance.now() - began < PATIENCE_MS) {
    await pause(500);
    const { rows } = await client.query("select market_marketplace_run($1) as run", [run]);
    done = rows[0].run;
  }
  const seconds = (performance.now() - began) / 1000;
  const after = callsOf(cloud, shops, platform);
  const calls = {
    reads: after.reads - before.reads,
    writes: after.writes - before.writes,
    limited: after.limited - before.limited,
  };
  const { text, leastSeconds } = ALLOWED[platform];
  const share = leastSeconds(calls) / seconds;
  const perSecond = (calls.reads + calls.writes) / seconds;
  console.log(
    `sync of ${products} products, ${platform} at ${PROVIDER_MS} ms: ${done.synced} listed in ${seconds.toFixed(0)} s, ${(done.synced / seconds).toFixed(2)} a second; ${perSecond.toFixed(1)} calls/s (${calls.writes} writes, ${calls.reads} reads, ${calls.limited} refused), ${(share * 100).toFixed(0)} % of what ${text} allow (goal ${GOAL * 100} %)`,
  );
  const missed: string[] = [];
  if (done.synced !== products) missed.push(`${platform}: only ${done.synced} were listed`);
  if (share < GOAL)
    missed.push(`${platform}: the sync used ${(share * 100).toFixed(0)} % of its limit`);
  return missed;
}

function callsOf({ twins }: Cloud, shops: Shops, platform: Platform): Calls {
  const { shopee, lazada, tiktokShop } = twins;
  const { market } = { shopee, lazada, tokopedia: tiktokShop }[platform];
  const calls = { reads: 0, writes: 0, limited: 0 };
  for (const [path, { all, limited }] of market.calls.get(shops[platform]) ?? []) {
    calls[WRITES.test(path) ? "writes" : "reads"] += all;
    calls.limited += limited;
  }
  return calls;
}

async function startPlace(keep: Keep): Promise<Place> {
  const stateDir = mkdtempSync(join(tmpdir(), "lumbung-bench-sync-"));
  keep(async () => rmSync(stateDir, { recursive: true, force: true }));
  const any = { midtrans: 0, kiriminaja: 0, resend: 0, ipaymu: 0, vipReseller: 0, aapanel: 0 };
  const markets = { shopee: 0, lazada: 0, tiktokShop: 0, replicate: 0, instagram: 0, anthropic: 0 };
  const ports = { ...any, ...markets, postgres: 0, endpoint: 0, worker: await freePort() };
  const cloud = await startCloud({ ports, stateDir, durable: false, rateLimitFactor: 1000 });
  keep(() => cloud.stop());
  const client = new pg.Pool({ connectionString: cloud.database.adminUrl, max: 3 });
  keep(() => client.end());
  const bundle = bundleWorker(cloud.worker.settings);
  keep(async () => dropBundle(bundle));
  const script = join(bundle.folder, "index.js");
  const worker = await startWorker({ ...cloud.worker, script, logFile: "worker.log" });
  keep(() => worker.stop());
  const tell: Tell = { ...cloud.addresses, step: () => undefined, end: () => undefined };
  return { cloud, tell, client };
}
