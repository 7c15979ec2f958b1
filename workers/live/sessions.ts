import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { dayBounds } from "../../shared/time/jakarta.ts";
import { announceEnd, announceLive, type LiveNews, proveHosts, viewersOf } from "./room-client.ts";
import type { LastWord } from "./rooms/turnout.ts";
import { SessionShape } from "./schemas/sessions.ts";
import { addressKey } from "./sockets/home.ts";

/** A row of `live_sessions` in the contract's keys (§2.5). */
export type SessionRow = z.output<typeof SessionShape>;

/** A room's word of a live: that its host is there, or only who came to it. */
export interface LeaseRenewal {
  roomId: string;
  hostId: number;
  /** The session that the room means; without it the host's open one. */
  sessionId?: number;
  /** False where the host is not there: then his lease is not renewed. */
  isHere?: boolean;
  /** Distinct people in the room now, without those who host there. */
  viewers: number;
  /** Signed-in users who came since the last word (with the first: all who are there). Repeats do no harm. */
  joined?: readonly number[];
  /** Guests who did, by the keys that tell them apart. */
  guests?: readonly string[];
}

const SWEEP_LIMIT = 200;

/** A row, and what rooms are told beside it. */
const NamedRow = SessionShape.extend({ host_name: z.string(), address: z.string().nullable() });
type NamedRow = z.output<typeof NamedRow>;

const Started = z.object({ session: NamedRow, ended: z.array(NamedRow) });
const Ended = z.object({ session: NamedRow, is_heard: z.boolean() });

/**
 * Opens the caller's session, whoever else is named is refused; an open one of his ends first. The rooms are told of
 * both, in that order, and from where he asked: his app's socket may have no other name (rooms/stand-ins.ts).
 */
export async function startSession(
  ctx: Ctx,
  input: { hostId?: number; roomId?: string | undefined; address?: string | undefined },
): Promise<SessionRow> {
  const { userId } = actorOf(ctx);
  const { hostId: claimed_id = userId, roomId: room_id = `room_${userId}` } = input;
  const address = addressKey(input.address ?? "");
  const { session, ended } = await ctx.db.run(
    call("live_start_session", { host_id: userId, claimed_id, room_id, address }, Started),
  );
  const tell = async () => {
    await tellEnded(ctx, ended);
    await announceLive(ctx, startOf(session));
  };
  ctx.waitUntil(tell());
  return rowOf(session);
}

/**
 * Ends the caller's session; one that has ended answers its row unchanged. Its room then counts who came last, which is
 * waited for shortly: a room that does not answer counts them when it hears of the end.
 */
export async function endSession(
  ctx: Ctx,
  { sessionId }: { sessionId: number },
): Promise<SessionRow> {
  const { userId: host_id } = actorOf(ctx);
  const input = { session_id: sessionId, host_id };
  const { session, is_heard } = await ctx.db.run(call("live_end_session", input, Ended));
  const row = rowOf(session);
  if (is_heard) return row;
  const viewers = await announceEnd(ctx, { ...newsOf(session), state: "ended" });
  return { ...row, total_viewers: viewers ?? row.total_viewers };
}

/** One host's lease; the session's id, or null when he has no open session in that room. One statement. */
export async function renewLease(ctx: Ctx, renewal: LeaseRenewal): Promise<number | null> {
  const [sessionId = null] = await renewLeases(ctx, [renewal]);
  return sessionId;
}

const Renewed = z.array(z.number().nullable());

/** All hosts of a room (the shipped app has one room for everybody) in one statement; ids as `renewLease`, in order. */
export async function renewLeases(
  ctx: Ctx,
  renewals: readonly LeaseRenewal[],
): Promise<(number | null)[]> {
  const input = renewals.map(({ roomId, hostId, sessionId, isHere = true, viewers, ...came }) => ({
    ...{ room_id: roomId, host_id: hostId, session_id: sessionId ?? null, is_here: isHere },
    ...{ viewers, joined: came.joined ?? [], guests: came.guests ?? [] },
  }));
  return await ctx.db.run(call("live_renew_leases", { renewals: input }, Renewed));
}

const Totals = z.record(z.string(), z.number());

/** The last words of lives that are over: their rooms know that they are. Answers all viewers of each, by its session. */
export async function hearEnds(
  ctx: Ctx,
  words: readonly LastWord[],
): Promise<[sessionId: number, viewers: number][]> {
  const input = words.map(({ sessionId, users, guests }) => ({
    ...{ session_id: sessionId, joined: users, guests },
  }));
  const totals = await ctx.db.run(call("live_hear_ends", { words: input }, Totals));
  return Object.entries(totals).map(([sessionId, viewers]) => [Number(sessionId), viewers]);
}

/**
 * The host's socket has been gone for 60 s: his open session in that room ends at its last lease; the room tells of it.
 * With `goneSince` a session that began, or was proven, later stays. Null when nothing was open.
 */
