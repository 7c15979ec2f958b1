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
  unique,
} from "drizzle-orm/pg-core";
import { at, createdAt, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** Who follows whom. */
export const follows = pgTable(
  "live_follows",
  {
    followerId: userId()
      .notNull()
      .references(() => users.id),
    followedId: userId()
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.followerId, t.followedId], name: "live_follows_pkey" }),
    index("live_follows_followed_idx").on(t.followedId, t.createdAt.desc()),
    index("live_follows_follower_idx").on(t.followerId, t.createdAt.desc()),
    check("live_follows_another", sql`${t.followerId} <> ${t.followedId}`),
  ],
);

/** The private talk of two people; its row is the lock under which its messages are numbered and counted. */
export const conversations = pgTable(
  "live_conversations",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    lowUserId: userId()
      .notNull()
      .references(() => users.id),
    highUserId: userId()
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [
    unique("live_conversations_pair_key").on(t.lowUserId, t.highUserId),
    index("live_conversations_high_idx").on(t.highUserId),
    check("live_conversations_pair", sql`${t.lowUserId} < ${t.highUserId}`),
  ],
);

/** A message, stored once. `twinSeen`: the app sent it by its other way as well, and that copy was recognised. */
export const privateMessages = pgTable(
  "live_private_messages",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    conversationId: bigint({ mode: "number" })
      .notNull()
      .references(() => conversations.id),
    senderId: userId()
      .notNull()
      .references(() => users.id),
    content: text().notNull(),
    via: text().notNull(),
    twinSeen: boolean().notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [
    index("live_private_messages_conversation_idx").on(t.conversationId, t.id.desc()),
    index("live_private_messages_sender_idx").on(t.senderId),
    check("live_private_messages_via_known", sql`${t.via} in ('rest', 'socket')`),
  ],
);

/** A conversation as one of its two sees it: what is new for him, and how far he has read. */
export const conversationMembers = pgTable(
  "live_conversation_members",
  {
    userId: userId()
      .notNull()
      .references(() => users.id),
    peerId: userId()
      .notNull()
      .references(() => users.id),
    conversationId: bigint({ mode: "number" })
      .notNull()
      .references(() => conversations.id),
    lastMessageId: bigint({ mode: "number" })
      .notNull()
      .references(() => privateMessages.id),
    lastMessageAt: at().notNull(),
    unread: integer().notNull().default(0),
    readUpTo: bigint({ mode: "number" }).notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.peerId], name: "live_conversation_members_pkey" }),
    index("live_conversation_members_recent_idx").on(t.userId, t.lastMessageAt.desc()),
    index("live_conversation_members_peer_idx").on(t.peerId),
    index("live_conversation_members_conversation_idx").on(t.conversationId),
    index("live_conversation_members_last_idx").on(t.lastMessageId),
    check("live_conversation_members_unread", sql`${t.unread} >= 0`),
  ],
);
