import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { listConversations, listMessages, sendPrivate } from "../chat.ts";
import { appPaging } from "../paging.ts";
import { idOrNone } from "../schemas/fields.ts";
import { ConversationShape, MessageBody, MessageShape, SentMessage } from "../schemas/social.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: chat"];

/** Private chat; a talk's id is the other one's user id. */
export const chatRoutes = createApi();

chatRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/chat/conversations",
    tags,
    summary: "My talks, the latest first",
    middleware: [access(null)] as const,
    request: { query: z.object(appPaging(50)) },
    responses: appOk({ conversations: z.array(ConversationShape) }),
  }),
  async (c) => {
    const conversations = await listConversations(c.var.ctx, c.req.valid("query"));
    return c.json({ success: true, conversations } as const, 200);
  },
);

chatRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/chat/messages/{id}",
    tags,
    summary: "A page of a talk, oldest first; page 1 is the newest and counts as read",
    middleware: [access(null)] as const,
    request: { params: z.object({ id: idOrNone }), query: z.object(appPaging(50)) },
    responses: appOk({ messages: z.array(MessageShape), page: z.number(), limit: z.number() }),
  }),
  async (c) => {
    const page = c.req.valid("query");
    const messages = await listMessages(c.var.ctx, { peerId: c.req.valid("param").id, ...page });
    return c.json({ success: true, messages, ...page } as const, 200);
  },
);

chatRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/chat/send",
    tags,
    summary: "Send a private message",
    middleware: [access(null)] as const,
    request: { body: body(MessageBody) },
    responses: appOk({ message: SentMessage }),
  }),
  async (c) => {
    const { recipientId, content } = c.req.valid("json");
    const message = await sendPrivate(c.var.ctx, { toUserId: recipientId, content, via: "rest" });
    return c.json({ success: true, message } as const, 200);
  },
  inContractWords,
);
