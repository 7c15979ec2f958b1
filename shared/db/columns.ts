import { sql } from "drizzle-orm";
import { bigint, timestamp, uuid } from "drizzle-orm/pg-core";

/** Primary key: a uuid v7, so that keys made later sort later and indexes stay dense. */
export const id = () => uuid().primaryKey().default(sql`uuidv7()`);

/** An amount in whole rupiah (or coins): never a fraction, always a safe integer. */
export const idr = () => bigint({ mode: "number" });

/** A user's number. */
export const userId = () => bigint({ mode: "number" });

export const at = () => timestamp({ withTimezone: true, mode: "date" });
export const createdAt = () => at().notNull().defaultNow();
export const updatedAt = () =>
  at()
    .notNull()
    .defaultNow()
    .$onUpdate(() => new Date());

/** Both dates of a row. A trigger-free rule: SQL functions set `updated_at = now()` themselves. */
export const timestamps = () => ({ createdAt: createdAt(), updatedAt: updatedAt() });
