import {
  brokenPrice,
  brokenStock,
} from "../../../../shared/providers/marketplace/listing-rules.ts";
import {
  type BatchOutcome,
  type ListingRef,
  MarketplaceError,
  type ShopAuth,
  type ShopSetup,
} from "../../../../shared/providers/marketplace.ts";
import type { Shop } from "../connections/shop.ts";
import { mayHaveActed, outcomeOf, outcomeOfLine } from "./outcomes.ts";
import type { Known, Outcome, Work } from "./rows.ts";

/** A listing that the shop has, with what has been found out and come of it so far. */
export interface Entry {
  work: Work;
  ref: ListingRef;
  known: Known;
  /** Whether it was on sale there, where the shop was asked. */
  wasLive?: boolean;
  /** What its seller should know of although it is in step. */
  remark?: string;
  /** What ended it early. */
  ended: (Known & Outcome) | null;
}

interface Sending {
  entries: Entry[];
  most: number;
  send: (auth: ShopAuth, entries: Entry[]) => Promise<BatchOutcome[]>;
  /** What is known of an entry once it was sent; `sure` unless no clear answer came. */
  sent: (entry: Entry, sure: boolean) => void;
}

const LEFT_TO_DO = { synced: 0, failed: 1, retry: 2, release: 3 };

/** Ends an entry. Prices and stocks go side by side: what is left to do of the one outlasts whatever came of the other. */
export function end(entry: Entry, ended: Known & Outcome): void {
  const { ended: before } = entry;
  const isMore = !before || LEFT_TO_DO[ended.outcome] > LEFT_TO_DO[before.outcome];
  const isSooner =
    before?.outcome === "retry" && ended.outcome === "retry" && ended.after_ms < before.after_ms;
  if (isMore || isSooner) entry.ended = ended;
}

const priceOf = ({ work }: Entry) => work.product.price;
/** What is not on sale has nothing to sell, where a shop keeps it on its shelf. */
export const stockOf = (shop: Shop, { product }: Work) =>
  product.on_sale ? Math.min(product.stock, shop.client.limits.stock) : 0;

/** Brings the stocks and prices of listings to the shop where they differ; the one waits for the other in nothing. */
export async function pushFigures(shop: Shop, entries: Entry[]): Promise<void> {
  // A price that the platform surely refuses ends its entry at once: the stocks are looked through before.
  await Promise.all([pushStocks(shop, entries), pushPrices(shop, entries)]);
}

async function pushPrices(shop: Shop, entries: Entry[]): Promise<void> {
  const { client } = shop;
  const changed = open(entries).filter((entry) => {
    if (entry.known.price === priceOf(entry)) return false;
    const broken = brokenPrice(client.platform, client.limits.priceIdr, priceOf(entry));
    if (broken !== null) end(entry, { outcome: "failed", reason: broken });
    return broken === null;
  });
  await inBatches(shop, {
    entries: changed,
    most: client.limits.priceBatch,
    send: (auth, some) =>
      client.setPrices(
        auth,
        some.map((entry) => ({ ref: entry.ref, priceIdr: priceOf(entry) })),
      ),
    sent: (entry, sure) => {
      entry.known.price = sure ? priceOf(entry) : null;
    },
  });
}

export async function pushStocks(shop: Shop, entries: Entry[]): Promise<void> {
  const { client } = shop;
  const changed = open(entries).filter((entry) => {
    if (entry.known.stock === stockOf(shop, entry.work)) return false;
    const broken = brokenStock(client.limits, stockOf(shop, entry.work));
    if (broken !== null) end(entry, { outcome: "failed", reason: broken });
    return broken === null;
  });
  if (changed.length === 0) return;
  let setup: ShopSetup;
  try {
    setup = await shop.setup();
  } catch (error) {
    for (const entry of changed) end(entry, outcomeOf(error, entry.work, client.platform));
    return;
  }
  await inBatches(shop, {
    entries: changed,
    most: client.limits.stockBatch,
    send: (auth, some) =>
      client.setStocks(
        auth,
        some.map((entry) => ({ ref: entry.ref, stock: stockOf(shop, entry.work), setup })),
      ),
    sent: (entry, sure) => {
      entry.known.stock = sure ? stockOf(shop, entry.work) : null;
    },
  });
}

/** Puts listings on the shelf, or takes them off it. */
export async function pushShelf(shop: Shop, entries: Entry[], listed: boolean): Promise<void> {
  const { client } = shop;
  const changed = open(entries).filter((entry) => entry.known.shown !== listed);
  await inBatches(shop, {
    entries: changed,
    most: client.limits.shelfBatch,
    send: (auth, some) =>
      client.setListed(
        auth,
        some.map(({ ref }) => ref),
        listed,
      ),
    sent: (entry, sure) => {
      entry.known.shown = sure ? listed : null;
      // A listing whose shelf is not known is gone over as a whole.
      if (!sure) entry.known.content = null;
    },
  });
}

const open = (entries: Entry[]) => entries.filter(({ ended }) => ended === null);

async function inBatches(shop: Shop, sending: Sending): Promise<void> {
  const { entries, most } = sending;
  const batches: Entry[][] = [];
  for (let at = 0; at < entries.length; at += most) batches.push(entries.slice(at, at + most));
  await Promise.all(batches.map((batch) => sendBatch(shop, batch, sending)));
}

/** One batch. One that is refused as a whole is sent line by line, so that a bad line holds up no other. */
async function sendBatch(shop: Shop, batch: Entry[], sending: Sending): Promise<void> {
  const { platform } = shop.client;
  try {
    const lines = await shop.call((auth) => sending.send(auth, batch));
    for (const [at, entry] of batch.entries()) {
      const ended = outcomeOfLine(lines[at], entry.work, platform);
      if (ended === null || lines[at] === undefined) sending.sent(entry, ended === null);
      if (ended !== null) end(entry, ended);
    }
  } catch (error) {
    const isWhole = error instanceof MarketplaceError && error.fault === "rejected";
    if (isWhole && batch.length > 1) {
      for (const entry of batch) await sendBatch(shop, [entry], sending);
      return;
    }
    // A batch may be several calls, of which some went through before the one that failed.
    const mayBeThere = batch.length > 1 || mayHaveActed(error);
    for (const entry of batch) {
      if (mayBeThere) sending.sent(entry, false);
      end(entry, outcomeOf(error, entry.work, platform));
    }
  }
}
