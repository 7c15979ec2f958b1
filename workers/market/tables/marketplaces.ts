import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  doublePrecision,
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
import type {
  ListingInput,
  MarketAttribute,
  Platform,
  ShopSetup,
} from "../../../shared/providers/marketplace.ts";
import { users } from "../../identity/tables.ts";
import { categories, products, stores } from "./catalogue.ts";

/**
 * A store's shop on another marketplace. Tokens are sealed for the row; `generation` grows with each pair, so that a
 * late answer about an old pair changes nothing.
 */
export const connections = pgTable(
  "market_connections",
  {
    id: id(),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    platform: text().$type<Platform>().notNull(),
    status: text().notNull().default("disconnected"),
    /** Why the seller must connect again, in words for him. */
    statusReason: text(),
    shopId: text(),
    shopName: text(),
    shopCipher: text(),
    setup: jsonb().$type<ShopSetup>(),
    setupAt: at(),
    accessTokenEnc: text(),
    refreshTokenEnc: text(),
    accessExpiresAt: at(),
    refreshExpiresAt: at(),
    generation: integer().notNull().default(0),
    /** Who renews the tokens now: a refresh token is good for one use. */
    refreshLease: uuid(),
    refreshLeaseUntil: at(),
    /** How often this generation's refresh token was sent; more than once leaves doubt about the first. */
    refreshAttempts: integer().notNull().default(0),
    refreshRetryAt: at(),
    connectedAt: at(),
    lastSyncAt: at(),
    /** When the next call of each kind may start, for all isolates; `paceFactor` stretches the pauses after a 429. */
    readNextAt: at(),
    writeNextAt: at(),
    paceFactor: doublePrecision().notNull().default(1),
    blockedUntil: at(),
    /** The job that works this shop's listings off: its number, and whether it has nothing left to do. */
    pumpSeq: integer().notNull().default(0),
    pumpIdle: boolean().notNull().default(true),
    /** Orders older than this are not ours to reserve for. */
    ordersFrom: at(),
    /** Up to here every order that changed has been taken in. */
    ordersSince: at(),
    ordersPolledAt: at(),
    ...timestamps(),
  },
  (t) => [
    unique("market_connections_platform_key").on(t.storeId, t.platform),
    // A shop belongs to one store: two of them would fight over its prices and stock.
    uniqueIndex("market_connections_shop_key")
      .on(t.platform, t.shopId)
      .where(sql`${t.status} <> 'disconnected'`),
    index("market_connections_due_idx").on(t.accessExpiresAt).where(sql`${t.status} = 'connected'`),
    check(
      "market_connections_platform_known",
      sql`${t.platform} in ('shopee', 'lazada', 'tokopedia')`,
    ),
    check(
      "market_connections_status_known",
      sql`${t.status} in ('connected', 'disconnected', 'error')`,
    ),
    check(
      "market_connections_connected_has_tokens",
      sql`${t.status} <> 'connected' or (${t.shopId} is not null and ${t.accessTokenEnc} is not null and ${t.refreshTokenEnc} is not null and ${t.accessExpiresAt} is not null)`,
    ),
  ],
);

/** States of an authorise link that were used: each is good for one connection. */
export const oauthStates = pgTable(
  "market_oauth_states",
  {
    nonce: text().primaryKey(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    expiresAt: at().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index("market_oauth_states_expires_idx").on(t.expiresAt),
    index("market_oauth_states_user_idx").on(t.userId),
  ],
);

/**
 * A product on a marketplace. `changes` counts what happened to the product since; the listing is `dirty` until the
 * shop shows what the product was at its last change.
 */
export const listings = pgTable(
  "market_listings",
  {
    id: id(),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id),
    itemId: text(),
    skuId: text(),
    /** Where it was put, so that a repeat asks nobody again. */
    remoteCategoryId: text(),
    /** False: its seller took back that it was put there. Off the shelf, until he asks for it again. */
    wanted: boolean().notNull().default(true),
    shown: boolean().notNull().default(false),
    pushedPrice: idr(),
    pushedStock: integer(),
    /** Of name, description, weight, pictures and category, as they were last sent. */
    pushedContent: text(),
    changes: integer().notNull().default(1),
    dirty: boolean().notNull().default(true),
    /** Ask the shop what it really shows, because the seller asked for it. */
    verify: boolean().notNull().default(false),
    syncStatus: text().notNull().default("pending"),
    reason: text(),
    attempts: integer().notNull().default(0),
    retryAt: at(),
    claimId: uuid(),
    claimUntil: at(),
    /** A creation was sent whose answer nobody saw: until it is found, or surely absent, none is sent again. */
    doubtAt: at(),
    lastSyncedAt: at(),
    ...timestamps(),
  },
  (t) => [
    unique("market_listings_product_key").on(t.connectionId, t.productId),
    index("market_listings_product_idx").on(t.productId),
    index("market_listings_item_idx").on(t.connectionId, t.itemId),
    index("market_listings_dirty_idx").on(t.connectionId, t.retryAt).where(sql`${t.dirty}`),
    check(
      "market_listings_sync_status_known",
      sql`${t.syncStatus} in ('pending', 'synced', 'error')`,
    ),
  ],
);

