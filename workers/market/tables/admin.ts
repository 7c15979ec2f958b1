import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  date,
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
import { stores } from "./catalogue.ts";

/** Pictures on the market's front page, by `sortOrder`, each within its time. */
export const banners = pgTable(
  "market_banners",
  {
    id: id(),
    imageUrl: text().notNull(),
    ctaLink: text(),
    sortOrder: integer().notNull().default(0),
    isActive: boolean().notNull().default(true),
    startsAt: at(),
    endsAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("market_banners_order_idx").on(t.sortOrder, t.id),
    check("market_banners_dates", sql`${t.endsAt} > ${t.startsAt}`),
  ],
);

/** What of the features an admin switched on or off for a store; without a row a feature is as the code has it. */
export const featureFlags = pgTable(
  "market_feature_flags",
  {
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    flag: text().notNull(),
    isOn: boolean().notNull(),
    updatedBy: userId()
      .notNull()
      .references(() => users.id),
    updatedAt: updatedAt(),
  },
  (t) => [
    primaryKey({ columns: [t.storeId, t.flag], name: "market_feature_flags_pkey" }),
    index("market_feature_flags_updated_by_idx").on(t.updatedBy),
  ],
);

/** A store that is to be deleted as soon as its last order has ended. It is closed until then. */
export const storeDeletions = pgTable(
  "market_store_deletions",
  {
    storeId: uuid()
      .primaryKey()
      .references(() => stores.id),
    requestedBy: userId()
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [index("market_store_deletions_requested_by_idx").on(t.requestedBy)],
);

/**
 * What a store, or (by the nil id) the whole market, sold and earned on a day of Jakarta, kept by the functions that
 * move the money, so that the dashboard never counts orders. Commission and promo are of deliveries, less refunds.
 */
export const storeDays = pgTable(
  "market_store_days",
  {
    storeId: uuid().notNull(),
    day: date().notNull(),
    orders: integer().notNull().default(0),
    sales: idr().notNull().default(0),
    commission: idr().notNull().default(0),
    promo: idr().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.storeId, t.day], name: "market_store_days_pkey" })],
);
