import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
} from "drizzle-orm/pg-core";
import { at, createdAt, idr, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

const sceneKnown = (column: AnyPgColumn) => sql`${column} in ('live', 'party')`;
const person = () =>
  userId()
    .notNull()
    .references(() => users.id);

/**
 * What may be given, and for how much. A change (price, name, withdrawn) is a new row with a higher `version`; the
 * newest whose `validFrom` has come is sold. Nothing here is ever edited, so a gift keeps what it was sold as.
 */
export const giftCatalogue = pgTable(
  "live_gift_catalogue",
  {
    scene: text().notNull(),
    giftId: text().notNull(),
    version: integer().notNull().default(1),
    name: text().notNull(),
    category: text().notNull(),
    price: idr().notNull(),
    /** The host's part of the price, in percent. */
    hostPercent: integer().notNull(),
    isOffered: boolean().notNull().default(true),
    validFrom: at().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.scene, t.giftId, t.version], name: "live_gift_catalogue_pkey" }),
    check("live_gift_catalogue_scene_known", sceneKnown(t.scene)),
    check("live_gift_catalogue_price_bounded", sql`${t.price} between 1 and 1000000000`),
    check("live_gift_catalogue_percent_bounded", sql`${t.hostPercent} between 0 and 100`),
  ],
);

/**
 * A gift that was given: what it was sold as, and `income`, what of it the host got. It is the host's income line as
 * well: there is one a gift, and no other income. Written by `live_gifts_send` alone.
 */
export const gifts = pgTable(
  "live_gifts",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    senderId: person(),
    receiverId: person(),
    scene: text().notNull(),
    giftId: text().notNull(),
    giftName: text().notNull(),
    category: text().notNull(),
    /** What one cost. */
    coinValue: idr().notNull(),
    quantity: integer().notNull(),
    income: idr().notNull(),
    hostPercent: integer().notNull(),
    roomId: text(),
    sessionId: bigint({ mode: "number" }),
    /** The sender's idempotency key. */
    key: text().notNull(),
    createdAt: at().notNull(),
  },
  (t) => [
    unique("live_gifts_sender_key").on(t.senderId, t.key),
    index("live_gifts_receiver_idx").on(t.receiverId, t.id.desc().nullsFirst()),
    check("live_gifts_scene_known", sceneKnown(t.scene)),
    check("live_gifts_not_to_oneself", sql`${t.senderId} <> ${t.receiverId}`),
    check("live_gifts_quantity_bounded", sql`${t.quantity} between 1 and 999`),
    check(
      "live_gifts_income_bounded",
      sql`${t.income} between 0 and ${t.coinValue} * ${t.quantity}`,
    ),
  ],
);

/** What a host got on a day of Jakarta, by category: `coins` as given, `income` as earned. */
export const hostDays = pgTable(
  "live_host_days",
  {
    hostId: userId().notNull(),
    day: date().notNull(),
    category: text().notNull(),
    gifts: bigint({ mode: "number" }).notNull(),
    coins: idr().notNull(),
    income: idr().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.hostId, t.day, t.category], name: "live_host_days_pkey" }),
    index("live_host_days_day_idx").on(t.day),
  ],
);

/** The same by clock hour, for the hourly ranking and for the hours that a rolling period begins with; kept 31 days. */
export const hostHours = pgTable(
  "live_host_hours",
  {
    hour: at().notNull(),
    hostId: userId().notNull(),
    coins: idr().notNull(),
    income: idr().notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.hour, t.hostId], name: "live_host_hours_pkey" }),
    index("live_host_hours_host_idx").on(t.hostId, t.hour),
  ],
);

/** What one person gave a host on a day of Jakarta. */
export const fanDays = pgTable(
  "live_fan_days",
  {
    hostId: userId().notNull(),
    day: date().notNull(),
    senderId: userId().notNull(),
    coins: idr().notNull(),
  },
  (t) => [primaryKey({ columns: [t.hostId, t.day, t.senderId], name: "live_fan_days_pkey" })],
);

/** The same by clock hour; kept eight days. */
export const fanHours = pgTable(
  "live_fan_hours",
  {
    hostId: userId().notNull(),
    hour: at().notNull(),
    senderId: userId().notNull(),
    coins: idr().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.hostId, t.hour, t.senderId], name: "live_fan_hours_pkey" }),
    index("live_fan_hours_hour_idx").on(t.hour),
  ],
);

/**
 * What one person gave a host: ever, and in the host's rolling week, which begins at `hostWeeks.since`. The indexes
 * answer the best hundred of any number.
 */
export const fanTotals = pgTable(
  "live_fan_totals",
  {
    hostId: userId().notNull(),
    senderId: userId().notNull(),
    coins: idr().notNull(),
    weekCoins: idr().notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.hostId, t.senderId], name: "live_fan_totals_pkey" }),
    index("live_fan_totals_coins_idx").on(t.hostId, t.coins.desc().nullsFirst(), t.senderId),
    index("live_fan_totals_week_idx")
      .on(t.hostId, t.weekCoins.desc().nullsFirst(), t.senderId)
      .where(sql`${t.weekCoins} > 0`),
    check("live_fan_totals_week_bounded", sql`${t.weekCoins} between 0 and ${t.coins}`),
  ],
);

/**
 * What a host was given in the rolling week that begins at `since`: as of its last gift, or of the minute after the hour
 * turned. No row: nothing in that week.
 */
export const hostWeeks = pgTable(
  "live_host_weeks",
  {
    hostId: userId().primaryKey(),
    since: at().notNull(),
    coins: idr().notNull(),
  },
  (t) => [
    index("live_host_weeks_coins_idx").on(t.coins.desc().nullsFirst(), t.hostId),
    index("live_host_weeks_since_idx").on(t.since),
    check("live_host_weeks_coins_positive", sql`${t.coins} >= 0`),
  ],
);

/** What a live session brought in so far; the session that was open when the gift was given. */
export const sessionGifts = pgTable("live_session_gifts", {
  sessionId: bigint({ mode: "number" }).primaryKey(),
  gifts: bigint({ mode: "number" }).notNull(),
  coins: idr().notNull(),
  income: idr().notNull(),
});

/** What a person ever spent on gifts (`spent`: his experience), was given (`received`) and earned of it (`income`). */
export const giftTotals = pgTable(
  "live_gift_totals",
  {
    userId: userId().primaryKey(),
    spent: idr().notNull().default(0),
    received: idr().notNull().default(0),
    income: idr().notNull().default(0),
  },
  (t) => [
    index("live_gift_totals_received_idx")
      .on(t.received.desc().nullsFirst(), t.userId)
      .where(sql`${t.received} > 0`),
  ],
);
