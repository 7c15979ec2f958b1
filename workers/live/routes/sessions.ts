import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { connectingAddress } from "../../../shared/http/caller.ts";
import { MAX_ROOM_ID } from "../rooms/names.ts";
import { idInPath } from "../schemas/fields.ts";
import { EndBody, SessionShape, StartBody, ViewerShape } from "../schemas/sessions.ts";
import { endSession, listViewers, secondsToday, startSession } from "../sessions.ts";
import { polled } from "./polled.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: sessions"];

/** Live sessions: start, end, minutes of today, and who watches. */
export const sessionRoutes = createApi();

sessionRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/live-session/start",
    tags,
    summary: "Go live; an open session of mine ends first",
    middleware: [access(null)] as const,
    request: { body: body(StartBody) },
    responses: appOk({ sessionId: z.number(), start: z.string() }),
  }),
  async (c) => {
    const { id, start_time } = await startSession(c.var.ctx, {
      ...c.req.valid("json"),
      address: connectingAddress(c.req.raw) ?? undefined,
    });
    return c.json({ success: true, sessionId: id, start: start_time } as const, 200);
  },
  inContractWords,
);

sessionRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/live-session/end",
    tags,
    summary: "End my session; ending it again answers the same row",
    middleware: [access(null)] as const,
    request: { body: body(EndBody) },
    responses: appOk({ data: SessionShape }),
  }),
  async (c) => {
    const data = await endSession(c.var.ctx, c.req.valid("json"));
    return c.json({ success: true, data } as const, 200);
  },
  inContractWords,
);

sessionRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/live-session/duration/today/{hostId}",
    tags,
    summary: "Seconds of a host's sessions that began today (Jakarta) and have ended",
    middleware: [access(null)] as const,
    request: { params: z.object({ hostId: idInPath("Invalid hostId parameter") }) },
    responses: appOk({ totalSeconds: z.number() }),
  }),
  async (c) => {
    const totalSeconds = await secondsToday(c.var.ctx, c.req.valid("param").hostId);
    return c.json({ success: true, totalSeconds } as const, 200);
  },
  inContractWords,
);

/** The shipped app doubles the prefix. */
for (const base of ["/api", "/api/api"] as const) {
  sessionRoutes.openapi(
    createRoute({
      method: "get",
      path: `${base}/live-session/{roomId}/viewers`,
      tags,
      summary: "Who watches a room now, at most 100",
      middleware: [polled] as const,
      request: { params: z.object({ roomId: z.string().min(1).max(MAX_ROOM_ID) }) },
      responses: appOk({ data: z.array(ViewerShape) }),
    }),
    async (c) => {
      const data = await listViewers(c.var.ctx, c.req.valid("param").roomId);
      return c.json({ success: true, data } as const, 200);
    },
    inContractWords,
  );
}
