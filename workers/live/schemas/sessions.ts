import { z } from "@hono/zod-openapi";
import { instant, numericId, roomId } from "./fields.ts";

const HOST_ID = "hostId wajib";

export const StartBody = z
  .object({ hostId: numericId(HOST_ID), roomId }, HOST_ID)
  .openapi("LiveStartBody");

const SESSION_ID = "sessionId wajib";

/** `totalIncome` and `totalViewers` may be sent and are not looked at: the server counts. */
export const EndBody = z
  .object({ sessionId: numericId(SESSION_ID) }, SESSION_ID)
  .openapi("LiveEndBody");

/** A row as `live_session_row` writes it. */
export const SessionShape = z
  .object({
    id: z.number(),
    host_id: z.number(),
    room_id: z.string(),
    start_time: instant,
    end_time: instant.nullable(),
    duration_seconds: z.number(),
    total_income: z.number(),
    total_viewers: z.number(),
    created_at: instant,
  })
  .openapi("LiveSession");

export const ViewerShape = z
  .object({
    id: z.union([z.number(), z.string()]),
    name: z.string(),
    avatar: z.string().nullable(),
    avatar_url: z.string().nullable(),
    level: z.number(),
    verified: z.boolean(),
  })
  .openapi("LiveViewer");
