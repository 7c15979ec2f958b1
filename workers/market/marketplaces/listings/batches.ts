import {
  brokenPrice,
  brokenStock,
} from "../../../../shared/providers/marketplace/listing-rules.ts";
import {
  type BatchOutcome,
  type ListingRef,
  MarketplaceError,
  type ShopAuth,
} from "../../../../shared/providers/marketplace.ts";
import type { Shop } from "../connections/shop.ts";
import { outcomeOf, outcomeOfLine } from "./outcomes.ts";
import type { Known, Outcome, Work } from "./rows.ts";

/** A listing that the shop has, with what has been found out and come of it so far. */
export interface Entry {
  work: Work;
  ref: ListingRef;
  known: Known;
  /** What ended it early. */
  ended: (Known & Outcome) | null;
}

type Send = (auth: ShopAuth, entries: Entry[]) => Promise<BatchOutcome[]>;

const priceOf = ({ work }: Entry) => work.product.price;
const stockOf = (shop: Shop, { work }: Entry) =>
  Math.min(work.product.stock, shop.client.limits.stock);

/** Brings the prices of listings to the shop where they differ; each entry is told what came of it. */
export async function pushPrices(shop: Shop, entries: Entry[]): Promise<void> {
  const { client } = shop;
  const changed = open(entries).filter((entry) => {
    if (entry.known.price === priceOf(entry)) return false;
    const broken = brokenPrice(client.platform, client.limits.priceIdr, priceOf(entry));
    if (broken !== null) entry.ended = { outcome: "failed", reason: broken };
    return broken === null;
  });
  const send: Send = (auth, some) =>
    client.setPrices(
      auth,
      some.map((entry) => ({ ref: entry.ref, priceIdr: priceOf(entry) })),
    );
  await inBatches(shop, { entries: changed, most: client.limits.priceBatch, send }, (entry) => {
    entry.known.price = priceOf(entry);
  });
}

/** The same for stock. */
export async function pushStocks(shop: Shop, entries: Entry[]): Promise<void> {
  const { client } = shop;
  const changed = open(entries).filter((entry) => {
    if (entry.known.stock === stockOf(shop, entry)) return false;
    const broken = brokenStock(client.limits, stockOf(shop, entry));
    if (broken !== null) entry.ended = { outcome: "failed", reason: broken };
    return broken === null;
  });
  if (changed.length === 0) return;
  const setup = await shop.setup();
  const send: Send = (auth, some) =>
    client.setStocks(
      auth,
      some.map((entry) => ({ ref: entry.ref, stock: stockOf(shop, entry), setup })),
    );
  await inBatches(shop, { entries: changed, most: client.limits.stockBatch, send }, (entry) => {
    entry.known.stock = stockOf(shop, entry);
  });
}

/** Puts listings on the shelf, or takes them off it. */
export async function pushShelf(shop: Shop, entries: Entry[], listed: boolean): Promise<void> {
  const { client } = shop;
  const changed = open(entries).filter((entry) => entry.known.shown !== listed);
  const send: Send = (auth, some) =>
    client.setListed(
      auth,
      some.map(({ ref }) => ref),
      listed,
    );
  await inBatches(shop, { entries: changed, most: client.limits.shelfBatch, send }, (entry) => {
    entry.known.shown = listed;
  });
}

const open = (entries: Entry[]) => entries.filter(({ ended }) => ended === null);

async function inBatches(
  shop: Shop,
  job: { entries: Entry[]; most: number; send: Send },
  done: (entry: Entry) => void,
): Promise<void> {
  const { entries, most, send } = job;
  const batches: Entry[][] = [];
  for (let at = 0; at < entries.length; at += most) batches.push(entries.slice(at, at + most));
  await Promise.all(batches.map((batch) => sendBatch(shop, batch, send, done)));
}

/** One batch. One that is refused as a whole is sent line by line, so that a bad line holds up no other. */
async function sendBatch(
  shop: Shop,
  batch: Entry[],
  send: Send,
  done: (entry: Entry) => void,
): Promise<void> {
  try {
    const lines = await shop.call((auth) => send(auth, batch));
    for (const [at, entry] of batch.entries()) {
      entry.ended = outcomeOfLine(lines[at], entry.work, shop.client.platform);
      if (entry.ended === null) done(entry);
    }
  } catch (error) {
    const isWhole = error instanceof MarketplaceError && error.fault === "rejected";
    if (isWhole && batch.length > 1) {
      for (const entry of batch) await sendBatch(shop, [entry], send, done);
      return;
    }
    for (const entry of batch) {
      entry.ended = outcomeOf(error, entry.work, shop.client.platform);
    }
  }
}
