import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, idr, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/**
 * One live of one host. It is open until `endTime` is set, and a host has one open session at most. `provenAt` is the
 * last moment at which the room proved that the host's socket was there, `provenMs` the time that such proofs cover:
 * the live's duration, however it ends. The three totals are written once, by the end.
 */
export const liveSessions = pgTable(
  "live_sessions",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    hostId: userId()
      .notNull()
      .references(() => users.id),
    roomId: text().notNull(),
    /** Where its start was asked for, as rooms tell addresses apart; kept while it is open, as the word of it may be lost. */
    address: text(),
    startTime: at().notNull().defaultNow(),
    provenAt: at().notNull().defaultNow(),
    provenMs: bigint({ mode: "number" }).notNull().default(0),
    endTime: at(),
    endReason: text(),
    /** It has ended, and its room has not said yet that it knows. */
    isUnheard: boolean().notNull().default(false),
    /** People in the room at the last proof, and the most that there were at any. */
    viewersNow: integer().notNull().default(0),
    viewersPeak: integer().notNull().default(0),
    durationSeconds: integer().notNull().default(0),
    totalIncome: idr().notNull().default(0),
    totalViewers: integer().notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex("live_sessions_open_key").on(t.hostId).where(sql`${t.endTime} is null`),
    index("live_sessions_live_idx").on(t.startTime.desc()).where(sql`${t.endTime} is null`),
    index("live_sessions_unheard_idx").on(t.endTime).where(sql`${t.isUnheard}`),
    index("live_sessions_host_idx").on(t.hostId, t.startTime.desc()),
    check(
      "live_sessions_end_known",
      sql`${t.endReason} in ('request', 'new_start', 'host_gone', 'lapsed', 'max_age')`,
    ),
    check("live_sessions_end_told", sql`(${t.endTime} is null) = (${t.endReason} is null)`),
    check(
      "live_sessions_times",
      sql`${t.provenAt} >= ${t.startTime} and ${t.endTime} >= ${t.provenAt}`,
    ),
    check(
      "live_sessions_totals",
      sql`${t.durationSeconds} >= 0 and ${t.provenMs} >= 0 and ${t.totalIncome} >= 0 and ${t.totalViewers} >= 0 and ${t.viewersNow} >= 0`,
    ),
  ],
);

/** A signed-in user whom the room saw during a session, once. */
export const liveSessionViewers = pgTable(
  "live_session_viewers",
  {
    sessionId: bigint({ mode: "number" })
      .notNull()
      .references(() => liveSessions.id),
    userId: userId().notNull(),
  },
  (t) => [primaryKey({ columns: [t.sessionId, t.userId], name: "live_session_viewers_pkey" })],
);

/** A guest whom the room saw during a session, once: a digest of the key by which the room tells guests apart. */
export const liveSessionGuests = pgTable(
  "live_session_guests",
  {
    sessionId: bigint({ mode: "number" })
      .notNull()
      .references(() => liveSessions.id),
    guest: uuid().notNull(),
  },
  (t) => [primaryKey({ columns: [t.sessionId, t.guest], name: "live_session_guests_pkey" })],
);
