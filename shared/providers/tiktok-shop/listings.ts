import { z } from "zod";
import { checkBatch, outcomeOf } from "../marketplace/batch.ts";
import { contradiction, partFailed, refusal } from "../marketplace/call.ts";
import { amountIdr, count, id, text } from "../marketplace/fields.ts";
import { brokenPrice, brokenStock, checkListing } from "../marketplace/listing-rules.ts";
import { oneOf } from "../marketplace/one-of.ts";
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
import { judged } from "./failures.ts";
import { LIMITS } from "./limits.ts";
import { PLATFORM, type TikTokLine } from "./line.ts";
import { idInPath, inventory, PLATFORMS, price, productBody, skuIdOf } from "./requests.ts";

const PRODUCTS = "/product/202309/products";

const STATUS: Record<string, RemoteStatus> = {
  ACTIVATE: "live",
  PENDING: "review",
  DRAFT: "unlisted",
  SELLER_DEACTIVATED: "unlisted",
  FAILED: "blocked",
  PLATFORM_DEACTIVATED: "blocked",
  FREEZE: "blocked",
  DELETED: "deleted",
};
const statusOf = (word: string): RemoteStatus => STATUS[word] ?? "blocked";

const Created = z.object({
  data: z.object({
    product_id: id,
    skus: z.array(z.object({ id, seller_sku: text })),
    warnings: z.array(z.object({ message: text })).nullish(),
  }),
});

/**
 * Lists a product; it is reviewed before it is live (providers/tokopedia.md §5). The idempotency key may help, but the
 * platform does not promise it.
 */
export async function createListing(
  line: TikTokLine,
  auth: ShopAuth,
  listing: ListingInput,
): Promise<RemoteListing> {
  checkListing(PLATFORM, LIMITS, listing);
  const json = {
    save_mode: "LISTING",
    ...productBody(listing),
    skus: [
      {
        seller_sku: listing.sku,
        price: price(listing.priceIdr),
        inventory: inventory(listing.setup, listing.stock),
        sales_attributes: [],
      },
    ],
    external_product_id: listing.sku,
    idempotency_key: listing.sku,
  };
  const call = { method: "POST", path: PRODUCTS, json, schema: Created } as const;
  const { data } = await line.call(auth, call);
  const sku = data.skus.find(({ seller_sku }) => seller_sku === listing.sku) ?? data.skus[0];
  if (!sku) throw contradiction(PLATFORM, "a product was created without a SKU");
  return {
    itemId: data.product_id,
    skuId: sku.id,
    sku: listing.sku,
    status: "review",
    priceIdr: listing.priceIdr,
    stock: listing.stock,
    warnings: (data.warnings ?? []).map(({ message }) => message),
  };
}

