import {
  type Callback,
  type Goods,
  HOUR,
  type Kind,
  MINUTE,
  type Order,
  type Purchase,
  SECOND,
  type Shelf,
} from "./episode.ts";
import { Dice } from "./episode-dice.ts";
import { priceAt } from "./episode-shelf.ts";

/** What an episode's purchases are made of. */
export interface World {
  seed: number;
  kinds: readonly Kind[];
  shelf: Shelf;
  callbacks: Callback[];
}

type Wanted = Omit<Goods, "price"> & { triedAt: number };

/** The episode's targets; 1 and 2 are those of its orders, and share what is not blacked out, or the beginning alone. */
function targetOf({ seed, shelf, kinds }: World, n: string): string {
  if (shelf.family === "social") return `toko.${30_000_000 + seed}.${n}`;
  if (!kinds.includes("masks")) return `${30_000_000 + seed}${n}`;
  const isAlike = Dice.of(seed, "masks").chance(0.7);
  const middle = String(10_000 + (seed % 10_000)) + n.padStart(2, "0");
  return isAlike ? `0812${middle}7890` : `0812${middle}789${n.slice(-1)}`;
}

/** One to four, most of them alike: their answers are lost, or late. */
export function doubtsOf(dice: Dice, world: World): Order[] {
  const { seed, kinds } = world;
  const buyers = dice.pick([1, 1, 2, 3]);
  const span = dice.pick([2, 10, 30, 30]) * MINUTE;
  const tried = dice.list(dice.pick([1, 2, 2, 3, 4]), () => dice.between(0, span));
  const alike = dice.chance(0.6);
  const late = Dice.of(seed, "late answers");
  const what = Dice.of(seed, "what");
  const zones = Dice.of(seed, "zones").pick([
    ["2001", "2002"],
    ["2001", "2001"],
    ["2001", null],
    ["2001", "2002", null],
  ]);
  return tried
    .sort((a, b) => a - b)
    .map((triedAt, n) => {
      const target = targetOf(world, alike || dice.chance(0.7) ? "1" : "2");
      const service = alike || dice.chance(0.7) ? "A" : "B";
      const zone = kinds.some((kind) => kind.startsWith("zones"))
        ? what.pick(zones as [string])
        : null;
      const quantity = kinds.includes("quantities") ? what.pick([100, 100, 500]) : 100;
      const isB = kinds.includes("namesakes") && what.chance(0.4);
      const wanted: Wanted = { target, zone, service: isB ? "B" : service, quantity, triedAt };
      const purchase = dice.chance(0.7) ? purchaseOf(dice, world, `OWN${seed}X${n}`, wanted) : null;
      const soon = dice.chance(0.15) ? dice.between(1, 40) * SECOND : null;
      const after =
        kinds.includes("late answers") && late.chance(0.3) ? late.between(1, 60) * MINUTE : soon;
      const answeredAt = purchase && after !== null ? purchase.madeAt + after : null;
      const doubtedAt = dice.chance(0.7) ? triedAt + dice.between(20, 45) * SECOND : null;
      const buyer = dice.between(0, buyers - 1);
      return { n, buyer, ...goodsOf(world, wanted), triedAt, doubtedAt, purchase, answeredAt };
    });
}

/** Of long ago, in the meantime, and once in a while later; a quiet shop has none. */
export function salesOf(dice: Dice, world: World): Order[] {
  const old = dice.list(dice.pick([0, 2, 2, 2]), () => -dice.between(60, 2_000));
  const since = dice.list(dice.pick([0, 1, 3, 5]), () => dice.between(0, 90));
  const zone = world.kinds.some((kind) => kind.startsWith("zones")) ? "2001" : null;
  return [...old, ...since].map((minutes, n) => {
    const target = targetOf(world, `9${n}`);
    const triedAt = minutes * MINUTE;
    const wanted: Wanted = { target, zone, service: "A", quantity: 100, triedAt };
    const made = purchaseOf(dice, world, `SALE${world.seed}X${n}`, wanted);
    const purchase = { ...made, ends: made.ends.slice(0, 1) };
    const answeredAt = purchase.madeAt + dice.between(1, 20) * SECOND;
    const learntAt =
      Dice.of(world.seed, `${purchase.trxid} ends`).pick([10, 60, 1_800]) * SECOND + answeredAt;
    const isOpen = purchase.ends.some(({ outcome }) => outcome === "open");
    return {
      n: 100 + n,
      buyer: 3,
      ...goodsOf(world, wanted),
      triedAt,
      doubtedAt: null,
      purchase,
      answeredAt,
      ...(isOpen ? {} : { endedAt: learntAt }),
    };
  });
}

