import { type Family, HOUR, type Kind, MINUTE, type Service, type Shelf } from "./episode.ts";
import { Dice } from "./episode-dice.ts";

export const codeOf = (seed: number, service: Service) => `EPISODE-${seed}-${service}`;

export function shelfOf(seed: number, kinds: readonly Kind[]): Shelf {
  const dice = Dice.of(seed, "shelf");
  const has = (...some: Kind[]) => some.some((kind) => kinds.includes(kind));
  const family = familyOf(dice, has);
  const own = { A: `Uji ${codeOf(seed, "A")}`, B: `Uji ${codeOf(seed, "B")}` };
  const B = dice.pick([10_000, 10_300]);
  const names = [{ at: -Infinity, ...own, ...(has("namesakes") && { B: own.A }) }];
  const prices = [{ at: -Infinity, A: 10_000, B }];
  const syncs = [-Infinity];
  if (has("prices")) {
    const at = dice.between(1, 40) * MINUTE;
    prices.push({ at, A: 10_000 + dice.pick([300, -300]), B });
    syncs.push(at);
  }
  if (has("renames")) {
    const at = dice.between(-30, 90) * MINUTE;
    names.push({ at, A: `${own.A} baru`, B: own.B });
    syncs.push(at + dice.between(0, 119) * MINUTE);
  }
  if (has("namesakes")) syncs.push(...[1, 2, 3].map((n) => n * HOUR + dice.between(0, 600_000)));
  return { family, names, prices, syncs: syncs.sort((a, b) => a - b) };
}

function familyOf(dice: Dice, has: (...some: Kind[]) => boolean): Family {
  if (has("zones", "zones left out", "zones glued")) return "game";
  if (has("quantities")) return "social";
  if (has("namesakes", "renames")) return has("masks") ? "game" : dice.pick(["game", "social"]);
  return dice.pick(["prepaid", "game"]);
}

/** The last of these that holds then. */
export const heldAt = <T extends { at: number }>(held: readonly T[], at: number): T | undefined =>
  held.findLast((one) => one.at <= at);

/** What the supplier takes for so much then: of social goods the price is that of 1,000. */
export function priceAt({ prices, family }: Shelf, service: Service, quantity: number, at: number) {
  const price = heldAt(prices, at)?.[service] ?? 0;
  return family === "social" ? Math.ceil((price * 10 * quantity) / 1_000) : price;
}
