import {
  DAY,
  type Episode,
  MINUTE,
  type Order,
  outcomeAt,
  type Purchase,
  purchasesOf,
} from "./episode.ts";
import { type Facts, fitOf, latestOf, toldRows } from "./episode-facts.ts";
import { momentOf } from "./episode-script.ts";
import {
  besideIt,
  type End,
  endOf,
  endsIn,
  fullWorldsOf,
  isSwappable,
  likenessOf,
  worldsOf,
} from "./episode-worlds.ts";

/** How an order stands at last; `refunds`: how often its money went back. */
export interface Ended {
  n: number;
  state: string;
  trxid: string | null;
  reason: string | null;
  note: string | null;
  decided_at: string | null;
  refunds: number;
}

export interface Played {
  ends: Ended[];
  seen: Record<string, string>;
  ended: Record<string, string>;
}

const KEPT = ["processing", "success"];
const BACK = ["failed", "refunded"];
/** All has been told by then. */
const AT_LAST = 5 * DAY;

/** What is wrong with how the episode ended, as a story; empty: nothing. */
export function judge(episode: Episode, played: Played): string {
  const wrongs = new Set([
    ...booksOf(played),
    ...settledWrongly(episode, played),
    ...leftOpen(episode, played),
  ]);
  return wrongs.size > 0 ? `${[...wrongs].sort().join(", ")}\n${storyOf(episode, played)}` : "";
}

function booksOf({ ends }: Played): string[] {
  const kept = ends.flatMap(({ state, trxid }) =>
    KEPT.includes(state) && trxid !== null ? [trxid] : [],
  );
  const wrongs: [string, boolean][] = [
    ["one purchase of two orders", new Set(kept).size < kept.length],
    [
      "kept without a purchase",
      ends.some(({ state, trxid }) => KEPT.includes(state) && trxid === null),
    ],
    [
      "refunded without its money",
      ends.some(({ state, refunds }) => BACK.includes(state) && refunds !== 1),
    ],
    [
      "bought with its money back",
      ends.some(({ state, refunds }) => !BACK.includes(state) && refunds > 0),
    ],
  ];
  return wrongs.flatMap(([words, isWrong]) => (isWrong ? [words] : []));
}

/** What was told of the episode until then, and what has become of its orders. */
function factsAt(
  episode: Episode,
  { ends, seen, ended }: Played,
  until: number,
  isKnown: (end: Ended) => boolean,
  isSure: boolean,
): Facts {
  return {
    ...{ episode, until, isSure },
    seen: momentsOf(seen),
    ended: momentsOf(ended),
    settled: new Map(
      ends
        .filter(isKnown)
        .map(({ n, trxid, decided_at }) => [n, { trxid, at: momentOf(decided_at ?? "") }]),
    ),
  };
}

const momentsOf = (times: Record<string, string>) =>
  Object.fromEntries(Object.entries(times).map(([trxid, at]) => [trxid, momentOf(at)]));

/** Answers and a person's word need no guess. */
function isTold(episode: Episode, { n, trxid, note, decided_at }: Ended): boolean {
  const order = episode.orders.find((one) => one.n === n);
  if (note === "kata penyedia") return true;
  const at = decided_at === null ? null : momentOf(decided_at);
  return trxid !== null && order?.purchase?.trxid === trxid && order.answeredAt === at;
}

/** Each order that was settled, in turn: whether one of those that are the same to its buyer really stood so then. */
function settledWrongly(episode: Episode, played: Played): string[] {
  const used = new Set<Order>();
  /** Of orders that had for theirs what was bought by hand. */
  const freed = new Set<Purchase>();
  /** Which order has what was another's, where nothing told that it was. */
  const lent = new Map<Purchase, Order>();
  const settled = played.ends
    .filter(({ state }) => KEPT.includes(state) || BACK.includes(state))
    .sort((a, b) => momentOf(a.decided_at ?? "") - momentOf(b.decided_at ?? ""));
  return settled.flatMap((end) => {
    const own = episode.orders.find(({ n }) => n === end.n);
    if (!own) return ["an order of nobody"];
    if (isTold(episode, end)) {
      used.add(own);
      return [];
    }
    const at = momentOf(end.decided_at ?? "");
    const kept = BACK.includes(end.state)
      ? null
      : purchasesOf(episode).find(({ trxid }) => trxid === end.trxid);
    if (kept === undefined) return ["kept what nobody bought"];
    const isSale = episode.sales.some(({ purchase }) => purchase && purchase === kept);
    if (isSale || (kept && fitOf(episode, kept, own) === 0)) return ["kept what is not for it"];
    const became = endOf(kept ? outcomeAt(kept, at) : null);
    const isServed = kept !== null && isServedBy(episode, played, own, kept);
    if (
      isServed ||
      (kept && episode.past.includes(kept) && isPardoned(episode, played, own, at, became))
    ) {
      if (own.purchase) freed.add(own.purchase);
      return [];
    }
    if (kept && freed.has(kept)) return [];
    const truly = (order: Order) => endOf(order.purchase ? outcomeAt(order.purchase, at) : null);
    const likes = [own, ...episode.orders].filter(
      (one) => likenessOf(episode, one) === likenessOf(episode, own) && !used.has(one),
    );
    const atLast = (purchase: Purchase) => endOf(outcomeAt(purchase, AT_LAST));
    const found =
      likes.find(({ purchase }) => purchase === kept && kept) ??
      likes.find((one) => truly(one) === became) ??
      // In the end it came to what its own did.
      likes.find(({ purchase }) => kept && purchase && atLast(purchase) === atLast(kept));
    if (found) {
      used.add(found);
      return [];
    }
    if (isPardoned(episode, played, own, at, became)) {
      if (kept) lent.set(kept, own);
      return [];
    }
    // What it comes to is what the other one's own would have.
    const borrower = own.purchase && lent.get(own.purchase);
    if (borrower && truly(borrower) === became) return [];
    const isBought = truly(own) !== "back";
    return [
      became === "back"
        ? isBought
          ? "bought and refunded"
          : "refunded by another's end"
        : isBought
          ? "kept a purchase that ends otherwise"
          : "another's purchase kept by a lost order",
    ];
  });
}

