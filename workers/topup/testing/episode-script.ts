import {
  type Episode,
  HOUR,
  isIn,
  LEASE,
  type Look,
  type Order,
  outcomeAt,
  type Purchase,
  purchasesOf,
  type Service,
} from "./episode.ts";
import { codeOf, heldAt } from "./episode-shelf.ts";

/** Where all episodes begin: after whatever other tests have bought by clocks that run ahead. */
const BEGIN = Date.UTC(2150, 0, 1);
const ALERTS = { alert_to: "ops@x.id" };

/** What topup_episode_play (episode-play.ts) does, one after the other. */
export interface Script {
  services: object[];
  steps: ({ do: string } & Record<string, unknown>)[];
  orders: { n: number; id: string }[];
  trxids: string[];
}

const iso = (at: number) => new Date(BEGIN + at).toISOString();
/** Back to milliseconds from the beginning. */
export const momentOf = (time: string) => Date.parse(time) - BEGIN;
/** As uuidv7, but the same each time. */
const idOf = ({ seed }: Episode, { n, triedAt }: Order) => {
  const made = (BEGIN + triedAt).toString(16).padStart(12, "0");
  return `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-${String(seed * 1_000 + n).padStart(12, "0")}`;
};

/** The episode as the functions are to be called; `buyers` have their money in escrow. */
export function scriptOf(episode: Episode, buyers: readonly number[]): Script {
  const steps = [...stepsOf(episode, buyers)].sort((a, b) => a.at - b.at);
  return {
    services: servicesAt(episode, -Infinity),
    steps: steps.map(({ does }) => does),
    orders: episode.orders.map((order) => ({ n: order.n, id: idOf(episode, order) })),
    trxids: purchasesOf(episode).map(({ trxid }) => trxid),
  };
}

interface Step {
  at: number;
  does: Script["steps"][number];
}

function* stepsOf(episode: Episode, buyers: readonly number[]): Generator<Step> {
  for (const order of [...episode.orders, ...episode.sales]) {
    yield { at: order.triedAt, does: place(episode, order, buyers[order.buyer] ?? 0) };
    const { answeredAt, doubtedAt } = order;
    if (answeredAt !== null) yield { at: answeredAt, does: accept(episode, order, answeredAt) };
    if (order.endedAt !== undefined)
      yield { at: order.endedAt, does: end(episode, order, order.endedAt) };
    if (doubtedAt !== null) yield { at: doubtedAt, does: doubt(episode, order, doubtedAt) };
  }
  for (const at of episode.shelf.syncs.slice(1)) {
    const services = servicesAt(episode, at);
    yield { at, does: { do: "sync", family: episode.shelf.family, services, at: iso(at) } };
  }
  for (const [n, { trxid, at }] of episode.callbacks.entries()) {
    const event = { provider: "vip-reseller", event_key: `${trxid}/success/${n}` };
    yield { at, does: { do: "name", ...event, at: iso(at), retry_at: iso(at + HOUR) } };
    // What the supplier denies for so long holds nothing back any more (nobodys.ts).
    if (trxid.startsWith("NOBODY"))
      yield { at: at + 22 * HOUR, does: { do: "rest", events: `${trxid}/%` } };
  }
  for (const { order, at } of episode.words) yield { at, does: decide(episode, order, at) };
  for (const look of episode.looks) yield { at: look.at, does: lookAt(episode, look) };
}

function servicesAt({ seed, shelf }: Episode, at: number): object[] {
  const times = shelf.family === "social" ? 10 : 1;
  return (["A", "B"] as const).map((service) => {
    const supplier_price = (heldAt(shelf.prices, at)?.[service] ?? 0) * times;
    const name = heldAt(shelf.names, at)?.[service] ?? "";
    const target_kind = { prepaid: "customer_number", game: "game_id", social: "link" }[
      shelf.family
    ];
    const price = supplier_price + 1_000 * times;
    return {
      family: shelf.family,
      code: codeOf(seed, service),
      name,
      target_kind,
      supplier_price,
      price,
    };
  });
}

function place(episode: Episode, order: Order, buyer: number): Step["does"] {
  const { seed, shelf } = episode;
  const { target, zone, service, triedAt } = order;
  const quantity = shelf.family === "social" ? order.quantity : 1;
  const what = { family: shelf.family, code: codeOf(seed, service), target, zone, quantity };
  const when = { at: iso(triedAt), until: iso(triedAt + LEASE) };
  return { do: "place", id: idOf(episode, order), user_id: buyer, ...what, ...when };
}

