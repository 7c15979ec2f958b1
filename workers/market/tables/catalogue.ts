import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import {
  at,
  createdAt,
  id,
  idr,
  timestamps,
  updatedAt,
  userId,
} from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** A seller's shop. `version` grows with every change that its storefront shows. */
export const stores = pgTable(
  "market_stores",
  {
    id: id(),
    userId: userId()
      .notNull()
      .unique("market_stores_user_key")
      .references(() => users.id),
    name: text().notNull(),
    slug: text().notNull().unique("market_stores_slug_key"),
    description: text(),
    logoUrl: text(),
    bannerUrl: text(),
    address: text(),
    city: text(),
    province: text(),
    postalCode: text(),
    lat: doublePrecision(),
    lng: doublePrecision(),
    googleMapsUrl: text(),
    instagramHandle: text(),
    phone: text(),
    areaId: text(),
    shippingCouriers: text().array().notNull().default(sql`'{}'::text[]`),
    status: text().notNull().default("active"),
    isFeatured: boolean().notNull().default(false),
    version: bigint({ mode: "number" }).notNull().default(1),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    check("market_stores_status_known", sql`${t.status} in ('active', 'inactive', 'suspended')`),
    check("market_stores_slug_shape", sql`${t.slug} ~ '^[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])$'`),
  ],
);

/** Every slug a store ever had: an old one leads to the new one and is never given to another store. */
export const storeSlugs = pgTable(
  "market_store_slugs",
  {
    slug: text().primaryKey(),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    createdAt: createdAt(),
  },
  (t) => [index("market_store_slugs_store_idx").on(t.storeId)],
);

export const categories = pgTable(
  "market_categories",
  {
    id: id(),
    name: text().notNull(),
    slug: text().notNull().unique("market_categories_slug_key"),
    iconUrl: text(),
    parentId: uuid().references((): AnyPgColumn => categories.id),
  },
  (t) => [index("market_categories_parent_idx").on(t.parentId)],
);

/** `stock` is what lies in the shop, `reserved` what unpaid orders hold; a buyer may take the difference. */
export const products = pgTable(
  "market_products",
  {
    id: id(),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    categoryId: uuid().references(() => categories.id),
    name: text().notNull(),
    description: text(),
    price: idr().notNull(),
    stock: integer().notNull().default(0),
    reserved: integer().notNull().default(0),
    /** How often somebody has said what the stock is; sales move it without. */
    stockCounts: integer().notNull().default(0),
    weightGram: integer().notNull().default(0),
    isFeatured: boolean().notNull().default(false),
    status: text().notNull().default("draft"),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    check("market_products_price_positive", sql`${t.price} > 0`),
    check("market_products_stock_covers", sql`${t.reserved} >= 0 and ${t.stock} >= ${t.reserved}`),
    check("market_products_weight_positive", sql`${t.weightGram} >= 0`),
    check("market_products_status_known", sql`${t.status} in ('draft', 'active', 'archived')`),
    // No courier takes a parcel without a weight.
    check("market_products_active_weighs", sql`${t.status} <> 'active' or ${t.weightGram} >= 1`),
    index("market_products_store_idx").on(
      t.storeId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index("market_products_shown_idx")
      .on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.status} = 'active' and ${t.deletedAt} is null`),
    index("market_products_featured_idx")
      .on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`${t.isFeatured} and ${t.status} = 'active' and ${t.deletedAt} is null`),
    index("market_products_price_idx")
      .on(t.price)
      .where(sql`${t.status} = 'active' and ${t.deletedAt} is null`),
    index("market_products_category_idx").on(
      t.categoryId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
  ],
);

export const productImages = pgTable(
  "market_product_images",
  {
    id: id(),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    url: text().notNull(),
    isPrimary: boolean().notNull().default(false),
    isAiEnhanced: boolean().notNull().default(false),
    sortOrder: integer().notNull().default(0),
  },
  (t) => [index("market_product_images_product_idx").on(t.productId, t.sortOrder)],
);

export const cartItems = pgTable(
  "market_cart_items",
  {
    userId: userId()
      .notNull()
      .references(() => users.id),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    quantity: integer().notNull(),
    /** The price when the buyer last set this line, so that a change can be shown. */
    seenPrice: idr().notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.productId], name: "market_cart_items_pkey" }),
    index("market_cart_items_product_idx").on(t.productId),
    check("market_cart_items_quantity", sql`${t.quantity} between 1 and 999`),
  ],
);

/** A code of a store, or of the whole platform where `storeId` is null. */
export const promoCodes = pgTable(
  "market_promo_codes",
  {
    id: id(),
    storeId: uuid().references(() => stores.id),
    createdBy: userId()
      .notNull()
      .references(() => users.id),
    code: text().notNull().unique("market_promo_codes_code_key"),
    type: text().notNull(),
    value: idr().notNull(),
    minPurchase: idr().notNull().default(0),
    maxUses: integer(),
    usedCount: integer().notNull().default(0),
    startsAt: at().notNull(),
    endsAt: at().notNull(),
    isActive: boolean().notNull().default(true),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("market_promo_codes_store_idx").on(
      t.storeId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    check("market_promo_codes_code_upper", sql`${t.code} = upper(${t.code})`),
    check("market_promo_codes_type_known", sql`${t.type} in ('percentage', 'fixed')`),
    check(
      "market_promo_codes_value_sane",
      sql`${t.value} > 0 and (${t.type} = 'fixed' or ${t.value} <= 100)`,
    ),
    check("market_promo_codes_dates", sql`${t.endsAt} > ${t.startsAt}`),
    check("market_promo_codes_min_purchase", sql`${t.minPurchase} >= 0`),
    check(
      "market_promo_codes_uses",
      sql`${t.usedCount} >= 0 and (${t.maxUses} is null or ${t.usedCount} <= ${t.maxUses})`,
    ),
  ],
);