/** What was bought by hand since its attempt, less a minute, brought its buyer the very goods: nothing is owed to him. */
function isServedBy(episode: Episode, played: Played, own: Order, kept: Purchase): boolean {
  const { target, zone, service, quantity } = kept;
  const like = { ...own, target, zone, service, quantity };
  const facts = factsAt(episode, played, AT_LAST, (end) => isTold(episode, end), true);
  return (
    episode.past.includes(kept) &&
    kept.madeAt >= own.triedAt - MINUTE &&
    likenessOf(episode, like) === likenessOf(episode, own) &&
    latestOf(facts, kept, own.triedAt) >= own.triedAt &&
    endOf(outcomeAt(kept, AT_LAST)) === "goods"
  );
}

/** What was bought by hand looked like an order's then, and nothing told that it was not. */
function isPardoned(
  episode: Episode,
  played: Played,
  own: Order,
  at: number,
  became: End,
): boolean {
  const facts = factsAt(episode, played, at, (end) => isTold(episode, end), true);
  const told = toldRows(facts);
  const worlds = fullWorldsOf(facts);
  const isTrue = worlds.some(({ rows }) =>
    episode.orders.every(({ n, purchase }) => {
      const row = purchase && told.includes(purchase) ? purchase : null;
      return rows.get(n) === row;
    }),
  );
  return !isTrue && worlds.some((world) => endsIn(episode, world, own, at).includes(became));
}

/** Orders that wait though all worlds that fit the facts end alike for their buyers, and for whose rows they could have. */
function leftOpen(episode: Episode, played: Played): string[] {
  const open = played.ends.filter(({ state }) => !KEPT.includes(state) && !BACK.includes(state));
  if (open.length === 0) return [];
  const isDecided = ({ decided_at }: Ended) => decided_at !== null;
  const facts = factsAt(episode, played, AT_LAST, isDecided, false);
  const worlds = worldsOf(facts);
  return open.flatMap(({ n, state }) => {
    const order = episode.orders.find((one) => one.n === n);
    if (!order) return ["an order of nobody"];
    const isTied = besideIt(episode, worlds, order).some((one) => {
      const ways = new Set(worlds.map((world) => endsIn(episode, world, one, AT_LAST).join()));
      return (
        ways.size > 1 || (!episode.kinds.includes("swaps") && isSwappable(episode, worlds, one))
      );
    });
    if (isTied) return [];
    return [
      state === "review" ? "a person's though the facts tell" : "waits though the facts tell",
    ];
  });
}

/** The story of an episode, for who reads it. */
export function storyOf(episode: Episode, { ends, seen }: Played): string {
  const { seed, kinds, shelf, orders, sales, past, callbacks, down, cut } = episode;
  const at = (ms: number) => `${(ms / MINUTE).toFixed(1)}m`;
  const bought = (row: Order["purchase"]) =>
    row
      ? `${row.trxid} made ${at(row.madeAt)}, listed ${at(row.listedAt)}, seen ${seen[row.trxid] ? at(momentOf(seen[row.trxid] ?? "")) : "never"}, ${row.ends.map((end) => `${end.outcome} ${at(end.at)}`).join(" ")}`
      : "lost";
  const goods = ({
    service,
    target,
    zone,
    quantity,
    price,
  }: Order | (Order["purchase"] & object)) =>
    `${service} ${target} zone ${zone} x${quantity} for ${price}`;
  const tell = (order: Order) => {
    const end = ends.find((one) => one.n === order.n);
    const became = end
      ? ` -> ${end.state} ${end.trxid} ${end.reason ?? ""} ${end.decided_at ? `at ${at(momentOf(end.decided_at))}` : ""} ${end.note ?? ""}`
      : "";
    const { answeredAt } = order;
    return `${order.n}: u${order.buyer} ${goods(order)} tried ${at(order.triedAt)}${answeredAt === null ? "" : `, answered ${at(answeredAt)}`}: ${bought(order.purchase)}${became}`;
  };
  return [
    `seed ${seed}, ${shelf.family}, ${kinds.join(" + ")}; no answers ${at(down.from)} to ${at(down.until)}${cut.length > 0 ? `; lists of ${cut.length} from ${at(cut.from)} to ${at(cut.until)}` : ""}`,
    ...(shelf.syncs.length > 1
      ? [
          `names ${shelf.names.map((n) => `${at(n.at)} ${n.A} ${n.B}`).join("; ")}; prices ${shelf.prices.map((n) => `${at(n.at)} ${n.A} ${n.B}`).join("; ")}; syncs ${shelf.syncs.map(at).join(" ")}`,
        ]
      : []),
    ...[...orders, ...sales].map(tell),
    ...past.map((row) => `past us: ${goods(row)}: ${bought(row)}`),
    ...callbacks.map(({ trxid, at: came }) => `${trxid} named ${at(came)}`),
    ...episode.words.map(({ order, at: came }) => `a person's word of ${order.n} at ${at(came)}`),
  ].join("\n");
}
