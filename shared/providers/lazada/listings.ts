import { z } from "zod";
import { outcomeOf } from "../marketplace/batch.ts";
import { contradiction, refusal } from "../marketplace/call.ts";
import { MarketplaceError } from "../marketplace/error.ts";
import { amountIdr, count, id, text } from "../marketplace/fields.ts";
import { checkListing } from "../marketplace/listing-rules.ts";
import { oneOf } from "../marketplace/one-of.ts";
import type {
  BatchOutcome,
  ListingInput,
  ListingRef,
  RemoteListing,
  RemoteStatus,
  ShopAuth,
} from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { Done, type LazadaLine, PLATFORM } from "./line.ts";
import { payload, productPart, skuPart } from "./requests.ts";

/** The three names of a SKU; a listing without its id can be given neither price nor stock. */
export function namesOf({ itemId, skuId, sku }: ListingRef) {
  if (skuId !== null) return { ItemId: itemId, SkuId: skuId, SellerSku: sku };
  throw refusal(PLATFORM, "Data produk Lazada tidak lengkap. Sinkronkan ulang", "bad_sku_id");
}

function statusOf(sku: string, product: string): RemoteStatus {
  const words = `${sku} ${product}`.toLowerCase();
  if (/deleted/.test(words)) return "deleted";
  if (/suspend|reject|lock/.test(words)) return "blocked";
  if (/pending|review/.test(words)) return "review";
  return /inactive/.test(words) ? "unlisted" : "live";
}

const Created = z.object({
  data: z.object({
    item_id: id,
    item_status: text,
    sku_list: z.array(z.object({ seller_sku: text, sku_id: id })),
  }),
});

/** Lists a product. Lazada refuses a SKU that it has, which makes a repeat harmless (providers/lazada.md §4). */
export async function createListing(
  line: LazadaLine,
  auth: ShopAuth,
  listing: ListingInput,
): Promise<RemoteListing> {
  checkListing(PLATFORM, LIMITS, listing);
  const price = { price: String(listing.priceIdr), quantity: String(listing.stock) };
  const product = { ...productPart(listing), Skus: { Sku: [{ ...skuPart(listing), ...price }] } };
  const { data } = await line.write(auth, "/product/create", payload(product), Created);
  const sku = data.sku_list.find(({ seller_sku }) => seller_sku === listing.sku);
  if (!sku) throw contradiction(PLATFORM, "a product was created without our SKU");
  return {
    itemId: data.item_id,
    skuId: sku.sku_id,
    sku: listing.sku,
    status: statusOf("", data.item_status),
    priceIdr: listing.priceIdr,
    stock: listing.stock,
    warnings: [],
  };
}

export async function updateListing(
  line: LazadaLine,
  auth: ShopAuth,
  ref: ListingRef,
  listing: ListingInput,
): Promise<void> {
  checkListing(PLATFORM, LIMITS, listing);
  const { ItemId, SkuId, SellerSku } = namesOf(ref);
  // A SKU's name cannot be changed any more.
  const sku = { ...skuPart(listing), SkuId, SellerSku };
  const product = { ...productPart(listing), ItemId, Skus: { Sku: [sku] } };
  await line.write(auth, "/product/update", payload(product), Done);
}

const NOT_ONLINE = "E0004";

/** Taking off the shelf has a call of its own; putting back is an update of the SKU. */
export async function setListed(
  line: LazadaLine,
  auth: ShopAuth,
  refs: ListingRef[],
  listed: boolean,
): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  for (const ref of refs) outcomes.push(await outcomeOf(ref, shelve(line, auth, ref, listed)));
  return outcomes;
}

async function shelve(line: LazadaLine, auth: ShopAuth, ref: ListingRef, listed: boolean) {
  const { ItemId, SkuId, SellerSku } = namesOf(ref);
  if (listed) {
    const product = { ItemId, Skus: { Sku: [{ SkuId, SellerSku, Status: "active" }] } };
    await line.write(auth, "/product/update", payload(product), Done);
    return;
  }
  const apiRequestBody = JSON.stringify({ Request: { Product: { ItemId } } });
  try {
    await line.write(auth, "/product/deactivate", { apiRequestBody }, Done);
  } catch (error) {
    // It was off the shelf before.
    if (error instanceof MarketplaceError && error.code === NOT_ONLINE) return;
    throw error;
  }
}

const Products = z.object({
  data: z.object({
    products: z
      .array(
        z.object({
          item_id: id,
          status: text,
          skus: z.array(
            z.object({
              SellerSku: text,
              SkuId: id,
              Status: text,
              price: amountIdr,
              quantity: count,
              Available: count,
            }),
          ),
        }),
      )
      .nullish(),
  }),
});

export async function findBySku(
  line: LazadaLine,
  auth: ShopAuth,
  sku: string,
  known?: string,
): Promise<RemoteListing | null> {
  const query = { filter: "all", limit: "50", sku_seller_list: JSON.stringify([sku]) };
  const { data } = await line.read(auth, "/products/get", query, Products);
  const found = (data.products ?? []).flatMap(({ item_id, status, skus }) =>
    skus
      .filter(({ SellerSku }) => SellerSku === sku)
      .map((row) => ({
        itemId: item_id,
        skuId: row.SkuId,
        sku,
        status: statusOf(row.Status, status),
        priceIdr: row.price,
        stock: row.Available ?? row.quantity,
        warnings: [],
      })),
  );
  const standing = found.filter(({ status }) => status !== "deleted");
  return oneOf(standing, known);
}