/** For others, called almost as the buyers of these orders, and for one of them in another zone or quantity. */
export function pastOf(dice: Dice, world: World, orders: readonly Order[]): Purchase[] {
  const { seed, kinds } = world;
  const what = Dice.of(seed, "past");
  return dice.list(dice.pick([0, 0, 1, 3]), (n) => {
    const order = orders[dice.between(0, orders.length - 1)];
    const like = order?.target ?? "";
    const near = dice.pick([`${like}9`, `9${like}`, like.slice(0, -1), targetOf(world, `8${n}`)]);
    const other = { zone: order?.zone ?? null, quantity: order?.quantity ?? 100 };
    const isZoned = kinds.includes("zones") || kinds.includes("zones glued");
    const isOther =
      what.chance(0.6) && ((isZoned && other.zone !== null) || kinds.includes("quantities"));
    if (isOther && other.zone) other.zone = other.zone === "2001" ? "2002" : "2001";
    else if (isOther) other.quantity = 300;
    const target = isOther ? like : near;
    const triedAt = dice.between(-60, 60) * MINUTE;
    const wanted: Wanted = { target, ...other, service: "A", triedAt };
    return purchaseOf(dice, world, `PAST${seed}X${n}`, wanted);
  });
}

/** For an order's very target and service. */
export function likesPast(world: World, orders: readonly Order[]): Purchase[] {
  const { seed, kinds } = world;
  const dice = Dice.of(seed, "likes");
  return (["likes before", "likes after"] as const).flatMap((kind, n) => {
    const order = orders[dice.between(0, orders.length - 1)];
    const before = -dice.pick([dice.between(1, 5), dice.between(5, 120)]) * MINUTE;
    const after = dice.pick([dice.between(2, 5), dice.between(5, 120)]) * MINUTE;
    const apart = kind === "likes before" ? before : after;
    if (!order || !kinds.includes(kind)) return [];
    return [
      purchaseOf(dice, world, `LIKE${seed}X${n}`, { ...order, triedAt: order.triedAt + apart }),
    ];
  });
}

function goodsOf({ shelf }: World, { triedAt, ...wanted }: Wanted): Goods {
  const { target, zone, service, quantity } = wanted;
  return { target, zone, service, quantity, price: priceAt(shelf, service, quantity, triedAt) };
}

/** Made during the lease; listed at once, a little late, or late by hours: then it is named within a minute. */
function purchaseOf(dice: Dice, world: World, trxid: string, wanted: Wanted): Purchase {
  const { callbacks } = world;
  const madeAt = wanted.triedAt + dice.between(1, 30) * SECOND;
  const lateBy = dice.pick([0, dice.between(0, 270) * SECOND, dice.between(5, 240) * MINUTE]);
  const isLate = lateBy >= 5 * MINUTE;
  if (isLate) callbacks.push({ trxid, at: madeAt + dice.between(0, 50) * SECOND });
  else if (dice.chance(0.3)) callbacks.push({ trxid, at: madeAt + dice.between(0, 600) * SECOND });
  if (dice.chance(0.3)) callbacks.push({ trxid, at: madeAt + dice.between(1, 90) * MINUTE });
  const ends = endsOf(Dice.of(world.seed, trxid), world.kinds, madeAt);
  return { trxid, ...goodsOf(world, wanted), madeAt, listedAt: madeAt + lateBy, ends };
}

function endsOf(dice: Dice, kinds: readonly Kind[], madeAt: number): Purchase["ends"] {
  if (!kinds.includes("ends")) return [{ at: madeAt, outcome: "success" }];
  const outcome = dice.pick([
    "success",
    "success",
    "success",
    "failed",
    "refunded",
    "open",
  ] as const);
  const after = dice.pick([0, dice.between(1, 60) * MINUTE, dice.between(1, 20) * HOUR]);
  if (after === 0) return [{ at: madeAt, outcome }];
  return [
    { at: madeAt, outcome: "open" },
    { at: madeAt + after, outcome },
  ];
}
