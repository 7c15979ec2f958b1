import { pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { createdAt, userId } from "../db/columns.ts";

/** An `Idempotency-Key` that was claimed, what it was claimed for, and which row answers it. Kept 24 hours. */
export const idempotencyKeys = pgTable(
  "http_idempotency_keys",
  {
    userId: userId().notNull(),
    key: text().notNull(),
    operation: text().notNull(),
    inputHash: text().notNull(),
    subjectId: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.key], name: "http_idempotency_keys_pkey" })],
);
