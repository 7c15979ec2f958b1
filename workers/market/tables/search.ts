import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { at } from "../../../shared/db/columns.ts";
import { products, stores } from "./catalogue.ts";

const tsvector = customType<{ data: string }>({ dataType: () => "tsvector" });

/**
 * What buyers can find: a narrow row for each product on sale in an open store, kept by triggers
 * (migrations/functions/market_catalogue_search.sql). Each order that a search may have has an index that is
 * walked; that of the price, which carries other columns along, is made there too.
 */
export const searchEntries = pgTable(
  "market_search_entries",
  {
    productId: uuid().references(() => products.id),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    categoryId: uuid(),
    price: bigint({ mode: "number" }).notNull(),
    inStock: boolean().notNull(),
    isFeatured: boolean().notNull(),
    createdAt: at().notNull(),
    words: tsvector().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.productId], name: "market_search_entries_pkey" }),
    index("market_search_entries_words_idx").using("gin", t.words),
    index("market_search_entries_newest_idx").on(t.createdAt, t.productId),
    index("market_search_entries_category_idx").on(t.categoryId, t.createdAt, t.productId),
    index("market_search_entries_category_price_idx").on(t.categoryId, t.price, t.productId),
    index("market_search_entries_store_idx").on(t.storeId, t.createdAt, t.productId),
    index("market_search_entries_featured_idx")
      .on(t.createdAt, t.productId)
      .where(sql`${t.isFeatured}`),
  ],
);

/** Every word that ever stood in the name of a product on sale. */
export const searchWords = pgTable("market_search_words", { word: text().primaryKey() });
