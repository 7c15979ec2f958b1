import { z } from "zod";
import { checkBatch, outcomeOf } from "../marketplace/batch.ts";
import { refusal } from "../marketplace/call.ts";
import { amountIdr, count, id, text } from "../marketplace/fields.ts";
import { brokenPrice, brokenStock, checkListing } from "../marketplace/listing-rules.ts";
import { oneOf } from "../marketplace/one-of.ts";
import { wordsOf } from "../marketplace/words.ts";
import type {
  BatchOutcome,
  ListingInput,
  ListingRef,
  PriceChange,
  RemoteListing,
  RemoteStatus,
  ShopAuth,
  StockChange,
} from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { numberOf, PLATFORM, type ShopeeLine } from "./line.ts";
import { itemBody } from "./requests.ts";

const STATUS: Record<string, RemoteStatus> = {
  NORMAL: "live",
  REVIEWING: "review",
  UNLIST: "unlisted",
  BANNED: "blocked",
  SELLER_DELETE: "deleted",
  SHOPEE_DELETE: "deleted",
};
const statusOf = (word: string): RemoteStatus => STATUS[word] ?? "blocked";

const Added = z.object({
  warning: text,
  response: z.object({ item_id: id, item_status: text }),
});

/** Lists a product (providers/shopee.md §5). Shopee knows no idempotency key and takes the same SKU twice. */
export async function createListing(
  line: ShopeeLine,
  auth: ShopAuth,
  listing: ListingInput,
): Promise<RemoteListing> {
  checkListing(PLATFORM, LIMITS, listing);
  const json = {
    ...itemBody(listing),
    original_price: listing.priceIdr,
    seller_stock: [{ stock: listing.stock }],
    item_sku: listing.sku,
    condition: "NEW",
    item_status: "NORMAL",
  };
  const { warning, response } = await line.write(auth, "product/add_item", json, Added);
  return {
    itemId: response.item_id,
    skuId: null,
    sku: listing.sku,
    status: statusOf(response.item_status || "NORMAL"),
    priceIdr: listing.priceIdr,
    stock: listing.stock,
    warnings: warning ? [warning] : [],
  };
}

const Done = z.object({ error: z.literal("") });

export async function updateListing(
  line: ShopeeLine,
  auth: ShopAuth,
  ref: ListingRef,
  listing: ListingInput,
): Promise<void> {
  checkListing(PLATFORM, LIMITS, listing);
  const json = { item_id: numberOf(ref.itemId, "item_id"), ...itemBody(listing) };
  await line.write(auth, "product/update_item", json, Done);
}

/** Both lists tell of one item, of which every variant is named by `model_id`; 0 is the item itself. */
const Split = z.object({
  response: z.object({
    failure_list: z.array(z.object({ failed_reason: text })).nullish(),
  }),
});
const LOCKED = /promotion|slash|reserved? stock|flash|holiday/i;

async function change(line: ShopeeLine, auth: ShopAuth, path: string, json: unknown) {
  const { response } = await line.write(auth, path, json, Split);
  const failed = response.failure_list?.[0];
  return failed ? failed.failed_reason || wordsOf(PLATFORM, "rejected") : null;
}

function outcomeOfReason(ref: ListingRef, reason: string): BatchOutcome {
  return LOCKED.test(reason)
    ? { sku: ref.sku, ok: false, fault: "locked", reason: wordsOf(PLATFORM, "locked") }
    : { sku: ref.sku, ok: false, fault: "rejected", reason };
}

/** One item with up to 50 variants a call; ours have one, so a batch is one call each. */
export async function setPrices(
  line: ShopeeLine,
  auth: ShopAuth,
  changes: PriceChange[],
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, changes.length, LIMITS.priceBatch);
  return await Promise.all(
    changes.map(async ({ ref, priceIdr }) => {
      const broken = brokenPrice(PLATFORM, LIMITS.priceIdr, priceIdr);
      if (broken !== null) return await outcomeOf(ref, Promise.reject(refusal(PLATFORM, broken)));
      const price_list = [{ model_id: modelOf(ref), original_price: priceIdr }];
      return await single(ref, (item_id) =>
        change(line, auth, "product/update_price", { item_id, price_list }),
      );
    }),
  );
}

