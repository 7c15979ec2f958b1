import { type Callback, type Episode, HOUR, type Kind, MINUTE, type Order } from "./episode.ts";
import { Dice } from "./episode-dice.ts";
import { looksOf } from "./episode-looks.ts";
import { doubtsOf, likesPast, pastOf, salesOf } from "./episode-purchases.ts";
import { shelfOf } from "./episode-shelf.ts";

/** Which of these kinds the episode has. */
export function kindsOf(seed: number, kinds: readonly Kind[]): Kind[] {
  const always: Kind[] = ["callbacks remembered", "swaps"];
  const chance = kinds.filter((kind) => !always.includes(kind)).length === 1 ? 1 : 0.25;
  const rolled = kinds.filter(
    (kind) => always.includes(kind) || Dice.of(seed, `has ${kind}`).chance(chance),
  );
  const masked: Kind[] = kinds.includes("masks with more") ? [] : ["masks"];
  const without: Partial<Record<Kind, Kind[]>> = {
    zones: ["zones left out", "zones glued", "quantities", ...masked],
    "zones left out": ["zones glued", "quantities", ...masked],
    "zones glued": ["masks", "masks with more", "quantities"],
    masks: ["quantities", ...(kinds.includes("masks with more") ? [] : MORE)],
    namesakes: ["prices", "renames"],
    "by last change": ["by shown"],
    quantities: ["masks", "masks with more"],
  };
  if (rolled.includes("masks with more") && !rolled.includes("masks")) rolled.push("masks");
  const had: Kind[] = [];
  const isWithout = (one: Kind, other: Kind) => without[one]?.includes(other) ?? false;
  // From either end by turns: what comes last would else be crowded out by what it cannot stand beside.
  for (const kind of seed % 2 === 0 ? rolled : rolled.toReversed())
    if (!had.some((one) => isWithout(one, kind) || isWithout(kind, one))) had.push(kind);
  return had;
}

/** What tells of a blacked out target whose it is. */
const MORE: Kind[] = ["namesakes", "prices", "renames"];

export function episodeOf(seed: number, wanted: readonly Kind[]): Episode {
  const kinds = kindsOf(seed, wanted);
  const dice = Dice.of(seed, "episode");
  const callbacks: Callback[] = [];
  const shelf = shelfOf(seed, kinds);
  const world = { seed, kinds, shelf, callbacks };
  const orders = doubtsOf(dice, world);
  const sales = salesOf(dice, world);
  const from = dice.between(0, 10) * MINUTE;
  const minutes = dice.pick([0, dice.between(5, 20), dice.between(20, 40)]);
  const down = { from, until: from + minutes * MINUTE };
  if (dice.chance(0.1)) callbacks.push({ trxid: `NOBODY${seed}`, at: dice.between(0, HOUR) });
  const past = [...pastOf(dice, world, orders), ...likesPast(world, orders)];
  if (kinds.includes("by shown")) showInOrder(kinds, orders, sales);
  const whole = { ...world, orders, sales, past, down, cut: cutOf(seed, kinds) };
  return { ...whole, words: wordsOf(seed, kinds, orders), looks: looksOf(whole) };
}

/**
 * What was over before an order's attempt never shows after its purchase: that would be the third case of the head. Nor does
 * a list with its oldest first show two sales the other way round: it would tell of the wrong order.
 */
function showInOrder(kinds: readonly Kind[], orders: readonly Order[], sales: readonly Order[]) {
  const shown = kinds.includes("oldest first") ? [...orders, ...sales] : [...orders];
  const latestFirst = shown.sort((a, b) => b.triedAt - a.triedAt);
  for (const { triedAt, purchase } of latestFirst)
    for (const other of [...orders, ...sales])
      if (purchase && other.purchase && other.purchase.madeAt < triedAt)
        other.purchase.listedAt = Math.max(
          other.purchase.madeAt,
          Math.min(other.purchase.listedAt, purchase.listedAt),
        );
}

function cutOf(seed: number, kinds: readonly Kind[]): Episode["cut"] {
  const dice = Dice.of(seed, "cut");
  if (!kinds.includes("cut lists")) return { from: 0, until: 0, length: 0 };
  const from = dice.between(-60, 120) * MINUTE;
  return { from, until: from + dice.between(10, 1_800) * MINUTE, length: dice.between(2, 5) };
}

function wordsOf(seed: number, kinds: readonly Kind[], orders: readonly Order[]) {
  const dice = Dice.of(seed, "words");
  if (!kinds.includes("a person's word")) return [];
  const picked = orders[dice.between(0, orders.length - 1)];
  return picked ? [{ order: picked, at: dice.between(60, 2_400) * MINUTE }] : [];
}
