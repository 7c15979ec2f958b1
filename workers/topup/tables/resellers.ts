import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** A key of a reseller's own panel. The key itself is shown once; `hash` is its SHA-256. */
export const apiKeys = pgTable(
  "topup_api_keys",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    name: text().notNull(),
    prefix: text().notNull(),
    hash: text().notNull().unique("topup_api_keys_hash_key"),
    scopes: text().array().notNull(),
    /** Networks that it may be used from; empty: any. */
    addresses: text().array().notNull().default(sql`'{}'::text[]`),
    requestsPerMinute: integer().notNull().default(120),
    /** Most that its orders may cost in a Jakarta day; null: no bound of its own. */
    dailyAmount: idr(),
    expiresAt: at(),
    lastUsedAt: at(),
    revokedAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("topup_api_keys_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    check(
      "topup_api_keys_scopes_known",
      sql`${t.scopes} <@ '{services:read,orders:write,orders:read,balance:read}'::text[] and cardinality(${t.scopes}) > 0`,
    ),
    check("topup_api_keys_rate", sql`${t.requestsPerMinute} between 1 and 6000`),
    check("topup_api_keys_daily_amount", sql`${t.dailyAmount} is null or ${t.dailyAmount} > 0`),
  ],
);

/** How often a key was used in its latest minute. */
export const apiKeyMinutes = pgTable("topup_api_key_minutes", {
  keyId: uuid()
    .primaryKey()
    .references(() => apiKeys.id),
  minute: at().notNull(),
  requests: integer().notNull(),
});

/** What a key's orders cost in a Jakarta day. */
export const apiKeyDays = pgTable(
  "topup_api_key_days",
  {
    keyId: uuid()
      .notNull()
      .references(() => apiKeys.id),
    day: date().notNull(),
    amount: idr().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.keyId, t.day], name: "topup_api_key_days_pkey" }),
    check("topup_api_key_days_amount", sql`${t.amount} >= 0`),
  ],
);

/** Where a reseller wants to hear of his orders. Secrets are sealed; an outgoing one still signs for a day. */
export const webhookEndpoints = pgTable(
  "topup_webhook_endpoints",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    url: text().notNull(),
    events: text().array().notNull(),
    secret: text().notNull(),
    oldSecret: text(),
    oldSecretUntil: at(),
    /** Since when nothing was accepted; null: the latest attempt was. */
    failingSince: at(),
    /** How long the latest attempt took; null: none yet. */
    tookMs: integer(),
    /** Till when this one, which was slow, is not called: the longer it fails, the longer. */
    restsUntil: at(),
    /** Till when it keeps all of its owner's from being called that are not known as quick. */
    holdsUntil: at(),
    disabledAt: at(),
    disabledReason: text(),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("topup_webhook_endpoints_user_idx").on(t.userId).where(sql`${t.deletedAt} is null`),
    check(
      "topup_webhook_endpoints_events_known",
      sql`${t.events} <@ '{order.processing,order.success,order.partial,order.failed,order.refunded}'::text[] and cardinality(${t.events}) > 0`,
    ),
    check(
      "topup_webhook_endpoints_disabled_reason_known",
      sql`${t.disabledReason} in ('owner', 'failing') and (${t.disabledAt} is null) = (${t.disabledReason} is null)`,
    ),
  ],
);

/** One event for one endpoint: the same id and the same words with every attempt. */
export const deliveries = pgTable(
  "topup_deliveries",
  {
    id: id(),
    endpointId: uuid()
      .notNull()
      .references(() => webhookEndpoints.id),
    orderId: uuid().notNull(),
    eventSeq: bigint({ mode: "number" }).notNull(),
    type: text().notNull(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    state: text().notNull().default("pending"),
    /** Attempts of the present round: a redelivery by hand starts anew. */
    attempts: integer().notNull().default(0),
    round: integer().notNull().default(1),
    nextAt: at(),
    finishedAt: at(),
    createdAt: createdAt(),
  },
  (t) => [
    unique("topup_deliveries_event_key").on(t.endpointId, t.orderId, t.eventSeq),
    index("topup_deliveries_endpoint_idx").on(t.endpointId, t.id.desc().nullsFirst()),
    index("topup_deliveries_created_idx").on(t.createdAt),
    check(
      "topup_deliveries_state_known",
      sql`${t.state} in ('pending', 'delivered', 'failed', 'dropped')`,
    ),
  ],
);

/** What came of each attempt: no words of the other side, which may be anything. */
export const deliveryAttempts = pgTable(
  "topup_delivery_attempts",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    deliveryId: uuid()
      .notNull()
      .references(() => deliveries.id, { onDelete: "cascade" }),
    status: integer(),
    error: text(),
    durationMs: integer().notNull(),
    createdAt: createdAt(),
  },
  (t) => [index("topup_delivery_attempts_delivery_idx").on(t.deliveryId, t.id)],
);

/** The whole numbers under which the panel dialect knows our services. A number is given once and never again. */
export const panelServices = pgTable("topup_panel_services", {
  number: bigint({ mode: "number" })
    .primaryKey()
    .generatedAlwaysAsIdentity({ startWith: 1001, cache: 1 }),
  serviceId: uuid().notNull().unique("topup_panel_services_service_key"),
});

/** The same of the orders that were placed through it. */
export const panelOrders = pgTable("topup_panel_orders", {
  number: bigint({ mode: "number" })
    .primaryKey()
    .generatedAlwaysAsIdentity({ startWith: 100_001, cache: 1 }),
  orderId: uuid().notNull().unique("topup_panel_orders_order_key"),
});
