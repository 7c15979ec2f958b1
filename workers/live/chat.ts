import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { inputError } from "../../shared/http/api.ts";
import { avatarAddress } from "./avatars.ts";
import { offsetOf, type Page } from "./paging.ts";
import { sendToUser } from "./room-client.ts";
import { instant } from "./schemas/fields.ts";
import {
  type ConversationShape,
  type MessageShape,
  MessageText,
  type SentMessage,
} from "./schemas/social.ts";

export interface NewPrivateMessage {
  toUserId: number;
  content: string;
  /** The app sends each message both ways; the second copy is recognised and not stored again. */
  via: "rest" | "socket";
}

export type StoredMessage = z.output<typeof SentMessage>;

const Stored = z.object({
  id: z.number(),
  created_at: instant,
  sender_name: z.string(),
  repeated: z.boolean(),
});

/** For so long sockets know what they were told; a copy that comes later is told to nobody. */
const KNOWN_MS = 10_000;

/**
 * Stores a message of the actor once and hands it to all sockets of its recipient (`chat:receive`), once as well. Throws
 * `not_found` for an unknown, banned or deleted recipient, `invalid_input` for himself and for empty or long text. The
 * two address their talk by each other's user id, so nobody can name a talk of others.
 */
export async function sendPrivate(ctx: Ctx, message: NewPrivateMessage): Promise<StoredMessage> {
  const { userId } = actorOf(ctx);
  const { toUserId, via } = message;
  const text = MessageText.safeParse(message.content);
  if (!text.success) throw inputError(text.error);
  const content = text.data;
  const input = { sender_id: userId, recipient_id: toUserId, content, via };
  const stored = await ctx.db.run(call("live_chat_send", input, Stored));
  const { id, created_at: time, sender_name: username } = stored;
  // The copy too: whoever stored it may not have lived to tell. Sockets that have it know it by its number.
  if (!stored.repeated || Date.parse(time) > ctx.now().getTime() - KNOWN_MS) {
    const news = { toUserId, fromUserId: userId, message: content, username, timestamp: time };
    ctx.waitUntil(sendToUser(ctx, toUserId, "chat:receive", { ...news, id }, `chat/${id}`));
  }
  return {
    ...{ id, conversationId: toUserId, senderId: userId, content },
    ...{ time, created_at: time, fromMe: true },
  };
}

const ConversationRow = z.object({
  peer_id: z.number(),
  name: z.string(),
  avatar_url: z.string().nullable(),
  content: z.string(),
  last_message_at: z.coerce.date(),
  unread: z.number(),
});

/** The caller's talks, the latest first, each with what is new in it. */
export async function listConversations(
  ctx: Ctx,
  page: Page,
): Promise<z.output<typeof ConversationShape>[]> {
  const found = await ctx.db.run(
    rows(
      sql`select o.peer_id::float8 as peer_id, u.name, u.avatar_url, m.content, o.last_message_at, o.unread
        from live_conversation_members o
        join identity_users u on u.id = o.peer_id
        join live_private_messages m on m.id = o.last_message_id
        where o.user_id = ${actorOf(ctx).userId}
        order by o.last_message_at desc, o.peer_id limit ${page.limit} offset ${offsetOf(page)}`,
      ConversationRow,
    ),
  );
  return found.map((row) => ({
    id: row.peer_id,
    userId: row.peer_id,
    name: row.name,
    avatar: avatarAddress(ctx, row.avatar_url),
    lastMessage: row.content,
    time: row.last_message_at.toISOString(),
    unread: row.unread,
    isOfficial: false,
  }));
}

const MessageRows = z.array(
  z.object({
    id: z.number(),
    sender_id: z.number(),
    content: z.string(),
    created_at: instant,
    sender_name: z.string(),
    sender_avatar: z.string().nullable(),
  }),
);

/** A page of the caller's talk with somebody, oldest first in the page; page 1 holds the newest, and is then read. */
export async function listMessages(
  ctx: Ctx,
  { peerId, ...page }: Page & { peerId: number },
): Promise<z.output<typeof MessageShape>[]> {
  const me = actorOf(ctx).userId;
  const input = { user_id: me, peer_id: peerId, limit: page.limit, offset: offsetOf(page) };
  const found = await ctx.db.run(call("live_chat_read", input, MessageRows));
  return found.toReversed().map((row) => ({
    id: row.id,
    senderId: row.sender_id,
    content: row.content,
    time: row.created_at,
    created_at: row.created_at,
    fromMe: row.sender_id === me,
    isOfficial: false,
    senderName: row.sender_name,
    senderAvatar: avatarAddress(ctx, row.sender_avatar),
  }));
}
