import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, unique } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "../db/columns.ts";

/** Every verified notice, as it came, applied once under the key that names the event. */
export const inboxEvents = pgTable(
  "inbox_events",
  {
    id: id(),
    provider: text().notNull(),
    eventKey: text().notNull(),
    body: text().notNull(),
    state: text().notNull().default("received"),
    attempts: integer().notNull().default(1),
    note: text(),
    receivedAt: at().notNull(),
    /** When cron applies an unfinished event again; null: no more by itself. */
    retryAt: at(),
    createdAt: createdAt(),
    finishedAt: at(),
  },
  (t) => [
    unique("inbox_events_event_key").on(t.provider, t.eventKey),
    index("inbox_events_retry_idx").on(t.retryAt).where(sql`${t.retryAt} is not null`),
    check("inbox_events_state_known", sql`${t.state} in ('received', 'applied', 'parked')`),
  ],
);

/** What no retry could apply. Kept until a person replays or dismisses it. */
export const deadLetters = pgTable("inbox_dead_letters", {
  id: id(),
  queue: text().notNull(),
  messageId: text().notNull().unique("inbox_dead_letters_message_key"),
  /** Its JSON as text: jsonb refuses some strings, and storing must not fail on any. */
  message: text().notNull(),
  createdAt: createdAt(),
  replayedAt: at(),
});
