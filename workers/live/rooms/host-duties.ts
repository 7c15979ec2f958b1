import type { Ctx } from "../../../shared/context.ts";
import { describeError } from "../../../shared/log.ts";
import { endAbandoned, renewLeases } from "../sessions.ts";
import type { Hosting, Live } from "./hosting.ts";
import type { LiveRoom } from "./live-room.ts";

/**
 * Does what the presence of hosts asks for: one statement renews the leases of all hosts who are here, and a live whose
 * host has been gone for 60 s ends. What fails is due again at the next alarm; both verbs bear repetition.
 */
export async function doHostDuties(ctx: Ctx, room: LiveRoom, hosting: Hosting): Promise<void> {
  const duties = hosting.due(room.isHere, Date.now());
  const renewals = duties.flatMap((duty) => (duty.kind === "renew" ? [duty.live] : []));
  const endings = duties.flatMap((duty) => (duty.kind === "end" ? [duty.live] : []));
  const done = await Promise.allSettled([
    renew(ctx, room, hosting, renewals),
    ...endings.map((live) => end(ctx, room, hosting, live)),
  ]);
  for (const result of done) {
    if (result.status === "rejected") {
      for (const { live } of duties) hosting.postpone(live.hostId, Date.now());
      ctx.log.warn("a host's lease waits for the database", describeError(result.reason));
    }
  }
}

async function renew(ctx: Ctx, room: LiveRoom, hosting: Hosting, lives: Live[]): Promise<void> {
  if (lives.length === 0) return;
  const joined = lives.map(({ sessionId }) => room.takeNewcomers(sessionId));
  const { roomId, viewerCount: viewers } = room;
  try {
    const sessions = await renewLeases(
      ctx,
      lives.map(({ hostId }, i) => ({ roomId, hostId, viewers, joined: joined[i] ?? [] })),
    );
    lives.forEach((live, i) => {
      // No open session: it ended elsewhere, and its news did not reach this room.
      if (sessions[i] === live.sessionId) hosting.renewed(live, Date.now());
      else hosting.end(live.hostId, live.sessionId);
    });
  } catch (error) {
    lives.forEach(({ sessionId }, i) => {
      room.returnNewcomers(sessionId, joined[i] ?? []);
    });
    throw error;
  }
}

async function end(ctx: Ctx, room: LiveRoom, hosting: Hosting, live: Live): Promise<void> {
  const { hostId, seenAt, sessionId } = live;
  const goneSince = new Date(seenAt ?? Date.now());
  await endAbandoned(ctx, { roomId: room.roomId, hostId, goneSince });
  hosting.end(hostId, sessionId);
}
