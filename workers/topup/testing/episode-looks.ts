import {
  DAY,
  type Episode,
  HOUR,
  isIn,
  LEASE,
  type Look,
  MINUTE,
  type Order,
  purchasesOf,
  SECOND,
} from "./episode.ts";
import { Dice } from "./episode-dice.ts";

type Seen = Pick<Episode, "seed" | "kinds" | "orders" | "sales" | "past" | "down">;

/** When somebody looks at the orders in doubt, or at the list alone. */
export function looksOf(episode: Seen): Look[] {
  const dice = Dice.of(episode.seed, "looks");
  const rows = purchasesOf(episode).map(({ trxid }) => trxid);
  const hasUnread = episode.kinds.includes("unreadable rows");
  const unreadOf = () =>
    hasUnread && dice.chance(0.25) ? rows.filter(() => dice.chance(0.3)).slice(0, 3) : [];
  const lookAt = (order: Order | null) => (at: number) => ({
    ...{ order, at, isTold: dice.chance(0.9), unread: at < DAY ? unreadOf() : [] },
  });
  const looks = episode.orders.flatMap((order) => momentsOf(order, dice).map(lookAt(order)));
  const glances = dice.list(dice.pick([0, 0, 2, 5]), () => dice.between(-30, 180) * MINUTE);
  return [...looks, ...glances.map(lookAt(null))].filter(({ at }) => !isIn(episode.down, at));
}

/** As the order's job looks (recover.ts), though less often and never to the second, for four days. */
function momentsOf({ triedAt }: Order, dice: Dice): number[] {
  const moments: number[] = [];
  let age = dice.between(-40, 10) * SECOND;
  while (age < 4 * DAY) {
    moments.push(triedAt + LEASE + age);
    age += Math.min(Math.max(age / 2, MINUTE), 8 * HOUR) * (0.6 + dice.roll() * 0.8);
  }
  return moments;
}