/** `code` 0 may hold failures of parts. */
const Parts = z.object({
  data: z
    .object({
      errors: z
        .array(
          z.object({
            code: z.union([z.number(), z.string()]).nullish().transform(String),
            message: text,
            detail: z.object({ product_id: text }).nullish().catch(null),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

export async function updateListing(
  line: TikTokLine,
  auth: ShopAuth,
  ref: ListingRef,
  listing: ListingInput,
): Promise<void> {
  checkListing(PLATFORM, LIMITS, listing);
  const path = `${PRODUCTS}/${idInPath(ref.itemId)}/partial_edit`;
  const call = { method: "POST", path, json: productBody(listing), schema: Parts } as const;
  const { data } = await line.call(auth, call);
  const failed = data?.errors?.[0];
  if (failed) throw partFailed(PLATFORM, judged(failed.code, failed.message));
}

export async function setPrices(
  line: TikTokLine,
  auth: ShopAuth,
  changes: PriceChange[],
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, changes.length, LIMITS.priceBatch);
  const send = async ({ ref, priceIdr }: PriceChange) => {
    const broken = brokenPrice(PLATFORM, LIMITS.priceIdr, priceIdr);
    if (broken !== null) throw refusal(PLATFORM, broken);
    const json = { skus: [{ id: skuIdOf(ref), price: price(priceIdr) }] };
    return await changeOne(line, auth, ref, "prices", json);
  };
  return await Promise.all(changes.map((change) => outcomeOf(change.ref, send(change))));
}

export async function setStocks(
  line: TikTokLine,
  auth: ShopAuth,
  changes: StockChange[],
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, changes.length, LIMITS.stockBatch);
  const send = async ({ ref, stock, setup }: StockChange) => {
    const broken = brokenStock(LIMITS, stock);
    if (broken !== null) throw refusal(PLATFORM, broken);
    const json = { skus: [{ id: skuIdOf(ref), inventory: inventory(setup, stock) }] };
    return await changeOne(line, auth, ref, "inventory", json);
  };
  return await Promise.all(changes.map((change) => outcomeOf(change.ref, send(change))));
}

/** One product a call, whatever the number of its SKUs. */
async function changeOne(
  line: TikTokLine,
  auth: ShopAuth,
  { itemId }: ListingRef,
  what: "prices" | "inventory",
  json: unknown,
): Promise<void> {
  const path = `${PRODUCTS}/${idInPath(itemId)}/${what}/update`;
  const { data } = await line.call(auth, { method: "POST", path, json, schema: Parts });
  const failed = data?.errors?.[0];
  if (failed) throw partFailed(PLATFORM, judged(failed.code, failed.message));
}

export async function setListed(
  line: TikTokLine,
  auth: ShopAuth,
  refs: ListingRef[],
  listed: boolean,
): Promise<BatchOutcome[]> {
  checkBatch(PLATFORM, refs.length, LIMITS.shelfBatch);
  if (refs.length === 0) return [];
  const path = `${PRODUCTS}/${listed ? "activate" : "deactivate"}`;
  const json = { product_ids: refs.map(({ itemId }) => itemId), ...PLATFORMS };
  const { data } = await line.call(auth, { method: "POST", path, json, schema: Parts });
  const failed = new Map(
    (data?.errors ?? []).map((part) => [
      part.detail?.product_id ?? "",
      judged(part.code, part.message),
    ]),
  );
  const told = async ({ itemId }: ListingRef) => {
    // A failure that names no product may be any of them.
    const verdict = failed.get(itemId) ?? failed.get("");
    if (verdict) throw partFailed(PLATFORM, verdict);
  };
  return await Promise.all(refs.map((ref) => outcomeOf(ref, told(ref))));
}

const Found = z.object({
  data: z.object({
    products: z
      .array(
        z.object({
          id,
          status: text,
          skus: z.array(
            z.object({
              id,
              seller_sku: text,
              price: z
                .object({ tax_exclusive_price: amountIdr, sale_price: amountIdr })
                .nullish()
                .catch(null),
              inventory: z.array(z.object({ quantity: count })).nullish(),
            }),
          ),
        }),
      )
      .nullish(),
  }),
});

export async function findBySku(
  line: TikTokLine,
  auth: ShopAuth,
  sku: string,
  known?: string,
): Promise<RemoteListing | null> {
  const { data } = await line.call(auth, {
    method: "POST",
    path: "/product/202502/products/search",
    query: { page_size: "100" },
    json: { status: "ALL", seller_skus: [sku] },
    schema: Found,
    reads: true,
  });
  const found = (data.products ?? []).flatMap((product) =>
    product.skus
      .filter(({ seller_sku }) => seller_sku === sku)
      .map(({ id: skuId, price: asked, inventory: held }) => ({
        itemId: product.id,
        skuId,
        sku,
        status: statusOf(product.status),
        priceIdr: asked?.tax_exclusive_price ?? asked?.sale_price ?? null,
        stock: (held ?? []).reduce((sum, { quantity }) => sum + (quantity ?? 0), 0),
        warnings: [],
      })),
  );
  const standing = found.filter(({ status }) => status !== "deleted");
  return oneOf(standing, known);
}
