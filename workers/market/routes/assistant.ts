import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  marketList,
  marketOk,
  page,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { feature } from "../admin/features.ts";
import { chat } from "../assistant/chat.ts";
import {
  ActionShape,
  ChatInput,
  SessionDetail,
  SessionShape,
  Undone,
} from "../assistant/schemas.ts";
import {
  deleteSession,
  getSession,
  listActions,
  listSessions,
  undoAction,
} from "../assistant/sessions.ts";
import { idParameters } from "../schemas/fields.ts";

/** The assistant of sellers and admins. Which of both somebody is, the first query of a talk asks. */
export const assistantRoutes = createApi();

const tags = ["market: assistant"];
const { 200: _, ...failures } = marketOk(z.null());

assistantRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/ai/chat",
    tags,
    summary:
      'Ask the assistant (sellers and admins). Events `data: {"text":…}`, on trouble `data: {"error":…}`, at the end `data: [DONE]`; the session\'s id is in the header x-session-id',
    middleware: [access(null, { fresh: true }), feature("ai_chat")] as const,
    request: { body: body(ChatInput) },
    responses: {
      200: {
        content: { "text/event-stream": { schema: z.string() } },
        description: "Server-Sent Events",
      },
      ...failures,
    },
  }),
  async (c) => {
    const { sessionId, body: events } = await chat(c.var.ctx, c.req.valid("json"));
    return c.body(events, 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "x-session-id": sessionId,
    });
  },
);

assistantRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/ai/sessions",
    tags,
    summary: "My talks with the assistant",
    middleware: [access(null)] as const,
    request: { query: z.object(pagingQuery) },
    responses: marketList(SessionShape),
  }),
  async (c) => c.json(page(await listSessions(c.var.ctx, c.req.valid("query"))), 200),
);

assistantRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/ai/sessions/{id}",
    tags,
    summary: "What was said in one of my talks",
    middleware: [access(null)] as const,
    request: { params: idParameters },
    responses: marketOk(SessionDetail),
  }),
  async (c) => c.json(enveloped(await getSession(c.var.ctx, c.req.valid("param").id)), 200),
);

assistantRoutes.openapi(
  createRoute({
    method: "delete",
    path: "/api/ai/sessions/{id}",
    tags,
    summary: "Forget one of my talks",
    middleware: [access(null)] as const,
    request: { params: idParameters },
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => c.json(enveloped(await deleteSession(c.var.ctx, c.req.valid("param").id)), 200),
);

assistantRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/ai/actions",
    tags,
    summary: "What the assistant did for me, and until when it can be undone",
    middleware: [access(null)] as const,
    request: { query: z.object(pagingQuery) },
    responses: marketList(ActionShape),
  }),
  async (c) => c.json(page(await listActions(c.var.ctx, c.req.valid("query"))), 200),
);

assistantRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/ai/undo/{id}",
    tags,
    summary:
      "Undo what the assistant did for me, within 24 hours; what somebody has changed since stays, as the message says",
    middleware: [access(null, { fresh: true })] as const,
    request: { params: idParameters },
    responses: marketOk(Undone),
  }),
  async (c) => c.json(enveloped(await undoAction(c.var.ctx, c.req.valid("param").id)), 200),
);
