import { expect, it } from "vitest";
import { Dice } from "../testing/episode-dice.ts";
import { type Aim, mayMean } from "../testing/words.ts";

const phone: Aim = { family: "prepaid", targetKind: "phone", target: "081234567890" };
const game = { family: "game", targetKind: "game_id" } as const;
const zoned: Aim = { ...game, target: "12345678", zone: "2001" };
const social = { family: "social", targetKind: "link" } as const;

/** A target, a text in which a part of it is blacked out, and one that is another's by a sign that it shows. */
interface Shown {
  aim: Aim;
  theirs: string;
  others: string;
}

function shownBy(dice: Dice): Shown {
  const aim = aimOf(dice);
  const [head, mask, tail] = hiddenBy(dice, aim.target);
  // A sign of the greater part: the first ones may be a country code.
  const other =
    head.length > tail.length ? [changed(head), mask, tail] : [head, mask, changed(tail)];
  const before = aim.family === "prepaid" ? dice.pick(["", "62", "+62 ", "0062", "620"]) : "";
  const spelled = (shown: string) => (before === "" ? shown : before + shown.replace(/^0/, ""));
  const zones = aim.zone === undefined ? [""] : ["", `(${aim.zone})`, ` (${aim.zone})`, aim.zone];
  const zone = dice.pick(["", ...zones]);
  const [front, back] = dice.pick([
    ["", ""],
    ["", " / BUDI"],
    ["BUDI - ", ""],
    ["No. ", " (BUDI)"],
    ['"', '"'],
    ["\u200b", "\u00a0"],
  ]);
  const text = (shown: string, told: string) => `${front}${spelled(shown)}${told}${back}`;
  const isOtherZone = zone !== "" && dice.chance(0.5);
  return {
    aim,
    theirs: text(head + mask + tail, zone),
    others: isOtherZone
      ? text(head + mask + tail, zone.replace(aim.zone ?? "", changed(aim.zone ?? "")))
      : text(other.join(""), zone),
  };
}

function aimOf(dice: Dice): Aim {
  const digits = (count: number) =>
    Array.from({ length: count }, () => dice.between(1, 9)).join("");
  const letters = (count: number) =>
    Array.from({ length: count }, () => String.fromCharCode(dice.between(97, 119))).join("");
  return dice.pick<Aim>([
    { ...phone, target: `08${digits(dice.between(8, 11))}` },
    { ...zoned, target: digits(dice.between(8, 10)), zone: digits(4) },
    { ...game, target: digits(dice.between(8, 12)) },
    { ...social, target: `@${letters(5)}.${letters(4)}` },
    { ...social, target: `https://instagram.com/p/${letters(11)}` },
  ]);
}

/** What is shown before, what stands for the rest, and what is shown behind: at least four signs in all. */
function hiddenBy(dice: Dice, target: string): [head: string, mask: string, tail: string] {
  const from = dice.pick([target.length - dice.between(1, 4), target.length - 6]);
  const until = dice.pick([target.length, from + 2, from + 1]);
  const signs = /^\d+$/.test(target) ? ["*", "•", "·", "x", "#", ".", "_"] : ["*", "•", "·"];
  const sign = signs[dice.between(0, signs.length - 1)] ?? "*";
  return [target.slice(0, from), sign.repeat(dice.between(2, 6)), target.slice(until)];
}

const changed = (shown: string) =>
  shown.slice(0, -1) + (/\d$/.test(shown) ? (Number(shown.at(-1)) + 1) % 10 : "z");

it("blacked out at any place, by any sign, with anything around it: it is known again, and no other", async () => {
  const dice = new Dice(7);
  const shown = Array.from({ length: 1_000 }, () => shownBy(dice));
  const means = await mayMean(shown.map(({ aim, theirs }) => [aim, theirs]));
  const strays = await mayMean(shown.map(({ aim, others }) => [aim, others]));
  expect(shown.filter((_, n) => !means[n])).toEqual([]);
  expect(shown.filter((_, n) => strays[n])).toEqual([]);
});

it("a text of any length is looked through at once", async () => {
  const theirs = "9 9* ".repeat(2_000);
  expect(
    await mayMean([phone, zoned, { ...social, target: "@toko.kita" }].map((aim) => [aim, theirs])),
  ).toEqual([false, false, false]);
});
