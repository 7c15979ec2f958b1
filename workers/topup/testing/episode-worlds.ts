import {
  type Episode,
  LEASE,
  type Order,
  type Outcome,
  outcomeAt,
  type Purchase,
  purchasesOf,
  SECOND,
} from "./episode.ts";
import { CLOCKS_DIFFER, type Facts, fitOf, latestOf, toldRows } from "./episode-facts.ts";
import { placesOf } from "./episode-places.ts";
import { newestFirst } from "./episode-script.ts";

/**
 * What may have become of an episode's orders, from what was told alone, by trying out everything: the oracle of
 * matching.property.test.ts. A world gives each order one row or none; what belongs to no order was bought past us.
 *
 * A row can be an order's where its target, zone, service and quantity are, as far as they are told, and where it was not
 * seen or named before the attempt, and does not stand behind what was over by then, where that tells anything. Of the worlds those count that explain
 * most rows by orders: what can be an order's purchase is not taken for somebody's by hand; and of those in which the rows
 * stand in the order in which they were made those that explain most, for lists may show late ones first, or not. Among
 * these, an exact row is rather an order's than one that leaves something open.
 */

/** How it ends for a buyer: money back, whether bought or not, is one and the same. */
export type End = "goods" | "open" | "back";

export interface World {
  /** By the order's `n`. */
  rows: Map<number, Purchase | null>;
  explained: number;
  isInOrder: boolean;
  exact: number;
}

export const endOf = (outcome: Outcome | null): End =>
  outcome === "success" ? "goods" : outcome === "open" ? "open" : "back";

/** The list as it is by then, newest first; lists are by when rows were made, or by when they show. */
function listedRows({ episode, until }: Facts): Purchase[] {
  return purchasesOf(episode)
    .filter(({ listedAt }) => listedAt <= until)
    .sort(newestFirst(episode, until));
}

/**
 * Whether the row stands behind what had ended before the order's attempt, and that behind what was tried since it ended: then
 * it is older still, whether the list is by when rows were made or by when they last changed.
 */
function isOlder(
  { episode, until, ended }: Facts,
  listed: readonly Purchase[],
  row: Purchase,
  { triedAt }: Order,
): boolean {
  const endedAt = ({ trxid }: Purchase) =>
    Math.min(
      episode.sales.find(({ purchase }) => purchase?.trxid === trxid)?.endedAt ?? Infinity,
      (ended[trxid] ?? Infinity) + CLOCKS_DIFFER - 5 * SECOND,
    );
  let triedAbove = -Infinity;
  for (const other of listed.slice(0, Math.max(listed.indexOf(row), 0))) {
    if (endedAt(other) < Math.min(triedAt, triedAbove) - 5 * SECOND) return true;
    const owner = [...episode.orders, ...episode.sales].find(({ purchase }) => purchase === other);
    if (owner && (owner.answeredAt ?? Infinity) <= until)
      triedAbove = Math.max(triedAbove, owner.triedAt);
  }
  return false;
}

/** Whether all rows can have been made in the order in which the list shows them. */
function isInOrder(
  facts: Facts,
  listed: readonly Purchase[],
  owners: ReadonlyMap<string, Order>,
): boolean {
  let made = -Infinity;
  for (const row of listed.toReversed()) {
    const owner = owners.get(row.trxid);
    made = Math.max(made, owner?.triedAt ?? -Infinity);
    const latest = Math.min(latestOf(facts, row), (owner?.triedAt ?? Infinity) + LEASE);
    if (made > latest + 5 * SECOND) return false;
  }
  return true;
}

/**
 * The worlds that explain what is known best, whether lists are in order or not, and whether or not an order has a row that
 * leaves something open though exact ones could be its: that more orders are explained then is no fact.
 */
export function worldsOf(facts: Facts): World[] {
  return [...new Set([allWorlds(facts), allWorlds(facts, true)].flatMap(bestOf))];
}

const bestOf = (worlds: readonly World[]) => [
  ...fullestOf(worlds),
  ...fullestOf(worlds.filter((world) => world.isInOrder)),
];

/** Those that explain most of it. */
export const fullWorldsOf = (facts: Facts): World[] => fullestOf(allWorlds(facts));

/** The orders of which it is sure that they had these purchases, by trxid. */
function soldOf({ episode, until, settled, isSure }: Facts): Map<string, Order> {
  const sold = episode.orders.filter(({ n, purchase }) => {
    const known = settled.get(n);
    return isSure && known && known.at <= until && known.trxid === purchase?.trxid;
  });
  return new Map(
    [...episode.sales, ...sold].flatMap((order) =>
      order.purchase ? [[order.purchase.trxid, order] as const] : [],
    ),
  );
}

