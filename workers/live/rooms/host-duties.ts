import type { Ctx } from "../../../shared/context.ts";
import { describeError } from "../../../shared/log.ts";
import { tellHost } from "../room-client.ts";
import { endAbandoned, hearEnds, renewLeases } from "../sessions.ts";
import type { HostDuty, Hosting, Live } from "./hosting.ts";
import type { LiveRoom } from "./live-room.ts";
import type { NextWord, Turnout } from "./turnout.ts";

/** So many names one statement brings: in a storm of joins the leases of a room of many lives are renewed in several. */
const NAMES_PER_CALL = 10_000;

interface Parts {
  room: LiveRoom;
  hosting: Hosting;
  turnout: Turnout;
}

type Renewal = Extract<HostDuty, { kind: "renew" }>;
type RenewalWord = NextWord & Pick<Renewal, "live" | "isHere">;

/**
 * Does what the presence of hosts and viewers asks for: one statement gives word of all lives of which there is some
 * (several where very many came), and a live whose host has been gone for 60 s ends. One that is too old has ended, unheard: it
 * gives its last word. What fails is due again at the next alarm; all of it bears repetition.
 */
export async function doHostDuties(ctx: Ctx, parts: Parts): Promise<void> {
  const { room, hosting } = parts;
  for (const live of hosting.old(Date.now())) tellEnd(ctx, parts, live);
  const duties = hosting.due(room, Date.now());
  const renewals = duties.filter((duty) => duty.kind === "renew");
  const endings = duties.filter((duty) => duty.kind === "end");
  const done = await Promise.allSettled([
    renew(ctx, parts, renewals),
    ...endings.map(({ live }) => end(ctx, parts, live)),
  ]);
  for (const result of done) {
    if (result.status === "rejected") {
      for (const { live } of duties) hosting.postpone(live.hostId, Date.now());
      ctx.log.warn("a host's lease waits for the database", describeError(result.reason));
    }
  }
}

async function renew(ctx: Ctx, parts: Parts, renewals: Renewal[]): Promise<void> {
  let words: RenewalWord[] = [];
  let names = 0;
  for (const { live, isHere } of renewals) {
    const word = { live, isHere, ...parts.turnout.wordOf(live) };
    words.push(word);
    names += word.users.length + word.guests.length;
    if (names < NAMES_PER_CALL) continue;
    await giveWords(ctx, parts, words);
    words = [];
    names = 0;
  }
  if (words.length > 0) await giveWords(ctx, parts, words);
}

async function giveWords(ctx: Ctx, parts: Parts, words: RenewalWord[]): Promise<void> {
  const { room, hosting, turnout } = parts;
  const { roomId, viewerCount: viewers } = room;
  const sessions = await renewLeases(
    ctx,
    words.map(({ live: { hostId, sessionId }, isHere, users, guests }) => ({
      ...{ roomId, hostId, sessionId, isHere },
      ...{ viewers, joined: users, guests },
    })),
  );
  words.forEach((word, i) => {
    // No open session: it ended elsewhere, and its news did not reach this room.
    if (sessions[i] === word.live.sessionId) hosting.renewed(word.live, word, Date.now());
    else tellEnd(ctx, parts, word.live);
  });
  turnout.forgetTold();
}

async function end(ctx: Ctx, parts: Parts, live: Live): Promise<void> {
  const { hostId, seenAt } = live;
  const goneSince = new Date(seenAt ?? Date.now());
  const ended = await endAbandoned(ctx, { roomId: parts.room.roomId, hostId, goneSince });
  // Who came back meanwhile, and was proven, is there still.
  const isBack = parts.hosting.find(hostId)?.seenAt !== seenAt;
  if (ended || !isBack) tellEnd(ctx, parts, live);
}

function tellEnd(ctx: Ctx, { room }: Parts, { hostId, hostName, sessionId }: Live): void {
  const { roomId } = room;
  const news = { roomId, hostId, hostName, sessionId, state: "ended" } as const;
  const { isNews, isShown } = room.tellLive(news);
  if (isNews && !isShown) ctx.waitUntil(tellHost(ctx, news));
}

/** Hands in the last words of lives that are over; answers how many viewers each of them had. */
export async function handInLastWords(ctx: Ctx, turnout: Turnout): Promise<Map<number, number>> {
  const totals = new Map<number, number>();
  for (;;) {
    const words = turnout.lastWords();
    if (words.length === 0) return totals;
    for (const [sessionId, viewers] of await hearEnds(ctx, words)) totals.set(sessionId, viewers);
    turnout.handedIn(words);
  }
}
