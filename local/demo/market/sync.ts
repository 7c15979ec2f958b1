import { request, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import type { Person } from "../sale/seller.ts";
import type { Shops } from "./connect.ts";
import type { Goods, Item } from "./shop.ts";
import {
  CREATES,
  dial,
  PLATFORMS,
  type Platform,
  PRICES,
  readShop,
  TITLES,
  undial,
  urlOf,
} from "./twins.ts";

const BASE = "/api/seller/marketplace";
/** A creation whose answer is lost is asked about for a minute before it counts as never made. */
const PATIENCE_MS = 300_000;
const TOLD_EVERY_MS = 20_000;

interface Progress {
  job_id: string;
  total: number;
  synced: number;
  failed: number;
  pending: number;
  finished_at: string | null;
  failures: { name: string; reason: string | null }[];
}

/** What goes wrong while the products are listed; all of it on purpose, for this seller's shops alone. */
const faultsOf = (platform: Platform) => {
  const path = CREATES[platform];
  return {
    storm: { count: 6 },
    timeOut: { count: 1, path },
    errorInside: { count: 2, acts: true, path },
  };
};

/** Lists everything on three marketplaces at once while they misbehave, and shows what could not be listed and why. */
export async function syncAll(
  tell: Tell,
  seller: Person,
  shops: Shops,
  goods: Goods,
): Promise<void> {
  for (const platform of PLATFORMS) {
    await dial(urlOf(tell, platform), shops[platform], faultsOf(platform));
  }
  tell.step(
    "The marketplaces will misbehave",
    "each: 6 answers 429, 1 time-out after the product was made, 2 errors inside a 200 after it was made",
  );
  const began = Date.now();
  const ends = await Promise.all(PLATFORMS.map((platform) => syncOne(tell, seller, platform)));
  for (const platform of PLATFORMS) await undial(urlOf(tell, platform), shops[platform]);
  const lines = PLATFORMS.map((platform, at) => {
    const { synced = 0, failed = 0, failures = [] } = ends[at] ?? {};
    const isTokopedia = platform === "tokopedia";
    const expected = goods.unfit.length + (isTokopedia ? goods.tooShort.length : 0);
    check(`products that ${TITLES[platform]} cannot list`, failed, expected);
    const reasons = [...new Set(failures.map(({ reason }) => reason))];
    const why = reasons.map((reason) => `\n      ${countOf(failures, reason)}× ${reason}`);
    return `${TITLES[platform]}: ${synced} listed, ${failed} cannot be:${why.join("")}`;
  });
  const seconds = ((Date.now() - began) / 1000).toFixed(0);
  tell.step(`All three are done after ${seconds} s`, lines.join("\n    "));
}

const countOf = (failures: Progress["failures"], reason: string | null) =>
  failures.filter((one) => one.reason === reason).length;

async function syncOne(tell: Tell, { token }: Person, platform: Platform): Promise<Progress> {
  const json = { platform };
  const begun = await request<{ job_id: string }>(tell.app, `${BASE}/sync`, {
    method: "POST",
    token,
    json,
  });
  let toldAt = Date.now();
  return await until(
    `${TITLES[platform]} is in step`,
    () => request<Progress>(tell.app, `${BASE}/jobs/${begun.job_id}`, { token }),
    ({ pending, synced, failed, total }) => {
      if (pending > 0 && Date.now() - toldAt > TOLD_EVERY_MS) {
        toldAt = Date.now();
        tell.step(`${TITLES[platform]}: ${synced + failed} of ${total}`);
      }
      return pending === 0;
    },
    PATIENCE_MS,
  );
}

/** Every product stands on each marketplace exactly once, at our price and stock, and nothing else does. */
export async function checkListed(tell: Tell, shops: Shops, goods: Goods): Promise<void> {
  const lines: string[] = [];
  for (const platform of PLATFORMS) {
    const { shops: told, products } = await readShop(urlOf(tell, platform), shops[platform]);
    const wanted = platform === "tokopedia" ? goods.fit : [...goods.fit, ...goods.tooShort];
    for (const item of wanted) {
      const copies = products.filter(({ skus }) => skus[0]?.sellerSku === item.id);
      check(`copies of "${item.name}" on ${TITLES[platform]}`, copies.length, 1);
      check(
        `price of "${item.name}" on ${TITLES[platform]}`,
        copies[0]?.skus[0]?.price,
        item.price,
      );
      check(
        `stock of "${item.name}" on ${TITLES[platform]}`,
        copies[0]?.skus[0]?.stock,
        item.stock,
      );
    }
    check(`products on ${TITLES[platform]}`, products.length, wanted.length);
    const calls = Object.values(told[0]?.calls ?? {});
    const sum = (key: "all" | "limited") => calls.reduce((total, one) => total + one[key], 0);
    lines.push(
      `${TITLES[platform]}: ${products.length} products, each once; ${sum("all")} calls, ${sum("limited")} refused for their rate`,
    );
  }
  tell.step("The marketplaces' own books say the same", lines.join("\n    "));
}

/** Prices change here; the marketplaces take every batch in half, and have all of it in the end. */
export async function repriceSome(
  tell: Tell,
  { token }: Person,
  shops: Shops,
  goods: Goods,
): Promise<void> {
  const chosen = goods.fit.slice(0, 40);
  for (const platform of PLATFORMS) {
    const halfBatch = { count: 3, path: PRICES[platform] };
    await dial(urlOf(tell, platform), shops[platform], { halfBatch });
  }
  for (const item of chosen) {
    item.price += 1_500;
    const json = { price: item.price };
    await request(tell.app, `/api/seller/products/${item.id}`, { method: "PUT", token, json });
  }
  const began = Date.now();
  await arrived(tell, shops, chosen);
  for (const platform of PLATFORMS) await undial(urlOf(tell, platform), shops[platform]);
  tell.step(
    `${chosen.length} prices changed here are the same on all three, pushed by themselves`,
    `after ${((Date.now() - began) / 1000).toFixed(0)} s, with batches that were taken in half; the first is ${rupiah(chosen[0]?.price ?? 0)} now`,
  );
}

/** Waits until these products cost, and are in stock, there as here. */
export async function arrived(
  tell: Tell,
  shops: Shops,
  items: Item[],
  platforms: readonly Platform[] = PLATFORMS,
): Promise<void> {
  for (const platform of platforms) {
    await until(
      `${TITLES[platform]} has ${items.length} changes`,
      () => readShop(urlOf(tell, platform), shops[platform]),
      ({ products }) => {
        const bySku = new Map(products.map(({ skus: [sku] }) => [sku?.sellerSku, sku]));
        return items.every(({ id, price, stock }) => {
          const sku = bySku.get(id);
          return sku?.price === price && sku.stock === stock;
        });
      },
      PATIENCE_MS,
    );
  }
}
