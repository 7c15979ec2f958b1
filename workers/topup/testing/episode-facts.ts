import { type Episode, MINUTE, type Order, type Purchase, purchasesOf } from "./episode.ts";
import { toldTarget } from "./episode-script.ts";
import { heldAt } from "./episode-shelf.ts";

/** What is known until a moment. */
export interface Facts {
  episode: Episode;
  until: number;
  /** When a list first had them. */
  seen: Record<string, number>;
  /** When a list first had their end. */
  ended: Record<string, number>;
  /** When we learnt what these orders are, and by which row; null: by none. */
  settled: ReadonlyMap<number, { trxid: string | null; at: number }>;
  /** Whether answers or a person told all of that: then where these rows stand tells when others were made. */
  isSure: boolean;
}

export const CLOCKS_DIFFER = MINUTE;

/** When callbacks named it first; of the functions' own reckoning, only since the order's attempt. */
const namedAt = ({ callbacks }: Episode, trxid: string, since: number) =>
  Math.min(
    ...callbacks.filter((one) => one.trxid === trxid && one.at >= since).map(({ at }) => at),
    Infinity,
  );

const answeredAt = ({ orders, sales }: Episode, trxid: string) =>
  [...orders, ...sales].find(({ purchase }) => purchase?.trxid === trxid)?.answeredAt ?? Infinity;

/** By when the row was made at the latest, as far as that was told to who asks about an order that was tried then. */
export function latestOf(
  { episode, until, seen }: Facts,
  { trxid, listedAt }: Purchase,
  tried = -Infinity,
): number {
  const first = seen[trxid] ?? Infinity;
  const isRemembered = episode.kinds.includes("callbacks remembered");
  const named = namedAt(episode, trxid, isRemembered ? -Infinity : tried);
  const answered = answeredAt(episode, trxid);
  return Math.min(
    first <= until ? first + CLOCKS_DIFFER : Infinity,
    named <= until && (isRemembered || Math.min(first, listedAt) > until) ? named : Infinity,
    answered <= until ? answered : Infinity,
  );
}

/** The rows that lists or callbacks have told of. */
export const toldRows = ({ episode, until, seen }: Facts): Purchase[] =>
  purchasesOf(episode)
    .filter(({ trxid }) => {
      const named = namedAt(episode, trxid, -Infinity);
      return Math.min(seen[trxid] ?? Infinity, named, answeredAt(episode, trxid)) <= until;
    })
    .sort((a, b) => a.madeAt - b.madeAt);

/** How well the row says what was ordered: 2 in each word, 1 leaving something open, 0 something else. */
export function fitOf(episode: Episode, row: Purchase, order: Order): 0 | 1 | 2 {
  const { kinds, shelf } = episode;
  const target = toldTarget(episode, row);
  const mask = target.split("****");
  const isMasked = mask.length > 1;
  const isGlued = target === `${order.target} (${order.zone})`;
  const isFor = isMasked
    ? order.target.startsWith(mask[0] ?? "") && order.target.endsWith(mask[1] ?? "")
    : target === order.target || isGlued;
  if (!isFor || (shelf.family === "social" && row.quantity !== order.quantity)) return 0;
  const zone = kinds.includes("zones") || isGlued ? row.zone : null;
  if (zone !== null && order.zone !== null && zone !== order.zone) return 0;
  if (
    shelf.family === "prepaid" ? row.service !== order.service : !isNamedAlike(episode, row, order)
  )
    return 0;
  const isZoneOpen = !kinds.includes("zones left out") && zone !== order.zone;
  return isZoneOpen || (!isMasked && row.price !== order.price) ? 1 : 2;
}

/** Services of one name are told apart by their prices, where these differ. */
function isNamedAlike({ shelf }: Episode, row: Purchase, order: Order): boolean {
  const names = heldAt(shelf.names, 0);
  if (row.service === order.service) return true;
  return names?.A === names?.B && row.price === order.price;
}