export async function endAbandoned(
  ctx: Ctx,
  { roomId, hostId, goneSince }: { roomId: string; hostId: number; goneSince?: Date },
): Promise<SessionRow | null> {
  const input = { room_id: roomId, host_id: hostId, gone_since: goneSince ?? null };
  const ended = await ctx.db.run(call("live_end_abandoned", input, NamedRow.nullable()));
  return ended && rowOf(ended);
}

const Lapsed = z.array(
  z.object({ session_id: z.number(), room_id: z.string(), unasked: z.boolean() }),
);

const Unheard = z.object({ started: z.array(NamedRow), ended: z.array(NamedRow) });

/** The word of a start or an end may be lost on its way to the room: it is said again. */
async function remindRooms(ctx: Ctx): Promise<void> {
  const unheard = await ctx.db.run(call("live_unheard", { limit: SWEEP_LIMIT }, Unheard));
  await Promise.all([
    tellEnded(ctx, unheard.ended),
    ...unheard.started.map((one) => announceLive(ctx, startOf(one))),
  ]);
}

/**
 * The minute's sweep: sessions whose lease lapsed or that are too old end. Their rooms are asked first: after an outage
 * of the database no lease was renewed, though the hosts were there. Answers how many it ended.
 */
export async function endLapsedSessions(ctx: Ctx): Promise<number> {
  await remindRooms(ctx);
  const lapsed = await ctx.db.run(call("live_lapsed", { limit: SWEEP_LIMIT }, Lapsed));
  if (lapsed.length === 0) return 0;
  const rooms = new Set(lapsed.flatMap(({ room_id, unasked }) => (unasked ? room_id : [])));
  await Promise.all([...rooms].map((roomId) => proveHosts(ctx, roomId)));
  const session_ids = lapsed.map(({ session_id }) => session_id);
  const ended = await ctx.db.run(call("live_end_lapsed", { session_ids }, z.array(NamedRow)));
  await tellEnded(ctx, ended);
  return ended.length;
}

const PURGED_PER_CALL = 200;
const PURGES_AT_MOST = 50;

/** For the hourly cron: forgets who came to lives that ended a week ago. How many came stays in their rows. */
export async function purgeVisitors(ctx: Ctx): Promise<void> {
  const purge = call("live_visitors_purge", { limit: PURGED_PER_CALL }, z.number());
  for (let i = 0; i < PURGES_AT_MOST; i += 1) {
    if ((await ctx.db.run(purge)) < PURGED_PER_CALL) return;
  }
}

const OpenSession = z
  .object({ id: z.number(), host_id: z.number(), room_id: z.string(), start_time: z.coerce.date() })
  .transform((row) => ({
    id: row.id,
    hostId: row.host_id,
    roomId: row.room_id,
    startTime: row.start_time,
  }));

export type OpenSession = z.output<typeof OpenSession>;

/** A host's open session, or the newest of a room. */
export async function openSessionOf(
  ctx: Ctx,
  of: { hostId: number } | { roomId: string },
): Promise<OpenSession | null> {
  const where = "hostId" in of ? sql`host_id = ${of.hostId}` : sql`room_id = ${of.roomId}`;
  const [found] = await ctx.db.run(
    rows(
      sql`select id::float8 as id, host_id::float8 as host_id, room_id, start_time from live_sessions
        where end_time is null and ${where} order by start_time desc limit 1`,
      OpenSession,
    ),
  );
  return found ?? null;
}

/** Seconds of the host's sessions that began on this day of Jakarta and have ended; for himself, his agency, admins. */
export async function secondsToday(ctx: Ctx, hostId: number): Promise<number> {
  const { start, end } = dayBounds(ctx.now());
  const [found] = await ctx.db.run(
    rows(
      sql`select live_may_see_host(${actorOf(ctx).userId}, ${hostId}) as allowed,
        (select coalesce(sum(duration_seconds), 0)::float8 from live_sessions where host_id = ${hostId}
          and end_time is not null and start_time >= ${start} and start_time < ${end}) as seconds`,
      z.object({ allowed: z.boolean(), seconds: z.number() }),
    ),
  );
  if (!found?.allowed) throw new AppError("forbidden", "");
  return found.seconds;
}

/** Who watches a room now, as the app's viewer list reads it. */
export async function listViewers(ctx: Ctx, roomId: string) {
  const viewers = await viewersOf(ctx, roomId);
  return viewers.map(({ avatar, ...viewer }) => ({ ...viewer, avatar, avatar_url: avatar }));
}

const rowOf = ({ host_name: _, address: __, ...row }: NamedRow): SessionRow => row;

const newsOf = ({ room_id: roomId, host_id: hostId, host_name: hostName, id }: NamedRow) => ({
  ...{ roomId, hostId, hostName, sessionId: id },
});

/** Of a start, also where and when it was asked for: it may be told late. */
const startOf = (row: NamedRow): LiveNews => ({
  ...newsOf(row),
  ...{ state: "started", address: row.address, askedAt: Date.parse(row.start_time) },
});

async function tellEnded(ctx: Ctx, ended: readonly NamedRow[]): Promise<void> {
  await Promise.all(ended.map((one) => announceLive(ctx, { ...newsOf(one), state: "ended" })));
}
