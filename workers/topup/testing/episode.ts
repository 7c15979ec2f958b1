/**
 * Episodes for workers/topup/orders/matching.property.test.ts: a few orders of a few buyers, what an honest supplier makes of
 * them, and what its lists and callbacks tell of that, and when. All times are milliseconds from the episode's beginning.
 * "Honest" is all that is not one of the cases at the head of topup_orders_silence.sql: what lists lack for 5 minutes and
 * more, a callback names at once.
 */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const LEASE = 75 * SECOND;

/** What an episode may have beside late lists, lost answers and callbacks, each by a chance of its own. */
export const KINDS = [
  /** A player in two zones, or in none; rows tell the zone, */
  "zones",
  /** or none of them does, */
  "zones left out",
  /** or it stands behind the player: `12345678 (2001)`. */
  "zones glued",
  /** Lists black every target out, `0812****7890`: some of the episode's then look alike. */
  "masks",
  /** the zone told beside it, or services of one name, or prices that change. */
  "masks with more",
  /** Social orders of several quantities. */
  "quantities",
  /** The second service has the first one's name, and its price or another one. */
  "namesakes",
  /** The price changes, and a sync tells at once. */
  "prices",
  /** Purchases stay open, fail, or are given back, at once or later. */
  "ends",
  /** Bought past us for an order's very target and service, before its attempt, */
  "likes before",
  /** or after it. */
  "likes after",
  /** Lists have first what has shown last, not what was made last. */
  "by shown",
  /** Lists have first what has last changed. */
  "by last change",
  /** Lists have their oldest rows first. */
  "oldest first",
  /** For hours lists show the latest few alone. */
  "cut lists",
  /** Some looks find rows that cannot be read. */
  "unreadable rows",
  /** The answer comes after minutes. */
  "late answers",
  /** A person settles an order that waits for him. */
  "a person's word",
  /** Rows tell a service's new name, and a sync does so within two hours. */
  "renames",
  /** Of the oracle alone: when a callback named a purchase counts also once lists show it. */
  "callbacks remembered",
  /** Of the oracle alone: two orders for other goods are settled where both were bought, whichever row is whose. */
  "swaps",
] as const;
export type Kind = (typeof KINDS)[number];
export type Family = "prepaid" | "game" | "social";
export type Service = "A" | "B";
export type Outcome = "open" | "success" | "failed" | "refunded";

/** What is sold, under which names and at which prices, and when we learn of it. */
export interface Shelf {
  family: Family;
  /** Lists tell a service's name and the price of what is ordered from then on. */
  names: { at: number; A: string; B: string }[];
  prices: { at: number; A: number; B: number }[];
  /** When we ask for the price list; the first stands for what we knew before. */
  syncs: number[];
}

/** What is bought, for whom. */
export interface Goods {
  target: string;
  zone: string | null;
  service: Service;
  quantity: number;
  /** What the supplier takes for it, when it was ordered. */
  price: number;
}

/** An order as its buyer made it, and what really became of it. */
export interface Order extends Goods {
  n: number;
  buyer: number;
  triedAt: number;
  /** When our side gives up on the answer; null: the process was killed, and nobody does before the lease is over. */
  doubtedAt: number | null;
  /** What the supplier made of it; null: the request was lost. */
  purchase: Purchase | null;
  /** When its answer came after all, if it did. */
  answeredAt: number | null;
  /** When we learnt how it ended; of those in doubt never. */
  endedAt?: number;
}

export interface Purchase extends Goods {
  trxid: string;
  madeAt: number;
  listedAt: number;
  /** How it stands from then on; the first from when it was made. */
  ends: { at: number; outcome: Outcome }[];
}

/** A signed callback; the supplier denies what `trxid` it names where there is no such purchase. */
export interface Callback {
  trxid: string;
  at: number;
}

export interface Span {
  from: number;
  until: number;
}

/** A look at an order in doubt; `isTold`: the supplier tells, when asked, of what callbacks name. */
export interface Look {
  /** None: the list is only noted, as for others. */
  order: Order | null;
  at: number;
  isTold: boolean;
  /** Rows that cannot be read in this list. */
  unread: string[];
}

export interface Episode {
  seed: number;
  kinds: Kind[];
  shelf: Shelf;
  orders: Order[];
  /** Of other targets, sold without a doubt. */
  sales: Order[];
  /** Bought past us, by hand: for others, of whom some are called almost as an order's own target. */
  past: Purchase[];
  callbacks: Callback[];
  /** While the supplier answers nothing. */
  down: Span;
  /** While lists show so many alone. */
  cut: Span & { length: number };
  /** When a person settles this order, if it waits for him. */
  words: { order: Order; at: number }[];
  looks: Look[];
}

export const isIn = ({ from, until }: Span, at: number) => at >= from && at < until;

export const purchasesOf = ({
  orders,
  sales,
  past,
}: Pick<Episode, "orders" | "sales" | "past">) => [
  ...[...orders, ...sales].flatMap(({ purchase }) => purchase ?? []),
  ...past,
];

export const outcomeAt = ({ ends }: Purchase, at: number): Outcome =>
  ends.findLast((end) => end.at <= at)?.outcome ?? "open";
