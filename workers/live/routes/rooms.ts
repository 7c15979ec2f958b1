import { createRoute, z } from "@hono/zod-openapi";
import { appOk } from "../../../shared/http/answers.ts";
import { createApi } from "../../../shared/http/api.ts";
import { recentMessages } from "../room-client.ts";
import { MAX_ROOM_ID } from "../rooms/names.ts";
import { polled } from "./polled.ts";
import { inContractWords } from "./words.ts";

export const roomRoutes = createApi();

const Message = z.object({
  roomId: z.string(),
  userId: z.number().nullable(),
  username: z.string(),
  avatar: z.string().nullable(),
  level: z.number(),
  vip: z.number(),
  verified: z.boolean(),
  message: z.string(),
  timestamp: z.string(),
});

roomRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/live-messages/{roomId}",
    tags: ["live: rooms"],
    summary: "The last 100 chat messages of a live room, oldest first",
    middleware: [polled] as const,
    request: { params: z.object({ roomId: z.string().min(1).max(MAX_ROOM_ID) }) },
    responses: appOk({ data: z.array(Message) }),
  }),
  async (c) => {
    const kept = await recentMessages(c.var.ctx, c.req.valid("param").roomId);
    return c.json({ success: true, data: z.array(Message).parse(kept) } as const, 200);
  },
  inContractWords,
);
