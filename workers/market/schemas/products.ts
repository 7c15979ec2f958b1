import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { optionalParameter, optionalText, rupiah, searchParameter, title } from "./fields.ts";

export const MAX_IMAGES = 10;
const STATUSES = ["draft", "active", "archived"] as const;

const ProductImageShape = z
  .object({
    id: z.string(),
    product_id: z.string(),
    url: z.string(),
    is_primary: z.boolean(),
    is_ai_enhanced: z.boolean(),
    sort_order: z.number(),
  })
  .openapi("ProductImage");

const product = {
  id: z.string(),
  store_id: z.string(),
  category_id: z.string().nullable(),
  name: z.string(),
  description: z.string().nullable(),
  price: z.number(),
  stock: z.number(),
  weight_gram: z.number(),
  is_featured: z.boolean(),
  status: z.enum(STATUSES),
  created_at: z.string(),
  updated_at: z.string(),
  deleted_at: z.string().nullable(),
  product_images: z.array(ProductImageShape),
};

/** A product as its seller sees it: `stock` lies in the shop, `reserved` of it is held by unpaid orders. */
export const SellerProductShape = z
  .object({ ...product, reserved: z.number() })
  .openapi("SellerProduct");

/** A product as a buyer sees it: `stock` is what may still be bought. */
export const BuyerProductShape = z
  .object({ ...product, stores: z.object({ name: z.string(), slug: z.string() }) })
  .openapi("Product");

const ImageInput = z.object({
  url: z.string().max(1000),
  is_primary: z.boolean().default(false),
  is_ai_enhanced: z.boolean().default(false),
  sort_order: z.number().int().min(0).max(1000).optional(),
});

const input = {
  name: title(2, 150),
  description: optionalText(10_000),
  price: rupiah(),
  stock: z.number().int().min(0).max(1_000_000),
  weight_gram: z.number().int().min(0).max(1_000_000),
  category_id: z.uuid().toLowerCase().nullable(),
  status: z.enum(STATUSES),
  images: z.array(ImageInput).max(MAX_IMAGES),
};

/** Allow-lists (TB-5): `is_featured`, `store_id` and the like are not a seller's to say and are ignored. */
export const NewProduct = z
  .object({
    ...input,
    description: input.description.default(null),
    stock: input.stock.default(0),
    weight_gram: input.weight_gram.default(0),
    category_id: input.category_id.default(null),
    status: input.status.default("draft"),
    images: input.images.default([]),
  })
  .openapi("NewProduct");

export const ProductChanges = z.object(input).partial().openapi("ProductChanges");

export const SellerProductQuery = z.object({
  ...pagingQuery,
  status: optionalParameter(z.enum(STATUSES)),
  search: searchParameter,
  q: searchParameter,
});

const priceBound = optionalParameter(
  z.coerce
    .number()
    .nonnegative()
    .transform((value) => Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER)),
);

const flag = z
  .string()
  .transform((value) => value === "true" || value === "1")
  .optional();

export const ProductQuery = z.object({
  ...pagingQuery,
  q: searchParameter,
  search: searchParameter,
  category_id: optionalParameter(z.uuid()),
  store_id: optionalParameter(z.uuid()),
  price_min: priceBound,
  price_max: priceBound,
  featured: flag,
  in_stock: flag,
  sort: optionalParameter(z.enum(["relevance", "newest", "cheapest", "dearest"])),
  /** `meta.next_cursor` of the page before; then `page` is only repeated in the answer. */
  cursor: optionalParameter(z.string().max(400)),
});

export type ImageInput = z.output<typeof ImageInput>;
export type NewProduct = z.output<typeof NewProduct>;
export type ProductChanges = z.output<typeof ProductChanges>;
export type SellerProductQuery = z.output<typeof SellerProductQuery>;
export type ProductQuery = z.output<typeof ProductQuery>;
export type SellerProduct = z.output<typeof SellerProductShape>;
export type BuyerProduct = z.output<typeof BuyerProductShape>;