function attemptOf(episode: Episode, order: Order, at: number) {
  return {
    order_id: idOf(episode, order),
    attempt_id: idOf(episode, order),
    now: iso(at),
    ...ALERTS,
  };
}

function accept(episode: Episode, order: Order, at: number): Step["does"] {
  const told = { trxid: order.purchase?.trxid, charged: order.purchase?.price };
  return { do: "accept", input: { ...attemptOf(episode, order, at), ...told } };
}

function end(episode: Episode, order: Order, at: number): Step["does"] {
  const state = order.purchase ? outcomeAt(order.purchase, at) : "failed";
  return { do: "end", id: idOf(episode, order), state, input: { now: iso(at), ...ALERTS } };
}

function doubt(episode: Episode, order: Order, at: number): Step["does"] {
  return { do: "doubt", input: { ...attemptOf(episode, order, at), reason: "uji" } };
}

/** A person knows what became of an order that waits for him; of what has not come to an end he does not decide. */
function decide(episode: Episode, order: Order, at: number): Step["does"] {
  const id = idOf(episode, order);
  const { purchase } = order;
  const told = purchase ? { trxid: purchase.trxid, charged: purchase.price } : {};
  const outcome = purchase ? outcomeAt(purchase, at) : "refunded";
  const input = {
    order_id: id,
    as: outcome,
    ...told,
    reason: "kata penyedia",
    now: iso(at),
    ...ALERTS,
  };
  return { do: "decide", id, is_over: outcome !== "open", input };
}

/**
 * One look at an order that is in doubt still, as recover.ts does it: the list is noted, and beside it stands what callbacks
 * name and the supplier tells of, when asked by its id.
 */
function lookAt(episode: Episode, look: Look): Step["does"] {
  const { order, at, isTold, unread } = look;
  const now = iso(at);
  const shown = listAt(episode, at);
  const list = shown.filter(({ trxid }) => !unread.includes(trxid));
  const rows = list.map((purchase) => rowOf(episode, purchase, at));
  const noted = { family: episode.shelf.family, seen_at: now, rows, ...ALERTS };
  if (order === null) return { do: "note", noted };
  const told = purchasesOf(episode)
    .filter((one) => isTold && one.madeAt <= at && !list.includes(one))
    .map((purchase) => rowOf(episode, purchase, at));
  const id = idOf(episode, order);
  const take = { order_id: id, attempt_id: id, lease_seconds: 75, patience_minutes: 15, now };
  const unreadable = list.length < shown.length;
  const asked = {
    order_id: id,
    asked_at: now,
    now,
    unreadable,
    asked: 100,
    deepest: true,
    ...ALERTS,
  };
  return { do: "look", id, now, take, noted, told, is_told: isTold, asked };
}

/** The supplier's list then: by when they were made, or show, or last changed; newest first, or oldest. */
export function listAt(episode: Episode, at: number): Purchase[] {
  const list = purchasesOf(episode)
    .filter(({ listedAt }) => listedAt <= at)
    .sort(newestFirst(episode, at));
  const latest = isIn(episode.cut, at) ? list.slice(0, episode.cut.length) : list;
  return episode.kinds.includes("oldest first") ? latest.toReversed() : latest;
}

export const newestFirst = ({ kinds }: Episode, at: number) => {
  const isByShown = kinds.includes("by shown");
  const isByChange = kinds.includes("by last change");
  const changedAt = ({ ends }: Purchase) => ends.findLast((end) => end.at <= at)?.at ?? 0;
  return (a: Purchase, b: Purchase) =>
    (isByShown && b.listedAt - a.listedAt) ||
    (isByChange && changedAt(b) - changedAt(a)) ||
    b.madeAt - a.madeAt;
};

/** What lists call a target: as it was ordered, blacked out, or with the zone behind it. */
export function toldTarget({ kinds }: Pick<Episode, "kinds">, { target, zone }: Purchase): string {
  if (kinds.includes("masks")) return `${target.slice(0, 4)}****${target.slice(-4)}`;
  return kinds.includes("zones glued") && zone ? `${target} (${zone})` : target;
}

function rowOf(episode: Episode, purchase: Purchase, at: number) {
  const { kinds, shelf, seed } = episode;
  const { trxid, zone, service, price } = purchase;
  return {
    trxid,
    target: toldTarget(episode, purchase),
    zone: kinds.includes("zones") ? zone : null,
    code: shelf.family === "prepaid" ? codeOf(seed, service as Service) : null,
    service: heldAt(shelf.names, at)?.[service] ?? "",
    quantity: shelf.family === "social" ? purchase.quantity : null,
    price,
    outcome: outcomeAt(purchase, at),
  };
}
