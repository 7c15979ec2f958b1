import { brokenRule } from "../../../../shared/providers/marketplace/listing-rules.ts";
import {
  type ListingInput,
  type MarketAttribute,
  PLATFORM_NAME,
} from "../../../../shared/providers/marketplace.ts";
import type { Shop } from "../connections/shop.ts";
import type { Desk } from "./desk.ts";
import { NotListableError } from "./not-listable.ts";
import type { Work } from "./rows.ts";

/** Couriers reckon 6,000 cm³ as a kilogram; a parcel of that density is what an unmeasured product is taken for. */
const CM3_PER_GRAM = 6;

/** What an attribute says of which the seller said nothing, where the platform offers it. */
const NOTHING_SAID = /^(tidak ada|no brand|none|n\/?a|lainnya|lain-lain|others?|-)$/i;

/**
 * The listing of a product as its platform wants it, pictures uploaded. Throws `NotListableError` with everything that
 * the seller has to add or change; whatever can be known without the platform is checked before it is asked.
 */
export async function listingInput(desk: Desk, work: Work): Promise<ListingInput> {
  const { product, mapping } = work;
  const { shop, images } = desk;
  const { client } = shop;
  const plain = {
    sku: product.id,
    name: product.name.trim(),
    description: (product.description ?? "").trim(),
    priceIdr: product.price,
    stock: Math.min(product.stock, client.limits.stock),
    weightGram: product.weight_gram,
    sizeCm: mapping?.size_cm ?? sizeOf(product.weight_gram),
  };
  const draft: ListingInput = {
    ...plain,
    ...{ categoryId: "", brand: null, attributes: [], setup: NO_SETUP },
    images: product.images.slice(0, client.limits.images),
  };
  const broken = brokenRule(client.platform, client.limits, draft);
  if (broken !== null) throw new NotListableError(broken);
  const categoryId = await categoryOf(desk, work);
  const attributes = await attributesOf(desk, categoryId, work);
  return {
    ...plain,
    categoryId,
    attributes,
    brand: await brandOf(shop, categoryId, mapping?.brand ?? null),
    images: await images.refsOf(product.images, work.refs),
    setup: await shop.setup(),
  };
}

const NO_SETUP = { logisticIds: [], warehouseId: null };

/** A cube of the weight. */
export function sizeOf(weightGram: number): ListingInput["sizeCm"] {
  const side = Math.max(1, Math.ceil(Math.cbrt(weightGram * CM3_PER_GRAM)));
  return { length: side, width: side, height: side };
}

/** The seller's choice, else where it lies already, else the platform's own guess, else a leaf of our category's name. */
async function categoryOf(
  { shop, categories }: Desk,
  { product, mapping, remote_category_id: before }: Work,
): Promise<string> {
  const name = PLATFORM_NAME[shop.client.platform];
  if (mapping) {
    if (await categories.pathOf(mapping.category_id)) return mapping.category_id;
    throw new NotListableError(
      `Kategori ${name} yang dipilih untuk "${product.category ?? "tanpa kategori"}" sudah tidak ada. Pilih kategori lain`,
    );
  }
  if (before && (await categories.pathOf(before))) return before;
  const guess = await shop.call((auth) => shop.client.suggestCategory(auth, product.name));
  if (guess && (await categories.pathOf(guess))) return guess;
  const named = product.category && (await categories.leafNamed(product.category));
  if (named) return named;
  throw new NotListableError(
    `Kategori ${name} untuk "${product.category ?? "tanpa kategori"}" belum dipilih. Pilih di pemetaan kategori`,
  );
}

async function attributesOf(
  { categories }: Desk,
  categoryId: string,
  { mapping }: Work,
): Promise<ListingInput["attributes"]> {
  const wanted = await categories.attributesOf(categoryId);
  const said = new Map(mapping?.attributes.map((one) => [one.id, one]));
  const missing: string[] = [];
  const given = wanted.flatMap((attribute) => {
    const own = said.get(attribute.id);
    if (own) return [stated(own)];
    if (!attribute.required) return [];
    const fallback = attribute.options.find(({ name }) => NOTHING_SAID.test(name.trim()));
    if (fallback) return [{ id: attribute.id, optionIds: [fallback.id] }];
    missing.push(nameOf(attribute));
    return [];
  });
  if (missing.length === 0) return given;
  const path = (await categories.pathOf(categoryId))?.join(" > ") ?? categoryId;
  throw new NotListableError(
    `Kategori ${path} mewajibkan: ${missing.join(", ")}. Isi di pemetaan kategori`,
  );
}

/** Without the keys that nothing was said about. */
function stated(one: { id: string; optionIds?: string[] | undefined; text?: string | undefined }) {
  return {
    id: one.id,
    ...(one.optionIds ? { optionIds: one.optionIds } : {}),
    ...(one.text ? { text: one.text } : {}),
  };
}

const nameOf = ({ name, options }: MarketAttribute) =>
  options.length === 0 ? name : `${name} (pilih salah satu)`;

async function brandOf(shop: Shop, categoryId: string, name: string | null) {
  if (name === null) return null;
  const found = await shop.call((auth) => shop.client.findBrand(auth, categoryId, name));
  if (found) return found;
  throw new NotListableError(
    `Merek "${name}" tidak dikenal ${PLATFORM_NAME[shop.client.platform]} untuk kategori ini`,
  );
}
