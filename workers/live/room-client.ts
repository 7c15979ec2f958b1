import type { Ctx } from "../../shared/context.ts";
import { describeError } from "../../shared/log.ts";
import { inTime } from "../../shared/time/in-time.ts";
import { callTwice } from "./courier.ts";
import { type RoomKind, roomName } from "./rooms/names.ts";
import type { GiftNews, LiveNews, Viewer } from "./rooms/news.ts";
import { livePayload } from "./rooms/payloads.ts";
import { prepareEvent } from "./socketio/index.ts";
import { homeShard } from "./sockets/home.ts";

export type { GiftNews, LiveNews, Viewer } from "./rooms/news.ts";

/** A room that does not answer the sweep in time is taken for dead. */
const PROOF_MS = 10_000;
/** Who ends his live does not wait longer for its last viewers to be counted. */
const LAST_WORD_MS = 3_000;
const COUNT_TRUST_MS = 5_000;
const MAX_COUNTS_KEPT = 1_000;

/**
 * Shows a committed gift to everybody in the room, in the app's payload shape; once, however often it is called. Never
 * fails: the gift stands whether it is shown or not.
 */
export async function announceGift(
  ctx: Ctx,
  roomId: string,
  gift: GiftNews,
  kind: RoomKind = "live",
): Promise<void> {
  const room = ctx.rooms.getByName(roomName(kind, roomId));
  await quietly(ctx, "gift", room.announceGift(gift));
}

/** Which of these users sit in a party room now, with a verified socket. */
export async function areInParty(ctx: Ctx, roomId: string, userIds: number[]): Promise<boolean[]> {
  return await ctx.rooms.getByName(roomName("party", roomId)).areHere(userIds);
}

/**
 * Tells the room that a live began or ended: `live:started` / `live:ended` to its sockets, and from a start on the room
 * renews the session's lease while the host's socket is there, and ends it 60 s after that is gone. Where the room, being
 * shared, does not tell its viewers, the host's own sockets are told. What the room knows is no news to it, so it may be
 * told again. Never fails.
 */
export async function announceLive(ctx: Ctx, news: LiveNews): Promise<void> {
  await quietly(ctx, "live", inTime(PROOF_MS, tellRoom(ctx, news, 0)));
}

/** As `announceLive`, of an end whose last viewers are waited for: the number of all, or null where that is not known now. */
export async function announceEnd(ctx: Ctx, news: LiveNews): Promise<number | null> {
  const told = tellRoom(ctx, news, LAST_WORD_MS);
  return (await quietly(ctx, "live", inTime(LAST_WORD_MS * 2, told))) ?? null;
}

async function tellRoom(ctx: Ctx, news: LiveNews, waitMs: number): Promise<number | null> {
  const told = await liveRoom(ctx, news.roomId).announceLive(news, waitMs);
  if (told.isForHostAlone) ctx.waitUntil(tellHost(ctx, news));
  return told.viewers;
}

/** Tells a host's own sockets of his live. Never fails. */
export async function tellHost(ctx: Ctx, news: LiveNews): Promise<void> {
  const payload = livePayload(news, ctx.now().getTime());
  await sendToUser(ctx, news.hostId, `live:${news.state}`, payload);
}

/** Lets a room renew the leases of the hosts whose sockets it knows, now. Never fails; who is silent proves nothing. */
export async function proveHosts(ctx: Ctx, roomId: string): Promise<void> {
  await quietly(ctx, "sweep", inTime(PROOF_MS, liveRoom(ctx, roomId).proveHosts()));
}

/**
 * Sends an event to all sockets that are verified as this user, wherever they are. Never fails; a user without a socket gets
 * nothing. `id` is the event's own: told again soon, it reaches only those whom it has not reached.
 */
export async function sendToUser(
  ctx: Ctx,
  userId: number,
  event: string,
  payload: unknown,
  id: string = crypto.randomUUID(),
): Promise<void> {
  const prepared = prepareEvent(event, [payload]);
  const forward = () => homeShard(ctx, userId).forwardToUser(userId, prepared, id);
  await quietly(ctx, "user", callTwice(forward));
}

const SIGN_IN_ENDED = "Sesi Anda telah berakhir. Silakan masuk kembali";

/**
 * A user's sockets lose their authority and are closed: after a ban all, after a log-out those of its session. Never
 * fails; what it cannot reach is caught by the sockets' own check of their session.
 */
export async function endUserSockets(
  ctx: Ctx,
  { userId, sessionId }: { userId: number; sessionId: string | null },
): Promise<void> {
  const end = () => homeShard(ctx, userId).endUser(userId, SIGN_IN_ENDED, sessionId);
  await quietly(ctx, "end of sockets", callTwice(end));
}

/** Who watches a live room now, each person once: verified users first, at most 100. */
export async function viewersOf(ctx: Ctx, roomId: string): Promise<Viewer[]> {
  return await liveRoom(ctx, roomId).viewers();
}

const counts = new Map<string, { count: number; until: number }>();

/** How many people watch each room; a number may be 5 s old, and there is none of a room that does not answer. */
export async function viewerCounts(ctx: Ctx, roomIds: string[]): Promise<Map<string, number>> {
  const wanted = [...new Set(roomIds)];
  const found = await Promise.all(
    wanted.map(async (roomId) => ({ roomId, count: await countOf(ctx, roomId) })),
  );
  return new Map(found.flatMap(({ roomId, count }) => (count === null ? [] : [[roomId, count]])));
}

async function countOf(ctx: Ctx, roomId: string): Promise<number | null> {
  const now = ctx.now().getTime();
  const known = counts.get(roomId);
  if (known && known.until > now) return known.count;
  try {
    const count = await liveRoom(ctx, roomId).viewerCount();
    if (counts.size >= MAX_COUNTS_KEPT) counts.clear();
    counts.set(roomId, { count, until: now + COUNT_TRUST_MS });
    return count;
  } catch (error) {
    ctx.log.warn("a room did not count its viewers", describeError(error));
    return known?.count ?? null;
  }
}

/** The last 100 chat messages of a live room, oldest first. */
export async function recentMessages(ctx: Ctx, roomId: string): Promise<unknown[]> {
  return (await liveRoom(ctx, roomId).messages()).map((json): unknown => JSON.parse(json));
}

function liveRoom(ctx: Ctx, roomId: string) {
  return ctx.rooms.getByName(roomName("live", roomId));
}

/** News for sockets are told after the fact: what they tell of has happened, whether anybody hears it or not. */
async function quietly<T>(ctx: Ctx, what: string, told: Promise<T>): Promise<T | undefined> {
  try {
    return await told;
  } catch (error) {
    ctx.log.warn("sockets could not be told", { what, ...describeError(error) });
    return undefined;
  }
}