/** A picture that a shop has taken, by our address of it. */
export const listingImages = pgTable(
  "market_listing_images",
  {
    connectionId: uuid()
      .notNull()
      .references(() => connections.id),
    url: text().notNull(),
    ref: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.connectionId, t.url], name: "market_listing_images_pkey" })],
);

/** What a seller asked to be in step, and how far that is. */
export const syncRuns = pgTable(
  "market_sync_runs",
  {
    id: id(),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id),
    requestedBy: userId().references(() => users.id),
    /** How far it was when another shop took its shop's place, and with it the listings that it watched. */
    endedTotal: integer(),
    endedSynced: integer(),
    endedAt: at(),
    /** Where it was not done by then. */
    endedReason: text(),
    createdAt: createdAt(),
  },
  (t) => [
    index("market_sync_runs_connection_idx").on(t.connectionId),
    index("market_sync_runs_requested_idx").on(t.requestedBy),
    index("market_sync_runs_created_idx").on(t.createdAt),
  ],
);

/** One product of a run: done once its listing has been worked off at `changes` or later. */
export const syncItems = pgTable(
  "market_sync_items",
  {
    runId: uuid()
      .notNull()
      .references(() => syncRuns.id, { onDelete: "cascade" }),
    listingId: uuid()
      .notNull()
      .references(() => listings.id, { onDelete: "cascade" }),
    changes: integer().notNull(),
    /** The run put it on sale there: before, it was not. */
    fresh: boolean().notNull().default(false),
    outcome: text(),
    reason: text(),
    finishedAt: at(),
  },
  (t) => [
    primaryKey({ columns: [t.runId, t.listingId], name: "market_sync_items_pkey" }),
    index("market_sync_items_open_idx").on(t.listingId).where(sql`${t.outcome} is null`),
    index("market_sync_items_listing_idx").on(t.listingId),
    check(
      "market_sync_items_outcome_known",
      sql`${t.outcome} is null or ${t.outcome} in ('synced', 'failed')`,
    ),
  ],
);

/** Where a seller puts the products of one of our categories (or of none) on a marketplace, and with what attributes. */
export const mappings = pgTable(
  "market_category_mappings",
  {
    id: id(),
    connectionId: uuid()
      .notNull()
      .references(() => connections.id),
    categoryId: uuid().references(() => categories.id),
    remoteCategoryId: text().notNull(),
    brand: text(),
    attributes: jsonb().$type<ListingInput["attributes"]>().notNull().default([]),
    sizeCm: jsonb().$type<ListingInput["sizeCm"]>(),
    ...timestamps(),
  },
  (t) => [
    unique("market_category_mappings_key").on(t.connectionId, t.categoryId).nullsNotDistinct(),
    index("market_category_mappings_category_idx").on(t.categoryId),
  ],
);

/** When a platform's category tree was last read. */
export const remoteTrees = pgTable("market_remote_trees", {
  platform: text().$type<Platform>().primaryKey(),
  fetchedAt: at().notNull(),
  leaves: integer().notNull(),
});

/** The leaves of a platform's tree, which alone take products, with the names from the root down. */
export const remoteCategories = pgTable(
  "market_remote_categories",
  {
    platform: text().$type<Platform>().notNull(),
    id: text().notNull(),
    path: text().array().notNull(),
    /** The path in lower case, for the search. */
    words: text().notNull(),
    attributes: jsonb().$type<MarketAttribute[]>(),
    attributesAt: at(),
  },
  (t) => [primaryKey({ columns: [t.platform, t.id], name: "market_remote_categories_pkey" })],
);
