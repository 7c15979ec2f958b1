import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

export type TargetKind = "phone" | "pln_meter" | "customer_number" | "game_id" | "link";
export type MemberLevel = "member" | "reseller" | "agent";

/**
 * What can be bought, as the last successful sync left it. Prices are per unit, of social services per 1,000.
 * `status` is the supplier's word (`gone`: no longer in its list), `active` the operator's switch; both must agree to
 * sell. `price` is what a plain member pays; other levels pay `topup_price(...)`.
 */
export const services = pgTable(
  "topup_services",
  {
    id: id(),
    family: text().$type<"prepaid" | "game" | "social">().notNull(),
    code: text().notNull(),
    name: text().notNull(),
    brand: text().notNull().default(""),
    category: text().notNull().default(""),
    type: text().notNull().default(""),
    note: text().notNull().default(""),
    needsZone: boolean().notNull().default(false),
    targetKind: text().$type<TargetKind>().notNull(),
    minQuantity: integer().notNull().default(1),
    maxQuantity: integer().notNull().default(1),
    /** Prepaid: daily maintenance in Jakarta's time, "HH:mm - HH:mm". */
    maintenance: text(),
    /** Prepaid: false where the supplier serves a number once a day only. */
    multiTrx: boolean().notNull().default(true),
    supplierPrice: idr().notNull(),
    price: idr().notNull(),
    /** A supplier's price so far below the known one that its list must name it twice before it sells. */
    heldPrice: idr(),
    status: text().$type<"available" | "empty" | "gone">().notNull().default("available"),
    active: boolean().notNull().default(true),
    /** What the supplier has, `reserved` what our open orders will take of it; null where it is not counted. */
    stock: integer(),
    stockType: text()
      .$type<"LIMITED" | "UNLIMITED" | "OUT_OF_STOCK">()
      .notNull()
      .default("UNLIMITED"),
    reserved: integer().notNull().default(0),
    minStock: integer().notNull().default(5),
    stockCheckedAt: at(),
    /** The sync that last changed the row. */
    syncId: uuid(),
    /** Since when the supplier lists it no longer. */
    goneAt: at(),
    ...timestamps(),
  },
  (t) => [
    unique("topup_services_family_code_key").on(t.family, t.code),
    check("topup_services_family_known", sql`${t.family} in ('prepaid', 'game', 'social')`),
    check("topup_services_status_known", sql`${t.status} in ('available', 'empty', 'gone')`),
    check(
      "topup_services_target_known",
      sql`${t.targetKind} in ('phone', 'pln_meter', 'customer_number', 'game_id', 'link')`,
    ),
    // Nothing sells at a loss, whatever the margin rules say.
    check(
      "topup_services_no_loss",
      sql`${t.supplierPrice} > 0 and ${t.price} > ${t.supplierPrice}`,
    ),
    check(
      "topup_services_quantities",
      sql`${t.minQuantity} >= 1 and ${t.maxQuantity} >= ${t.minQuantity}`,
    ),
    check(
      "topup_services_stock_sane",
      sql`${t.reserved} >= 0 and ${t.minStock} >= 0 and (${t.stock} is null or ${t.stock} >= 0)
        and (${t.stockType} <> 'LIMITED' or ${t.stock} is not null)`,
    ),
    check(
      "topup_services_stock_type_known",
      sql`${t.stockType} in ('LIMITED', 'UNLIMITED', 'OUT_OF_STOCK')`,
    ),
    index("topup_services_brand_idx").on(t.family, t.brand, t.price, t.id),
    index("topup_services_price_idx")
      .on(t.price, t.id)
      .where(sql`${t.status} <> 'gone' and ${t.active}`),
    index("topup_services_name_idx")
      .on(t.name, t.id)
      .where(sql`${t.status} <> 'gone' and ${t.active}`),
    index("topup_services_low_stock_idx")
      .on(t.stock)
      .where(sql`${t.stockType} = 'LIMITED' and ${t.active}`),
  ],
);

/**
 * One row, whose word is another after every change of what resellers' lists of services show, in the transaction of
 * the change. A word and not a number: one that was restored from a backup never comes to stand for other prices.
 */
export const catalogueVersion = pgTable(
  "topup_catalogue_version",
  {
    one: boolean().primaryKey().default(true),
    version: uuid().notNull().defaultRandom(),
  },
  (t) => [check("topup_catalogue_version_one", sql`${t.one}`)],
);

/** Every change of a price, ours or the supplier's; the first price of a service has no old ones. */
export const priceHistory = pgTable(
  "topup_price_history",
  {
    id: id(),
    serviceId: uuid()
      .notNull()
      .references(() => services.id),
    oldSupplierPrice: idr(),
    supplierPrice: idr().notNull(),
    oldPrice: idr(),
    price: idr().notNull(),
    syncId: uuid(),
    createdAt: createdAt(),
  },
  (t) => [index("topup_price_history_service_idx").on(t.serviceId, t.createdAt)],
);

/**
 * What we add to the supplier's price: `percentBp` hundredths of a per cent and `fixed` rupiah (social: per 1,000).
 * Null matches all. The most specific rule wins: brand before level before family.
 */
