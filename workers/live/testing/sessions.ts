import { sql } from "drizzle-orm";
import { z } from "zod";
import { testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { renewLease } from "../sessions.ts";
import { execute, post, query } from "./people.ts";

const Row = z.object({
  open: z.boolean(),
  proven: z.boolean(),
  reason: z.string().nullable(),
  seconds: z.number(),
  proven_ms: z.number(),
  lag: z.number().nullable(),
  income: z.number(),
  viewers: z.number(),
});

/** `lag`: seconds from the last proof to the end. */
export async function rowOf(sessionId: number) {
  const [row] = await query(
    sql`select end_time is null as open, proven_at > start_time as proven, end_reason as reason,
        duration_seconds as seconds, proven_ms::float8 as proven_ms,
        extract(epoch from end_time - proven_at)::float8 as lag, total_income::float8 as income, total_viewers as viewers
      from live_sessions where id = ${sessionId}`,
    Row,
  );
  if (!row) throw new Error("no such session");
  return row;
}

/** Moves a whole session back in time, as if its start and its last proof had been then. */
export const back = (sessionId: number, seconds: number) =>
  execute(
    sql`update live_sessions set start_time = start_time - make_interval(secs => ${seconds}),
      proven_at = proven_at - make_interval(secs => ${seconds}) where id = ${sessionId}`,
  );

/** What a room does every half minute while the host's socket is there. */
export const renew = (
  host: TestUser,
  roomId: string,
  viewers = 0,
  joined: number[] = [],
  guests: string[] = [],
) => renewLease(testContext(), { hostId: host.userId, roomId, viewers, joined, guests });

/** The host's own wish to end. */
export const end = (host: TestUser, sessionId: unknown) =>
  post("/api/live-session/end", host, { sessionId });
