import { sql } from "drizzle-orm";
import { z } from "zod";
import type { TestUser } from "../../testing/factories.ts";
import { execute, query } from "./people.ts";
import { alter, roomStub } from "./rounds.ts";

const Row = z.object({
  ended: z.boolean(),
  proven: z.boolean(),
  viewers: z.number(),
  fresh: z.boolean(),
});

/** A host's one session, as it stands. */
export async function sessionOf(host: TestUser) {
  const [row] = await query(
    sql`select end_time is not null as ended, proven_at > start_time as proven, viewers_now as viewers,
        proven_at > now() - interval '1 minute' as fresh
      from live_sessions where host_id = ${host.userId}`,
    Row,
  );
  return row;
}

/** His session began, and was proven last, so many seconds earlier. */
export const ago = (host: TestUser, seconds: number) =>
  execute(sql`update live_sessions set start_time = start_time - make_interval(secs => ${seconds}),
    proven_at = proven_at - make_interval(secs => ${seconds}) where host_id = ${host.userId}`);

/** So many seconds go by, for the object and for Postgres. */
export async function timePasses(roomId: string, host: TestUser, seconds: number): Promise<void> {
  await alter(
    roomStub(roomId),
    `update lives set seen_at = seen_at - ${seconds * 1_000},
    renewed_at = max(0, renewed_at - ${seconds * 1_000})`,
  );
  await ago(host, seconds);
}
