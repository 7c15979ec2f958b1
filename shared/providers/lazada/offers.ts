import { checkBatch, outcomeOf } from "../marketplace/batch.ts";
import { refusal } from "../marketplace/call.ts";
import { MarketplaceError } from "../marketplace/error.ts";
import { brokenPrice, brokenStock } from "../marketplace/listing-rules.ts";
import type {
  BatchOutcome,
  ListingRef,
  PriceChange,
  ShopAuth,
  StockChange,
} from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { Done, type LazadaLine, PLATFORM } from "./line.ts";
import { namesOf } from "./listings.ts";
import { skusPayload } from "./requests.ts";

interface Change {
  ref: ListingRef;
  /** What of this change surely would be refused. */
  broken: string | null;
  fields: Record<string, string>;
}

/** Prices alone: a call that names no quantity leaves it as it is (providers/lazada.md §4). */
export async function setPrices(
  line: LazadaLine,
  auth: ShopAuth,
  changes: PriceChange[],
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, changes.length, LIMITS.priceBatch);
  const send = (batch: Change[]) => write(line, auth, "/product/price_quantity/update", batch);
  return await changeAll(
    changes.map(({ ref, priceIdr }) => ({
      ref,
      broken: brokenPrice(PLATFORM, LIMITS.priceIdr, priceIdr),
      fields: { Price: String(priceIdr) },
    })),
    send,
  );
}

/** What may still be sold; `Quantity` would also count what open orders hold. */
export async function setStocks(
  line: LazadaLine,
  auth: ShopAuth,
  changes: StockChange[],
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, changes.length, LIMITS.stockBatch);
  const send = (batch: Change[]) => write(line, auth, "/product/stock/sellable/update", batch);
  return await changeAll(
    changes.map(({ ref, stock }) => ({
      ref,
      broken: brokenStock(LIMITS, stock),
      fields: { SellableQuantity: String(stock) },
    })),
    send,
  );
}

async function write(line: LazadaLine, auth: ShopAuth, path: string, batch: Change[]) {
  const skus = batch.map(({ ref, fields }) => ({ ...namesOf(ref), ...fields }));
  await line.write(auth, path, skusPayload(skus), Done);
}

/**
 * Sends a batch. Where Lazada refuses it, nothing says which part was carried out, so each SKU is sent alone: that has
 * no further effect where it was done before, and tells of each by itself.
 */
async function changeAll(
  changes: Change[],
  send: (batch: Change[]) => Promise<void>,
): Promise<BatchOutcome[]> {
  const one = async (change: Change) => {
    if (change.broken !== null) throw refusal(PLATFORM, change.broken);
    await send([change]);
  };
  const good = changes.filter(({ ref, broken }) => broken === null && ref.skuId !== null);
  if (good.length > 1 && (await wasTaken(good, send))) {
    const taken = new Set(good);
    return await inTurn(changes, async (change) => {
      if (!taken.has(change)) await one(change);
    });
  }
  return await inTurn(changes, one);
}

async function wasTaken(batch: Change[], send: (batch: Change[]) => Promise<void>) {
  try {
    await send(batch);
    return true;
  } catch (error) {
    const own = ["rejected", "locked", "not_found"];
    if (error instanceof MarketplaceError && own.includes(error.fault)) return false;
    throw error;
  }
}

async function inTurn(
  changes: Change[],
  work: (change: Change) => Promise<void>,
): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  for (const change of changes) outcomes.push(await outcomeOf(change.ref, work(change)));
  return outcomes;
}