function allWorlds(facts: Facts, isExactFirst = false): World[] {
  const { episode, settled } = facts;
  const rows = toldRows(facts);
  const places = placesOf(facts);
  const listed = listedRows(facts);
  const sold = soldOf(facts);
  const choices = episode.orders.map((order): (Purchase | null)[] => {
    const known = settled.get(order.n);
    if (known && known.at <= facts.until)
      return [purchasesOf(episode).find(({ trxid }) => trxid === known.trxid) ?? null];
    const own = rows.filter(
      (row) =>
        !sold.has(row.trxid) &&
        fitOf(episode, row, order) > 0 &&
        latestOf(facts, row, order.triedAt) >= order.triedAt &&
        !(places === "told" && isOlder(facts, listed, row, order)),
    );
    const exact = own.filter((row) => fitOf(episode, row, order) === 2);
    return [...(isExactFirst && exact.length > 0 ? exact : own), null];
  });
  const groups = groupsOf(choices);
  const worlds: World[] = [];
  const walk = (n: number, picked: (Purchase | null)[]) => {
    if (n < choices.length) {
      for (const row of choices[n] ?? [])
        if (row === null || !picked.includes(row)) walk(n + 1, [...picked, row]);
      return;
    }
    const ownersOf = (group: ReadonlySet<number>) => {
      const owners = new Map(sold);
      for (const [at, row] of picked.entries()) {
        const order = episode.orders[at];
        if (row && order && group.has(at) && !settled.has(order.n)) owners.set(row.trxid, order);
      }
      return owners;
    };
    const isOrderly =
      places !== "told" || groups.every((group) => isInOrder(facts, listed, ownersOf(group)));
    worlds.push(worldOf(episode, picked, isOrderly));
  };
  walk(0, []);
  return worlds;
}

/** The orders that rows could be changed between, by their places: what other orders may have bought is not sure enough. */
function groupsOf(choices: readonly (readonly (Purchase | null)[])[]): Set<number>[] {
  const groups: Set<number>[] = [];
  for (const [at, own] of choices.entries()) {
    const joined = groups.filter((group) =>
      [...group].some((other) => own.some((row) => row !== null && choices[other]?.includes(row))),
    );
    const group = new Set([at, ...joined.flatMap((one) => [...one])]);
    groups.splice(0, groups.length, ...groups.filter((one) => !joined.includes(one)), group);
  }
  return groups;
}

function worldOf(episode: Episode, picked: readonly (Purchase | null)[], isInOrder = true): World {
  const rows = new Map(episode.orders.map((order, at) => [order.n, picked[at] ?? null]));
  const fits = episode.orders.map((order, at) => {
    const row = picked[at];
    return row ? fitOf(episode, row, order) : 0;
  });
  const explained = picked.filter((row) => row !== null).length;
  return { rows, explained, isInOrder, exact: fits.filter((fit) => fit === 2).length };
}

function fullestOf(worlds: readonly World[]): World[] {
  const most = Math.max(...worlds.map(({ explained }) => explained));
  const fullest = worlds.filter(({ explained }) => explained === most);
  const inOrder = fullest.filter((world) => world.isInOrder);
  const left = inOrder.length > 0 ? inOrder : fullest;
  const best = Math.max(...left.map(({ exact }) => exact));
  return left.filter(({ exact }) => exact === best);
}

/** Orders that are one and the same to their buyer, as services of one name at one price are. */
export function likenessOf({ shelf }: Episode, order: Order): string {
  const { buyer, target, zone, service, quantity, price } = order;
  const isNamesake = shelf.names.every(({ A, B }) => A === B);
  return [buyer, target, zone, isNamesake || service, quantity, price].join("/");
}

/** The order and all that candidates could be changed with: they are decided together. */
export function besideIt(episode: Episode, worlds: readonly World[], order: Order): Order[] {
  const choices = episode.orders.map(({ n }) => [
    ...new Set(worlds.map(({ rows }) => rows.get(n) ?? null)),
  ]);
  const at = episode.orders.indexOf(order);
  const group = groupsOf(choices).find((one) => one.has(at));
  return episode.orders.filter((_, place) => group?.has(place));
}

/** Whether a row can be this order's or one's for other goods: what becomes of them may change between the two. */
export function isSwappable(episode: Episode, worlds: readonly World[], order: Order): boolean {
  const own = new Set(worlds.flatMap(({ rows }) => rows.get(order.n) ?? []));
  const goodsOf = ({ target, zone, service, quantity }: Order) =>
    [target, zone, service, quantity].join("/");
  return episode.orders.some(
    (other) =>
      goodsOf(other) !== goodsOf(order) &&
      worlds.some(({ rows }) => {
        const row = rows.get(other.n);
        return row && own.has(row);
      }),
  );
}

/** How the order and those that are the same to its buyer end in a world, sorted. */
export function endsIn(episode: Episode, world: World, order: Order, until: number): End[] {
  return episode.orders
    .filter((one) => likenessOf(episode, one) === likenessOf(episode, order))
    .map(({ n }) => {
      const row = world.rows.get(n);
      return endOf(row ? outcomeAt(row, until) : null);
    })
    .sort();
}
