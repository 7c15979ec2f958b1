import type { MemberLevel } from "../tables.ts";

/**
 * How long an attempt may take from payment to the supplier's answer: the wait at the gate (20 s), the call's time-out
 * (30 s) and a margin. After it nothing of ours can still be on its way.
 */
export const LEASE_SECONDS = 75;
/** An attempt that has less than this left is not begun: it could end after its lease. */
export const SHORTEST_ATTEMPT_MS = 55_000;
/**
 * What the call needs, with a margin. A turn that leaves less is not taken: whoever looks after the lease could have
 * given the order up.
 */
export const CALL_MS = 33_000;
/** How long a paid order waits for its turn at the supplier before its money goes back. */
export const PATIENCE_MINUTES = 15;
/** How long the history tells nothing of an order in doubt before a person hears of it. */
export const DOUBT_MINUTES = 60;
/** How long an unpaid order can be paid. */
export const EXPIRY_MINUTES = 60;
/** The supplier is asked about one order at a reader's wish at most every so often. */
export const ASK_PAUSE_SECONDS = 5;

/** A reseller's business; an admin gives the level. */
const RESALE = { open_orders: 1_000, day_amount: 1_000_000_000 };

/**
 * What one user may have open and spend in a Jakarta day, by his level and whatever way he orders: anybody can make
 * himself a key. `like_minutes`: a like order in that time must be meant.
 */
export const LIMITS = {
  like_minutes: 10,
  levels: {
    member: { open_orders: 50, day_amount: 25_000_000 },
    reseller: RESALE,
    agent: RESALE,
  } satisfies Record<MemberLevel, { open_orders: number; day_amount: number }>,
};

/** The longest list that is asked for as a rule: more than the gate lets out until a doubt is settled. */
export const MOST_LISTED = 500;
/** When even that does not reach back to an attempt in doubt: more than the gate lets out in half an hour. */
export const LISTED_DEEPEST = 5_000;