export async function setStocks(
  line: ShopeeLine,
  auth: ShopAuth,
  changes: StockChange[],
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, changes.length, LIMITS.stockBatch);
  return await Promise.all(
    changes.map(async ({ ref, stock }) => {
      const broken = brokenStock(LIMITS, stock);
      if (broken !== null) return await outcomeOf(ref, Promise.reject(refusal(PLATFORM, broken)));
      const stock_list = [{ model_id: modelOf(ref), seller_stock: [{ stock }] }];
      return await single(ref, (item_id) =>
        change(line, auth, "product/update_stock", { item_id, stock_list }),
      );
    }),
  );
}

async function single(
  ref: ListingRef,
  send: (itemId: number) => Promise<string | null>,
): Promise<BatchOutcome> {
  let reason: string | null = null;
  const work = async () => {
    reason = await send(numberOf(ref.itemId, "item_id"));
  };
  const outcome = await outcomeOf(ref, work());
  return reason === null ? outcome : outcomeOfReason(ref, reason);
}

const modelOf = ({ skuId }: ListingRef) => (skuId === null ? 0 : numberOf(skuId, "model_id"));

const Shelved = z.object({
  response: z.object({
    failure_list: z.array(z.object({ item_id: id, failed_reason: text })).nullish(),
  }),
});

export async function setListed(
  line: ShopeeLine,
  auth: ShopAuth,
  refs: ListingRef[],
  listed: boolean,
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, refs.length, LIMITS.shelfBatch);
  if (refs.length === 0) return [];
  const item_list = refs.map(({ itemId }) => ({
    item_id: numberOf(itemId, "item_id"),
    unlist: !listed,
  }));
  const { response } = await line.write(auth, "product/unlist_item", { item_list }, Shelved);
  const reasons = new Map(
    (response.failure_list ?? []).map((failed) => [failed.item_id, failed.failed_reason]),
  );
  return refs.map((ref) => {
    const reason = reasons.get(ref.itemId);
    if (reason === undefined) return { sku: ref.sku, ok: true };
    return outcomeOfReason(ref, reason || wordsOf(PLATFORM, "rejected"));
  });
}

const Found = z.object({ response: z.object({ item_id_list: z.array(id).nullish() }) });
const Items = z.object({
  response: z.object({
    item_list: z
      .array(
        z.object({
          item_id: id,
          item_sku: text,
          item_status: text,
          price_info: z.array(z.object({ original_price: amountIdr })).nullish(),
          stock_info_v2: z
            .object({ summary_info: z.object({ total_available_stock: count }).nullish() })
            .nullish(),
        }),
      )
      .nullish(),
  }),
});
const MOST_ITEMS = 50;

/** The item of a SKU: the search gives ids, which may be near misses, and the items tell their SKU. */
export async function findBySku(
  line: ShopeeLine,
  auth: ShopAuth,
  sku: string,
  known?: string,
): Promise<RemoteListing | null> {
  const query = { item_sku: sku, page_size: String(MOST_ITEMS) };
  const found = await line.read(auth, "product/search_item", query, Found);
  const ids = (found.response.item_id_list ?? []).slice(0, MOST_ITEMS);
  if (ids.length === 0) return null;
  const asked = { item_id_list: ids.join(",") };
  const { response } = await line.read(auth, "product/get_item_base_info", asked, Items);
  const items = (response.item_list ?? [])
    .filter((item) => item.item_sku === sku && statusOf(item.item_status) !== "deleted")
    .sort((a, b) => Number(a.item_id) - Number(b.item_id));
  const standing = items.map((item) => ({
    itemId: item.item_id,
    skuId: null,
    sku,
    status: statusOf(item.item_status),
    priceIdr: item.price_info?.[0]?.original_price ?? null,
    stock: item.stock_info_v2?.summary_info?.total_available_stock ?? null,
    warnings: [],
  }));
  return oneOf(standing, known);
}
