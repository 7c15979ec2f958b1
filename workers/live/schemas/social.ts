import { z } from "@hono/zod-openapi";
import { cleanLines } from "../sockets/text.ts";
import { instant, numericId } from "./fields.ts";

const TARGET = "targetUserId wajib";

export const FollowBody = z
  .object({ targetUserId: numericId(TARGET) }, TARGET)
  .openapi("FollowBody");

/** `avatar_url` is relative: the app's follow list writes the host before it (contract §2.1). */
export const FollowedShape = z
  .object({
    id: z.number(),
    name: z.string(),
    avatar_url: z.string().nullable(),
    level: z.number(),
    vipLevel: z.number(),
    signature: z.string().nullable(),
    isFollowing: z.boolean(),
    isLive: z.boolean(),
    followedAt: instant,
  })
  .openapi("Followed");

/** A host as the home screen shows him (contract §4); `image` is absolute, `id` a string. */
export const HostCard = z
  .object({
    id: z.string(),
    name: z.string(),
    viewers: z.number(),
    image: z.string(),
    title: z.string(),
    level: z.number(),
    vipLevel: z.number(),
    roomId: z.string().nullable(),
    isLive: z.boolean(),
  })
  .openapi("HostCard");

const MESSAGE = "recipientId and content are required";
const MAX_MESSAGE = 2_000;

/** Cleaned as sockets clean what they read: the copy of a message that came the other way is known by its text. */
export const MessageText = z
  .string(MESSAGE)
  .overwrite((value) => cleanLines(value, Number.POSITIVE_INFINITY))
  .min(1, MESSAGE)
  .max(MAX_MESSAGE, `Message is too long (at most ${MAX_MESSAGE} characters)`);

export const MessageBody = z
  .object({ recipientId: numericId(MESSAGE), content: MessageText }, MESSAGE)
  .openapi("PrivateMessageBody");

export const SentMessage = z
  .object({
    id: z.number(),
    conversationId: z.number(),
    senderId: z.number(),
    content: z.string(),
    time: z.string(),
    created_at: z.string(),
    fromMe: z.literal(true),
  })
  .openapi("SentMessage");

export const MessageShape = z
  .object({
    id: z.number(),
    senderId: z.number(),
    content: z.string(),
    time: z.string(),
    created_at: z.string(),
    fromMe: z.boolean(),
    isOfficial: z.boolean(),
    senderName: z.string(),
    senderAvatar: z.string(),
  })
  .openapi("PrivateMessage");

export const ConversationShape = z
  .object({
    id: z.number(),
    userId: z.number(),
    name: z.string(),
    avatar: z.string(),
    lastMessage: z.string(),
    time: z.string(),
    unread: z.number(),
    isOfficial: z.boolean(),
  })
  .openapi("Conversation");
