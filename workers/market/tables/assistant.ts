import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** A person's talk with the assistant. While a turn runs it holds the session, and nobody else writes to it. */
export const assistantSessions = pgTable(
  "market_assistant_sessions",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    /** The beginning of the first message. */
    title: text().notNull(),
    /** The turn that runs; it loses the session at `turnUntil` (its isolate died). */
    turnId: uuid(),
    turnUntil: at(),
    ...timestamps(),
  },
  (t) => [
    index("market_assistant_sessions_user_idx").on(
      t.userId,
      t.updatedAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    check(
      "market_assistant_sessions_turn_whole",
      sql`(${t.turnId} is null) = (${t.turnUntil} is null)`,
    ),
  ],
);

/** What was said, as the model's API takes it back: blocks of text, calls of tools and their results. */
export const assistantMessages = pgTable(
  "market_assistant_messages",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    sessionId: uuid()
      .notNull()
      .references(() => assistantSessions.id, { onDelete: "cascade" }),
    role: text().notNull(),
    content: jsonb().notNull(),
    /** Holds text that other people wrote: who reads it may have been told what to do by them. */
    fromOutside: boolean().notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [
    index("market_assistant_messages_session_idx").on(t.sessionId, t.id.desc().nullsFirst()),
    check("market_assistant_messages_role_known", sql`${t.role} in ('user', 'assistant')`),
  ],
);

/** What a person's talks cost on one day in Jakarta: claimed before the model is asked, corrected afterwards. */
export const assistantUsage = pgTable(
  "market_assistant_usage",
  {
    userId: userId()
      .notNull()
      .references(() => users.id),
    day: date({ mode: "string" }).notNull(),
    turns: integer().notNull().default(0),
    tokens: bigint({ mode: "number" }).notNull().default(0),
    /** Millionths of a US dollar. */
    costMicroUsd: bigint({ mode: "number" }).notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.day], name: "market_assistant_usage_pkey" }),
    check("market_assistant_usage_positive", sql`${t.tokens} >= 0 and ${t.costMicroUsd} >= 0`),
  ],
);

/** What the assistant would do, waiting for the next message of its user; it is done once, or never. */
export const assistantProposals = pgTable(
  "market_assistant_proposals",
  {
    id: id(),
    sessionId: uuid()
      .notNull()
      .references(() => assistantSessions.id, { onDelete: "cascade" }),
    userId: userId()
      .notNull()
      .references(() => users.id),
    /** What the user may name it by. */
    code: text().notNull(),
    tool: text().notNull(),
    input: jsonb().$type<Record<string, unknown>>().notNull(),
    /** What it would do, in the server's words. */
    summary: text().notNull(),
    /** What its subject was then; if that has changed, it is not done. */
    before: jsonb().$type<Record<string, unknown>>(),
    state: text().notNull().default("open"),
    expiresAt: at().notNull(),
    ...timestamps(),
  },
  (t) => [
    index("market_assistant_proposals_session_idx").on(t.sessionId, t.state),
    check(
      "market_assistant_proposals_state_known",
      sql`${t.state} in ('open', 'done', 'cancelled', 'lapsed')`,
    ),
  ],
);

/** What the assistant did for a person, what the subject was before, and what it takes to undo it. */
export const assistantActions = pgTable(
  "market_assistant_actions",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    /** Outlives its session. */
    sessionId: uuid(),
    tool: text().notNull(),
    input: jsonb().$type<Record<string, unknown>>().notNull(),
    targetKind: text(),
    targetId: uuid(),
    /** The fields that it changed, before and after. */
    before: jsonb().$type<Record<string, unknown>>(),
    after: jsonb().$type<Record<string, unknown>>(),
    /** The user's own message confirmed it. */
    confirmed: boolean().notNull().default(false),
    undoneAt: at(),
    createdAt: createdAt(),
  },
  (t) => [
    index("market_assistant_actions_user_idx").on(
      t.userId,
      t.createdAt.desc().nullsFirst(),
      t.id.desc().nullsFirst(),
    ),
    index("market_assistant_actions_target_idx").on(t.targetId, t.createdAt.desc().nullsFirst()),
  ],
);