export const marginRules = pgTable(
  "topup_margin_rules",
  {
    id: id(),
    family: text(),
    brand: text(),
    memberLevel: text().$type<MemberLevel>(),
    percentBp: integer().notNull().default(0),
    fixed: idr().notNull().default(0),
    active: boolean().notNull().default(true),
    ...timestamps(),
  },
  (t) => [
    unique("topup_margin_rules_scope_key").on(t.family, t.brand, t.memberLevel).nullsNotDistinct(),
    check(
      "topup_margin_rules_family_known",
      sql`${t.family} is null or ${t.family} in ('prepaid', 'game', 'social')`,
    ),
    check(
      "topup_margin_rules_level_known",
      sql`${t.memberLevel} is null or ${t.memberLevel} in ('member', 'reseller', 'agent')`,
    ),
    check(
      "topup_margin_rules_bounds",
      sql`${t.percentBp} between 0 and 100000 and ${t.fixed} between 0 and 100000000`,
    ),
  ],
);

/** The level of a user, for his prices and limits; whoever has no row is a `member`. */
export const members = pgTable(
  "topup_members",
  {
    userId: userId()
      .primaryKey()
      .references(() => users.id),
    level: text().$type<MemberLevel>().notNull().default("member"),
    ...timestamps(),
  },
  (t) => [check("topup_members_level_known", sql`${t.level} in ('member', 'reseller', 'agent')`)],
);

/** A run of the catalogue sync; the unique index lets one run at a time. */
export const syncs = pgTable(
  "topup_syncs",
  {
    id: id(),
    action: text()
      .$type<"full-sync" | "sync-services" | "sync-products" | "sync-stock">()
      .notNull(),
    state: text()
      .$type<"running" | "success" | "partial" | "failed">()
      .notNull()
      .default("running"),
    /** What each family came to: `{prepaid: {state, rows, …}}`. */
    families: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    servicesAdded: integer().notNull().default(0),
    servicesUpdated: integer().notNull().default(0),
    productsAdded: integer().notNull().default(0),
    productsUpdated: integer().notNull().default(0),
    stockUpdated: integer().notNull().default(0),
    /** The supplier's price level that was reckoned with; null: not told, so the dearest. */
    level: text(),
    error: text(),
    jobId: uuid(),
    requestedBy: userId().references(() => users.id),
    startedAt: at().notNull().defaultNow(),
    /** Moved forward with every piece of work, so that a run nobody works on is noticed. */
    beatAt: at().notNull().defaultNow(),
    finishedAt: at(),
  },
  (t) => [
    check(
      "topup_syncs_action_known",
      sql`${t.action} in ('full-sync', 'sync-services', 'sync-products', 'sync-stock')`,
    ),
    check(
      "topup_syncs_state_known",
      sql`${t.state} in ('running', 'success', 'partial', 'failed')
        and (${t.finishedAt} is null) = (${t.state} = 'running')`,
    ),
    uniqueIndex("topup_syncs_one_running").on(t.state).where(sql`${t.state} = 'running'`),
    index("topup_syncs_started_idx").on(t.startedAt.desc()),
    index("topup_syncs_requested_by_idx").on(t.requestedBy),
  ],
);

/** How often a user asked for players' names in the running minute; each question is a call to the supplier. */
export const lookups = pgTable("topup_lookups", {
  userId: userId()
    .primaryKey()
    .references(() => users.id),
  windowStartedAt: at().notNull().defaultNow(),
  count: integer().notNull().default(1),
});

/** Price-list rows on their way in, a piece a row; the catalogue changes only once a whole list is here. */
export const syncPieces = pgTable(
  "topup_sync_pieces",
  {
    syncId: uuid()
      .notNull()
      .references(() => syncs.id, { onDelete: "cascade" }),
    family: text().notNull(),
    piece: integer().notNull(),
    rows: jsonb().$type<unknown[]>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.syncId, t.family, t.piece], name: "topup_sync_pieces_pkey" })],
);

/** Every change of a counted stock, and who or what made it. */
export const stockHistory = pgTable(
  "topup_stock_history",
  {
    id: id(),
    serviceId: uuid()
      .notNull()
      .references(() => services.id),
    type: text()
      .$type<"MANUAL_ADJUSTMENT" | "ORDER_REDUCTION" | "SYNC_UPDATE" | "RESTOCK" | "CORRECTION">()
      .notNull(),
    quantity: bigint({ mode: "number" }).notNull(),
    oldStock: integer(),
    newStock: integer(),
    reason: text(),
    /** Who adjusted by hand. */
    actorId: userId().references(() => users.id),
    /** The order that reduced or restored it. */
    orderId: uuid(),
    createdAt: createdAt(),
  },
  (t) => [
    check(
      "topup_stock_history_type_known",
      sql`${t.type} in ('MANUAL_ADJUSTMENT', 'ORDER_REDUCTION', 'SYNC_UPDATE', 'RESTOCK', 'CORRECTION')`,
    ),
    index("topup_stock_history_service_idx").on(t.serviceId, t.createdAt),
    index("topup_stock_history_actor_idx").on(t.actorId),
    index("topup_stock_history_order_idx").on(t.orderId),
  ],
);
