import { sql } from "drizzle-orm";
import { bigint, check, index, integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import type { Role } from "../../shared/context.ts";
import { at, createdAt, timestamps, userId } from "../../shared/db/columns.ts";

/** One row a person, for all five businesses. Numbers start where the mobile app's id rule is met (6 digits). */
export const users = pgTable(
  "identity_users",
  {
    id: bigint({ mode: "number" })
      .primaryKey()
      .generatedAlwaysAsIdentity({ startWith: 100001, cache: 1 }),
    email: text().unique("identity_users_email_key"),
    phone: text().unique("identity_users_phone_key"),
    passwordHash: text().notNull(),
    name: text().notNull(),
    roles: text().array().$type<Role[]>().notNull().default(sql`'{buyer}'::text[]`),
    avatarUrl: text(),
    gender: text(),
    age: integer(),
    signature: text(),
    level: integer().notNull().default(1),
    vipLevel: integer().notNull().default(0),
    xp: bigint({ mode: "number" }).notNull().default(0),
    emailVerifiedAt: at(),
    bannedAt: at(),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    check("identity_users_reachable", sql`${t.email} is not null or ${t.phone} is not null`),
    check("identity_users_email_lower", sql`${t.email} = lower(${t.email})`),
    check("identity_users_roles_known", sql`${t.roles} <@ '{buyer,seller,admin,operator}'::text[]`),
  ],
);

/** A sign-in. A token names its row, so that log-out, password change and ban end it everywhere. */
export const sessions = pgTable(
  "identity_sessions",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    userId: userId()
      .notNull()
      .references(() => users.id),
    expiresAt: at().notNull(),
    revokedAt: at(),
    createdAt: createdAt(),
  },
  (t) => [
    index("identity_sessions_user_idx").on(t.userId),
    index("identity_sessions_expiry_idx").on(t.expiresAt),
  ],
);

/**
 * Attempts that failed, or are still being checked, per address and account name, per account name and per address;
 * registrations per address too. Keys are keyed hashes: no address and no account name stands here in clear.
 */
export const attempts = pgTable(
  "identity_attempts",
  {
    key: text().primaryKey(),
    failures: integer().notNull(),
    windowStartedAt: at().notNull().defaultNow(),
  },
  (t) => [index("identity_attempts_window_idx").on(t.windowStartedAt)],
);
