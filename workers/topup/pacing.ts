import { z } from "zod";
import type { Lane, Turn } from "../../shared/providers/vip-reseller.ts";

/** Orders that would wait longer than this are better told now than bought later. */
const LONGEST_QUEUE_MS = 20_000;

/** More room after a request nobody gets. */
const MOST_SPARE_MS = 1_000;
/** Gaps that are shorter than this are not those of a real supplier, and not held to the millisecond. */
const LEAST_HELD_MS = 100;

/** While reads wait behind orders, one of so many moments is left for them. */
const READ_EVERY = 4;
/** One moment of so many is a visitor's, whoever reads: he may ask for it so much sooner than a read. */
const VISITOR_EVERY = 5;
const VISITOR_FIRST_MS = 100;
/** A read that was told to come again is waited for so long. */
const READ_WANTED_MS = 60_000;
/** That reads wait is written down no more often. */
const READ_NOTED_MS = 5_000;

const Left = z.object({ at: z.number(), spareMs: z.number() });
/**
 * `askedAt`: when a read was last told to come again, and the room it asked for; `since`: orders since a moment was left;
 * `visitedAt`: when a visitor last got one.
 */
const Reads = z
  .object({
    askedAt: z.number(),
    spareMs: z.number(),
    since: z.number(),
    left: z.array(Left),
    visitedAt: z.number().catch(0),
  })
  .catch({ askedAt: 0, spareMs: 0, since: 0, left: [], visitedAt: 0 });
type Reads = z.output<typeof Reads>;

export interface PacerOptions {
  intervalMs: number;
  now: () => number;
  /** The moment from which the next request may leave, kept where an eviction does not lose it; undefined: never set. */
  load: () => number | undefined;
  save: (next: number) => void;
  /** What is known of reads that wait, kept beside it; whatever else lies there is as good as nothing. */
  loadReads: () => unknown;
  saveReads: (reads: Reads) => void;
}

/** The state of the gate at the moment when it is asked. */
interface Moment {
  options: PacerOptions;
  now: number;
  next: number;
  /** From a moment to the next one. */
  stepMs: number;
  /** The room that was asked for; undefined: none is held. */
  spareMs: number | undefined;
  /** Who asks waits no longer. */
  longestMs: number;
  reads: Reads;
}

/**
 * Hands out moments at least `intervalMs` apart. An order gets the next free one. A read gets one only while at most
 * one other request is ahead of it, and else is told to come again: so an order never waits behind more than that. Where
 * orders alone fill the line, one moment in four is left for reads while any wait, and given to who asks just before it.
 * A visitor gets a moment that has come and that nobody took, or once in five moments one as a read does: however many
 * look on, a read waits for one of them at most, and a crowd of reads keeps no visitor away. None is given a moment that
 * is further off than he waits (`longestMs`).
 * `spareMs`: the answer takes time, so the request may leave so much after its moment, and the next one's is that later.
 */
export function takeTurn(
  options: PacerOptions,
  lane: Lane,
  spareMs = 0,
  longestMs = Number.POSITIVE_INFINITY,
): Turn {
  const { intervalMs } = options;
  const isHeld = spareMs > 0 && intervalMs >= LEAST_HELD_MS;
  const spare = isHeld ? Math.min(spareMs, MOST_SPARE_MS) : 0;
  const now = options.now();
  const kept = options.load() ?? 0;
  // Further ahead than any place that was ever given: the clock was set back, and the gate must not stay shut.
  const isSane = kept <= now + LONGEST_QUEUE_MS + 2 * (intervalMs + MOST_SPARE_MS);
  const next = isSane ? Math.max(kept, now) : now + intervalMs;
  if (!isSane) options.save(next);
  const reads = Reads.parse(options.loadReads());
  // A moment that has passed is too near to the one behind it; one behind `next` was left by another clock.
  reads.left = reads.left.filter(({ at }) => at >= now && at < next);
  const stepMs = intervalMs + spare;
  const room = isHeld ? spare : undefined;
  const moment = { options, now, next, stepMs, reads, spareMs: room, longestMs };
  switch (lane) {
    case "order":
      return orderTurn(moment);
    case "visitor":
      return visitorTurn(moment);
    default:
      return readTurn(moment);
  }
}

function visitorTurn(moment: Moment): Turn {
  const { options, now, next, stepMs, spareMs, longestMs, reads } = moment;
  const aheadMs = next - now;
  if (aheadMs > longestMs) return { granted: false, waitMs: aheadMs };
  const dueMs = reads.visitedAt > now ? 0 : reads.visitedAt + VISITOR_EVERY * stepMs - now;
  const mostMs = stepMs + VISITOR_FIRST_MS;
  if (aheadMs > (dueMs > 0 ? 0 : mostMs)) {
    const waitMs = Math.min(aheadMs, Math.max(aheadMs - mostMs, dueMs));
    return { granted: false, waitMs };
  }
  options.save(next + stepMs);
  options.saveReads({ ...reads, visitedAt: now });
  return { granted: true, waitMs: aheadMs, ...(spareMs === undefined ? {} : { spareMs }) };
}

function orderTurn({ options, now, next, stepMs, spareMs, reads }: Moment): Turn {
  const aheadMs = next - now;
  if (aheadMs > LONGEST_QUEUE_MS) return { granted: false, waitMs: aheadMs };
  const isWanted = reads.askedAt <= now && reads.askedAt > now - READ_WANTED_MS;
  const after = next + stepMs;
  if (!isWanted || aheadMs === 0) {
    options.save(after);
  } else if (reads.since + 2 < READ_EVERY) {
    options.save(after);
    options.saveReads({ ...reads, since: reads.since + 1 });
  } else {
    options.save(after + options.intervalMs + reads.spareMs);
    const left = [...reads.left, { at: after, spareMs: reads.spareMs }];
    options.saveReads({ ...reads, since: 0, left });
  }
  return { granted: true, waitMs: aheadMs, ...(spareMs === undefined ? {} : { spareMs }) };
}

function readTurn({ options, now, next, stepMs, spareMs, reads }: Moment): Turn {
  const aheadMs = next - now;
  const [place, ...left] = reads.left;
  if (place && place.at - now <= stepMs) {
    options.saveReads({ ...reads, left });
    const room = spareMs === undefined ? {} : { spareMs: place.spareMs };
    return { granted: true, waitMs: place.at - now, ...room };
  }
  if (aheadMs <= stepMs) {
    options.save(next + stepMs);
    return { granted: true, waitMs: aheadMs, ...(spareMs === undefined ? {} : { spareMs }) };
  }
  const spare = spareMs ?? 0;
  const isNoted = reads.askedAt <= now && reads.askedAt > now - READ_NOTED_MS;
  if (!isNoted || reads.spareMs < spare) {
    options.saveReads({ ...reads, askedAt: now, spareMs: spare });
  }
  const untilMs = place ? place.at - now : aheadMs;
  return { granted: false, waitMs: untilMs - stepMs };
}
