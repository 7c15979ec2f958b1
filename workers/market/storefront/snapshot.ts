import { z } from "zod";

/** A store with more products on sale than this shows the newest of them (see market_storefront_snapshot). */
export const MAX_PRODUCTS = 2000;

const CategoryTag = z.object({ slug: z.string(), name: z.string() });

/** What a product's page shows. `stock` is what may still be bought; told where it is few, checked at the cart. */
export const ShopProduct = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  price: z.number(),
  stock: z.number(),
  weight_gram: z.number(),
  is_featured: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
  category: CategoryTag.nullable(),
  images: z.array(z.string()),
});
export type ShopProduct = z.output<typeof ShopProduct>;

/** What a product's card shows. */
export const ProductCard = z.object({
  id: z.string(),
  name: z.string(),
  price: z.number(),
  stock: z.number(),
  image: z.string().nullable(),
});
export type ProductCard = z.output<typeof ProductCard>;

/** A store as anybody may see it. */
export const StoreFacts = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  description: z.string().nullable(),
  logo_url: z.string().nullable(),
  banner_url: z.string().nullable(),
  city: z.string().nullable(),
  province: z.string().nullable(),
  instagram_handle: z.string().nullable(),
  google_maps_url: z.string().nullable(),
});
export type StoreFacts = z.output<typeof StoreFacts>;

/** What the database answers about a slug, read at one moment. */
export const Snapshot = z.object({
  state: z.string(),
  store: StoreFacts.nullable(),
  products: z.array(ShopProduct),
  more: z.boolean(),
});
export type Snapshot = z.output<typeof Snapshot>;

/** What every page of a store needs, kept beside its products. */
export const Front = z.object({
  store: StoreFacts.nullable(),
  categories: z.array(CategoryTag.extend({ count: z.number() })),
  total: z.number(),
  more: z.boolean(),
});
export type Front = z.output<typeof Front>;
export type CategoryCount = Front["categories"][number];

/** Where a slug leads, out of the state word that the database gives it. */
export type Standing =
  | { kind: "store" }
  | { kind: "moved"; slug: string }
  | { kind: "closed" }
  | { kind: "unknown" };

export function standingOf(state: string): Standing {
  const [kind, detail = ""] = state.split("/");
  if (kind === "store") return { kind };
  if (kind === "moved") return { kind, slug: detail };
  return { kind: kind === "closed" ? "closed" : "unknown" };
}

/** Letters as people search them: no case, no accents. */
export const searchable = (text: string): string =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The words of a search box: few and short, so that a search costs little. */
export const searchWords = (text: string): string[] =>
  searchable(text.toWellFormed())
    .split(/[\s\p{Cc}]+/u)
    .filter(Boolean)
    .slice(0, 8)
    .map((word) => word.slice(0, 50));

export function cardOf(product: ShopProduct): ProductCard {
  const { id, name, price, stock } = product;
  return { id, name, price, stock, image: product.images[0] ?? null };
}

export function frontOf(snapshot: Snapshot): Front {
  const categories = new Map<string, CategoryCount>();
  for (const { category } of snapshot.products) {
    if (!category) continue;
    const counted = categories.get(category.slug) ?? { ...category, count: 0 };
    counted.count += 1;
    categories.set(category.slug, counted);
  }
  return {
    store: snapshot.store,
    categories: [...categories.values()].sort((a, b) => a.name.localeCompare(b.name, "id")),
    total: snapshot.products.length,
    more: snapshot.more,
  };
}
