import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { products, stores } from "./catalogue.ts";

/**
 * A picture that is made better elsewhere. `sentAt` is written before a prediction is created and `predictionId` after
 * it: a row with the first alone is in doubt, and is asked about before anything is paid for again.
 */
export const photos = pgTable(
  "market_photos",
  {
    id: id(),
    storeId: uuid()
      .notNull()
      .references(() => stores.id),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    requestedBy: userId()
      .notNull()
      .references(() => users.id),
    sourceUrl: text().notNull(),
    status: text().notNull().default("queued"),
    /** Why it failed, in words for the seller. */
    reason: text(),
    jobId: uuid(),
    sentAt: at(),
    predictionId: text().unique("market_photos_prediction_key"),
    resultUrl: text(),
    /** What it cost: the run's time, and its price as configured, in millionths of a dollar. */
    runMs: integer(),
    costMicroUsd: integer(),
    finishedAt: at(),
    ...timestamps(),
  },
  (t) => [
    // One at a time for each picture, and a good result is not paid for twice.
    uniqueIndex("market_photos_source_key")
      .on(t.storeId, t.sourceUrl)
      .where(sql`${t.status} <> 'failed'`),
    index("market_photos_store_idx").on(t.storeId, t.createdAt),
    index("market_photos_product_idx").on(t.productId),
    index("market_photos_requested_idx").on(t.requestedBy),
    check(
      "market_photos_status_known",
      sql`${t.status} in ('queued', 'running', 'ready', 'failed')`,
    ),
    check(
      "market_photos_ready_has_result",
      sql`(${t.status} = 'ready') = (${t.resultUrl} is not null)`,
    ),
  ],
);
