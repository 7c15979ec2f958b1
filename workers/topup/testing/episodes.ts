/**
 * Episodes for workers/topup/orders/matching.property.test.ts: a few orders of a few buyers, what an honest supplier makes of
 * them, and what its lists and callbacks tell of that, and when. All times are milliseconds from the episode's beginning.
 * "Honest" is all that is not one of the five cases at the head of topup_orders_silence.sql: what lists lack for 5 minutes
 * and more, a callback names at once.
 */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const LEASE = 75 * SECOND;

/** An order as its buyer made it, and what really became of it. */
export interface Order {
  n: number;
  buyer: number;
  target: string;
  service: "A" | "B";
  triedAt: number;
  /** When our side gives up on the answer; null: the process was killed, and nobody does before the lease is over. */
  doubtedAt: number | null;
  /** What the supplier made of it; null: the request was lost. */
  purchase: Purchase | null;
  /** When its answer came after all, if it did. */
  answeredAt: number | null;
}

export interface Purchase {
  trxid: string;
  target: string;
  service: "A" | "B";
  madeAt: number;
  listedAt: number;
}

/** A signed callback; the supplier denies what `trxid` it names where there is no such purchase. */
export interface Callback {
  trxid: string;
  at: number;
}

export interface Episode {
  seed: number;
  /** Prepaid lists tell the service's code, those of games its name alone. */
  family: "prepaid" | "game";
  orders: Order[];
  /** Of other targets, sold without a doubt. */
  sales: Order[];
  /** Bought past us, by hand: for others, of whom some are called almost as an order's own target. */
  past: Purchase[];
  callbacks: Callback[];
  /** While the supplier answers nothing. */
  down: { from: number; until: number };
  looks: Look[];
}

/** A look at an order in doubt; `isTold`: the supplier tells, when asked, of what callbacks name. */
export interface Look {
  order: Order;
  at: number;
  isTold: boolean;
}

/** Small, seeded and fast (mulberry32): a failing episode can be repeated by its seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(of: number): boolean {
    return this.roll() < of;
  }

  between(least: number, most: number): number {
    return Math.round(least + this.roll() * (most - least));
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.roll() * items.length)] ?? items[0];
  }
}

export function episodeOf(seed: number): Episode {
  const dice = new Dice(seed * 7919 + 13);
  const callbacks: Callback[] = [];
  const orders = doubtsOf(dice, seed, callbacks);
  const sales = salesOf(dice, seed, callbacks);
  const from = dice.between(0, 10) * MINUTE;
  const minutes = dice.pick([0, dice.between(5, 20), dice.between(20, 40)]);
  const down = { from, until: from + minutes * MINUTE };
  if (dice.chance(0.1)) callbacks.push({ trxid: `NOBODY${seed}`, at: dice.between(0, HOUR) });
  const looks = orders.flatMap((order) => looksAt(order, dice)).filter(({ at }) => !isIn(down, at));
  const family = dice.chance(0.5) ? "prepaid" : "game";
  const past = pastOf(dice, seed, orders, callbacks);
  return { seed, family, orders, sales, past, callbacks, down, looks };
}

export const isIn = ({ from, until }: Episode["down"], at: number) => at >= from && at < until;

const targetOf = (seed: number) => 30_000_000 + seed;

/** One to four, most of them alike: their answers are lost, or late. */
function doubtsOf(dice: Dice, seed: number, callbacks: Callback[]): Order[] {
  const buyers = dice.pick([1, 1, 2, 3]);
  const span = dice.pick([2, 10, 30, 30]) * MINUTE;
  const tried = Array.from({ length: dice.pick([1, 2, 2, 3, 4]) }, () => dice.between(0, span));
  const alike = dice.chance(0.6);
  return tried
    .sort((a, b) => a - b)
    .map((triedAt, n) => {
      const target = `${targetOf(seed)}${alike || dice.chance(0.7) ? 1 : 2}`;
      const service = alike || dice.chance(0.7) ? "A" : "B";
      const purchase = dice.chance(0.7)
        ? purchaseOf(dice, `OWN${seed}X${n}`, { target, service, triedAt }, callbacks)
        : null;
      const answeredAt =
        purchase && dice.chance(0.15) ? purchase.madeAt + dice.between(1, 40) * SECOND : null;
      const doubtedAt = dice.chance(0.7) ? triedAt + dice.between(20, 45) * SECOND : null;
      const buyer = dice.between(0, buyers - 1);
      return { n, buyer, target, service, triedAt, doubtedAt, purchase, answeredAt };
    });
}

/** Of long ago, in the meantime, and once in a while later; a quiet shop has none. */
function salesOf(dice: Dice, seed: number, callbacks: Callback[]): Order[] {
  const old = Array.from({ length: dice.pick([0, 2, 2, 2]) }, () => -dice.between(60, 2_000));
  const since = Array.from({ length: dice.pick([0, 1, 3, 5]) }, () => dice.between(0, 90));
  return [...old, ...since].map((minutes, n) => {
    const target = `${targetOf(seed)}9${n}`;
    const triedAt = minutes * MINUTE;
    const bought = { target, service: "A", triedAt } as const;
    const purchase = purchaseOf(dice, `SALE${seed}X${n}`, bought, callbacks);
    const answeredAt = purchase.madeAt + dice.between(1, 20) * SECOND;
    return { n: 100 + n, buyer: 3, ...bought, doubtedAt: null, purchase, answeredAt };
  });
}

function pastOf(
  dice: Dice,
  seed: number,
  orders: readonly Order[],
  callbacks: Callback[],
): Purchase[] {
  return Array.from({ length: dice.pick([0, 0, 1, 3]) }, (_, n) => {
    const like = orders[dice.between(0, orders.length - 1)]?.target ?? "";
    const target = dice.pick([`${like}9`, `9${like}`, like.slice(0, -1), `${targetOf(seed)}8${n}`]);
    const triedAt = dice.between(-60, 60) * MINUTE;
    return purchaseOf(dice, `PAST${seed}X${n}`, { target, service: "A", triedAt }, callbacks);
  });
}

/** Made during the lease; listed at once, a little late, or late by hours: then it is named within a minute. */
function purchaseOf(
  dice: Dice,
  trxid: string,
  { triedAt, ...what }: Pick<Order, "target" | "service" | "triedAt">,
  callbacks: Callback[],
): Purchase {
  const madeAt = triedAt + dice.between(1, 30) * SECOND;
  const lateBy = dice.pick([0, dice.between(0, 270) * SECOND, dice.between(5, 240) * MINUTE]);
  const isLate = lateBy >= 5 * MINUTE;
  if (isLate) callbacks.push({ trxid, at: madeAt + dice.between(0, 50) * SECOND });
  else if (dice.chance(0.3)) callbacks.push({ trxid, at: madeAt + dice.between(0, 600) * SECOND });
  if (dice.chance(0.3)) callbacks.push({ trxid, at: madeAt + dice.between(1, 90) * MINUTE });
  return { trxid, ...what, madeAt, listedAt: madeAt + lateBy };
}

/** As the order's job looks (recover.ts), though less often and never to the second, for four days. */
function looksAt(order: Order, dice: Dice): Look[] {
  const looks: Look[] = [];
  let age = dice.between(-40, 10) * SECOND;
  while (age < 4 * DAY) {
    looks.push({ order, at: order.triedAt + LEASE + age, isTold: dice.chance(0.9) });
    age += Math.min(Math.max(age / 2, MINUTE), 8 * HOUR) * (0.6 + dice.roll() * 0.8);
  }
  return looks;
}
