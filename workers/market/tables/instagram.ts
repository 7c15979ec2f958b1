import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, id, timestamps } from "../../../shared/db/columns.ts";
import { products, stores } from "./catalogue.ts";

/** A store's Instagram account. The token is sealed for the row; `generation` grows with each one. */
export const instagramAccounts = pgTable(
  "market_instagram_accounts",
  {
    id: id(),
    storeId: uuid()
      .notNull()
      .unique("market_instagram_accounts_store_key")
      .references(() => stores.id),
    status: text().notNull().default("disconnected"),
    /** Why the seller must connect again, in words for him. */
    statusReason: text(),
    /** Whom posts are published as; not the number that the sign-in names. */
    accountId: text(),
    username: text(),
    accessTokenEnc: text(),
    tokenMadeAt: at(),
    tokenExpiresAt: at(),
    /** Nobody renews the token before this moment. */
    renewAt: at(),
    generation: integer().notNull().default(0),
    connectedAt: at(),
    ...timestamps(),
  },
  (t) => [
    // An account belongs to one store: two of them would use up each other's daily limit.
    uniqueIndex("market_instagram_accounts_account_key")
      .on(t.accountId)
      .where(sql`${t.status} <> 'disconnected'`),
    index("market_instagram_accounts_due_idx").on(t.renewAt).where(sql`${t.status} = 'connected'`),
    check(
      "market_instagram_accounts_status_known",
      sql`${t.status} in ('connected', 'disconnected', 'error')`,
    ),
    check(
      "market_instagram_accounts_connected_has_token",
      sql`${t.status} <> 'connected' or (${t.accountId} is not null and ${t.accessTokenEnc} is not null and ${t.tokenExpiresAt} is not null)`,
    ),
  ],
);

/**
 * A post. `run` names the schedule that counts: a job of an earlier one finds nothing to do. `publishSentAt` is written
 * before the container is published, so that no post goes out twice: from then on it is asked about first.
 */
export const instagramPosts = pgTable(
  "market_instagram_posts",
  {
    id: id(),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    productId: uuid().references(() => products.id),
    caption: text().notNull(),
    imageUrl: text(),
    status: text().notNull().default("draft"),
    scheduledAt: at(),
    run: integer().notNull().default(0),
    jobId: uuid(),
    /** From here on the post is on its way and can no longer be changed. */
    startedAt: at(),
    /** Why it failed, or what it waits for. */
    reason: text(),
    /** Attempts that failed in a way that may pass. */
    troubles: integer().notNull().default(0),
    containerId: text(),
    /** Whose container it is. */
    containerAccount: text(),
    containerAt: at(),
    /** How many were made for this run. */
    containers: integer().notNull().default(0),
    /** The post was changed after the container was made. */
    containerStale: boolean().notNull().default(false),
    publishSentAt: at(),
    mediaId: text(),
    permalink: text(),
    publishedAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("market_instagram_posts_store_idx").on(
      t.storeId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index("market_instagram_posts_product_idx").on(t.productId),
    unique("market_instagram_posts_media_key").on(t.mediaId),
    check(
      "market_instagram_posts_status_known",
      sql`${t.status} in ('draft', 'published', 'failed')`,
    ),
    check(
      "market_instagram_posts_started_is_draft",
      sql`${t.startedAt} is null or ${t.status} = 'draft'`,
    ),
    check(
      "market_instagram_posts_scheduled_has_picture",
      sql`${t.scheduledAt} is null or ${t.imageUrl} is not null`,
    ),
  ],
);
