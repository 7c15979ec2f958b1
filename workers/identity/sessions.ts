import { and, eq, isNull, lt, sql } from "drizzle-orm";
import { distrust } from "../../shared/auth/sessions.ts";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { build, prepared } from "../../shared/db/statement.ts";
import { attempts, sessions, users } from "./tables.ts";

const KEEP_ENDED_DAYS = 1;
const LONGEST_WINDOW_HOURS = 1;

const revokeSession = prepared<{ id: string; userId: number }, unknown>(() =>
  build
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(
      and(
        eq(sessions.id, sql.placeholder("id")),
        eq(sessions.userId, sql.placeholder("userId")),
        isNull(sessions.revokedAt),
      ),
    ),
);

const revokeSessionsOf = prepared<{ userId: number }, unknown>(() =>
  build
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.userId, sql.placeholder("userId")), isNull(sessions.revokedAt))),
);

const ban = prepared<{ userId: number }, unknown>(() =>
  build
    .update(users)
    .set({ bannedAt: sql`coalesce(${users.bannedAt}, now())` })
    .where(eq(users.id, sql.placeholder("userId"))),
);

const unban = prepared<{ userId: number }, unknown>(() =>
  build
    .update(users)
    .set({ bannedAt: null })
    .where(eq(users.id, sql.placeholder("userId"))),
);

const purgeSessions = prepared<Record<string, never>, unknown>(() =>
  build
    .delete(sessions)
    .where(lt(sessions.expiresAt, sql`now() - make_interval(days => ${KEEP_ENDED_DAYS})`)),
);

const purgeAttempts = prepared<Record<string, never>, unknown>(() =>
  build
    .delete(attempts)
    .where(
      lt(attempts.windowStartedAt, sql`now() - make_interval(hours => ${LONGEST_WINDOW_HOURS})`),
    ),
);

/** Tells what holds on to sign-ins (open sockets) that one has ended, or with null all of the user's. Never fails. */
export type TellSignInEnded = (
  ctx: Ctx,
  ended: { userId: number; sessionId: string | null },
) => Promise<void>;

/** Ends the sign-in that the caller's token names; ending it again changes nothing. Null: nobody holds on to it. */
export async function endSession(ctx: Ctx, tell: TellSignInEnded | null): Promise<void> {
  const { sessionId, userId } = actorOf(ctx);
  await ctx.db.run(revokeSession({ id: sessionId, userId }));
  distrust(sessionId);
  if (tell) ctx.waitUntil(tell(ctx, { userId, sessionId }));
}

/** Bars a user and ends every sign-in he has: money and sockets at once, reads elsewhere within 30 s (design §2). */
export async function banUser(ctx: Ctx, userId: number, tell: TellSignInEnded): Promise<void> {
  await ctx.db.batch([ban({ userId }), revokeSessionsOf({ userId })]);
  ctx.waitUntil(tell(ctx, { userId, sessionId: null }));
}

/** Lets a user sign in again; his old sign-ins stay ended. */
export async function unbanUser(ctx: Ctx, userId: number): Promise<void> {
  await ctx.db.run(unban({ userId }));
}

/** Deletes sign-ins that are long over and counters that no longer hold anybody back (cron). */
export async function purgeSignInAttempts(ctx: Ctx): Promise<void> {
  await ctx.db.batch([purgeSessions({}), purgeAttempts({})]);
}
