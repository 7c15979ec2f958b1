import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** Coins for sale. As with gifts a change is a new `version`; the newest whose `validFrom` has come is sold. */
export const coinPackages = pgTable(
  "live_coin_packages",
  {
    packageId: integer().notNull(),
    version: integer().notNull().default(1),
    method: text().notNull(),
    coins: idr().notNull(),
    priceIdr: idr().notNull(),
    validFrom: at().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.packageId, t.version], name: "live_coin_packages_pkey" }),
    check("live_coin_packages_method_known", sql`${t.method} in ('bank', 'ewallet')`),
    check("live_coin_packages_coins_bounded", sql`${t.coins} between 1 and 1000000000`),
    check("live_coin_packages_price_bounded", sql`${t.priceIdr} between 1000 and 1000000000`),
  ],
);

/** Coins that somebody wants to buy; its state is that of its payment (`payments_intents`, purpose 'coins'). */
export const coinPurchases = pgTable(
  "live_coin_purchases",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    /** What the app knows it by: the number of the payment at its provider. */
    orderId: text().notNull().unique("live_coin_purchases_order_key"),
    intentId: uuid().notNull().unique("live_coin_purchases_intent_key"),
    packageId: integer().notNull(),
    packageVersion: integer().notNull(),
    coins: idr().notNull(),
    priceIdr: idr().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index("live_coin_purchases_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    check("live_coin_purchases_coins_positive", sql`${t.coins} > 0`),
  ],
);
