import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { testContext } from "../../testing/api.ts";
import type { TargetKind } from "../tables/catalogue.ts";
import { Dice } from "../testing/episode-dice.ts";
import { isBlackedOut } from "./targets.ts";

interface Aim {
  family: SupplierFamily;
  targetKind: TargetKind | null;
  target: string;
  zone?: string;
}

const phone: Aim = { family: "prepaid", targetKind: "phone", target: "081234567890" };
const meter: Aim = { ...phone, targetKind: "customer_number", target: "12345678" };
const zeros: Aim = { ...meter, target: "0012345" };
const game = { family: "game", targetKind: "game_id" } as const;
const zoned: Aim = { ...game, target: "12345678", zone: "2001" };
const zoneless: Aim = { ...game, target: "12345678" };
const asian: Aim = { ...zoned, zone: "os_asia" };
const long: Aim = { ...zoned, target: "6212345978" };
const named: Aim = { ...game, target: "Budi S#1D4" };
const social = { family: "social", targetKind: "link" } as const;
const account: Aim = { ...social, target: "@toko.kita" };
const numbered: Aim = { ...social, target: "https://instagram.com/p/1234567890123" };
const budi: Aim = { ...social, target: "https://instagram.com/budi" };
const post: Aim = { ...social, target: "https://instagram.com/p/AbCdEfGh" };
const video: Aim = { ...social, target: "https://www.youtube.com/watch?v=dQw4w9WgXcQ" };
const shared: Aim = { ...social, target: "https://youtu.be/dQw4w9WgXcQ?si=AbC" };
const word: Aim = { ...social, target: "https://x.com/toko/status/12345?s=20" };
const query: Aim = { ...social, target: "https://youtu.be/x?a=1&b=2" };
/** Ordered before kinds of targets were kept. */
const old: Aim = { ...zoned, targetKind: null };

/** Whether the supplier may mean each of these, by the SQL function. */
async function mayMean(pairs: (readonly [Aim, string])[]): Promise<boolean[]> {
  const input = pairs.map(([{ targetKind, ...aim }, theirs]) => ({
    o: { ...aim, target_kind: targetKind },
    theirs,
  }));
  const found = await testContext().db.run(
    rows(
      sql`select topup_may_mean(jsonb_populate_record(null::topup_orders, e.pair->'o'), e.pair->>'theirs') as may
        from jsonb_array_elements(${JSON.stringify(input)}::jsonb) with ordinality e(pair, n) order by e.n`,
      z.object({ may: z.boolean() }),
    ),
  );
  return found.map(({ may }) => may);
}

const answerFor = async (aim: Aim, theirs: string) => (await mayMean([[aim, theirs]]))[0];

const MEANT: [Aim, string][] = [
  [phone, "0812****7890"],
  [phone, "62812****7890"],
  [phone, "0812xxxx7890"],
  [phone, "0812####7890"],
  [phone, "6281234567890 / BUDI"],
  [phone, "0812-3456-7890 / BUDI"],
  [phone, "81234567890"],
  [phone, "62081234567890"],
  [{ ...phone, targetKind: "customer_number" }, "6281234567890"],
  [phone, "006281234567890"],
  [phone, "0812****7890 / BUDI"],
  [phone, "BUDI - 0812****7890"],
  [phone, "No. 0812****7890"],
  [phone, `"0812****7890"`],
  [phone, "<b>0812****7890</b>"],
  [phone, "620812****7890"],
  [phone, "+62 0812****7890"],
  [phone, "+62 (0)812-3456-7890"],
  [phone, "(0812) ****7890"],
  [phone, "(+62) 812-****-7890 (BUDI)"],
  [phone, "0062812****7890"],
  [phone, "6262812****7890"],
  [phone, "6**********90"],
  [phone, "+62 812-****-7890"],
  [phone, "0812 **** 7890"],
  [phone, "+62 812 34** **90"],
  [phone, "0812...7890"],
  [phone, "0812---7890"],
  [phone, "0812____7890"],
  [phone, "0812????7890"],
  [phone, "08123xxxxx90 (BUDI)"],
  [phone, "0812-XXXX-7890"],
  [phone, "xxx890"],
  [phone, "0812[****]7890"],
  [phone, "0812(xxxx)7890"],
  [phone, "****7890"],
  [phone, "08**********"],
  [phone, "0812345..."],
  [phone, "0812**7890"],
  [phone, "0812*7890"],
  [phone, "0812****7890 (2)"],
  [phone, "0812****7890 1x"],
  [phone, "0812\u{ff0a}\u{ff0a}\u{ff0a}\u{ff0a}7890"],
  [phone, "0812••••7890"],
  [phone, "0812\u{25cf}\u{25cf}\u{25cf}\u{25cf}7890"],
  [phone, "0812…7890"],
  [phone, "0812····7890"],
  [phone, "0812&bull;&bull;&bull;7890"],
  [phone, "0812&#42;&#42;&#42;7890"],
  [phone, "0812&hellip;7890"],
  [phone, "\u{200b}0812\u{2060}****7890\u{feff}"],
  [phone, "0812\u{a0}3456\u{a0}7890\u{a0}BUDI"],
  [phone, "0812&nbsp;3456&nbsp;7890"],
  [phone, "0812\u{2013}3456\u{2013}7890 / BUDI"],
  [phone, "\u{ff10}\u{ff18}\u{ff11}\u{ff12}****\u{ff17}\u{ff18}\u{ff19}\u{ff10}"],
  [phone, "\u{660}\u{668}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}\u{669}\u{660}"],
  [phone, "************"],
  [phone, "xxxxxxxx"],
  [phone, "-"],
  [phone, ""],
  [meter, "6212345678"],
  [zeros, "12345"],
  [zeros, "00****45"],
  [zoned, "1234**** (2001)"],
  [zoned, "ID1234****"],
  [zoned, "1234****"],
  [zoned, "1234****2001"],
  [zoned, "1234****78 2001"],
  [zoned, "12345678(2001)"],
  [zoned, "12345678 (2001)"],
  [zoned, "12345678 / 2001"],
  [zoned, "12345678·2001"],
  [zoned, "123456782001"],
  [zoned, "****5678 (2001)"],
  [zoned, "1234**** (20**)"],
  [zoned, "12345678 (****)"],
  [zoned, "**** (2001)"],
  [zoned, "1234****5678"],
  [zoned, "12345678 86 Diamonds"],
  [zoned, "12345678 (2001) BUDI99"],
  [zoned, "Zone 2001 ID 1234****"],
  [zoned, "12345678 (BUDI)"],
  [old, "1234**** (2001)"],
  [old, "123456782001"],
  [{ ...game, target: "123456" }, "1234****3456"],
  [zoneless, "12345678 (2001)"],
  [zoneless, "12345678-2001"],
  [zoneless, "1234**** (2001)"],
  [zoneless, "1234**** 2001"],
  [zoneless, "ID12345678"],
  [asian, "12345678 (Asia)"],
  [asian, "1234****_os_asia"],
  [long, "6*******78"],
  [long, "6212****78 (2001)"],
  [named, "Bu** S#1D4"],
  [named, "Budi S#1D4 (Budi)"],
  [named, "Budi ****"],
  [account, "tok***"],
  [account, "@tok***"],
  [account, "@Toko.Kita"],
  [account, "https://instagram.com/toko.kita"],
  [account, "https://instagram.com/tok***"],
  [account, "https://www.tiktok.com/@tok***"],
  [account, "…instagram.com/toko.k***/"],
  [account, "@tok*** (Toko Kita)"],
  [account, "IG:tok***"],
  [account, "t*******a"],
  [account, "toko••••"],
  [account, "****kita"],
  [account, "@****kita"],
  [account, "https://instagram.com/****kita"],
  [account, "toko.ki..."],
  [account, "https://instagram.com/****"],
  [numbered, "https://instagram.com/p/123456****"],
  [budi, "www.instagram.com/budi/?hl=id"],
  [{ ...social, target: "https://facebook.com/budi" }, "www.facebook.com/budi/?hl=id"],
  [{ ...social, target: "https://facebook.com/budi" }, "https://m.facebook.com/budi"],
  [budi, "@budi"],
  [budi, "IG: @budi / Toko Budi"],
  [budi, "bu**"],
  [budi, "budi****budi"],
  [post, "https://instagram.com/p/AbCd***?hl=id"],
  [post, "https://instagram.com/p/abcd***"],
  [post, "https://instagram.com/p/AbCd..."],
  [post, "https://instagram.com/p/AbCdEfGh?igsh=abc***"],
  [post, "https://instagram.com/p/abcdefgh"],
  [post, "https://www.instagram.com/reel/AbCdEfGh/"],
  [{ ...post, target: `${post.target}?igsh=1` }, "instagram.com/p/AbCd***"],
  [{ ...post, target: `${post.target}?igsh=MzRlODBiNWFlZA` }, `${post.target}?igsh=MzRlODB`],
  [video, "https://youtu.be/dQw4w9WgXcQ"],
  [video, "https://www.youtube.com/watch?v=dQw4***"],
  [shared, "https://www.youtube.com/watch?v=dQw4w9WgXcQ"],
  [word, "https://twitter.com/toko/status/12345"],
  [query, "https://youtu.be/x?a=1&amp;b=2"],
  [{ ...social, target: "_maria" }, "@_maria"],
  [{ ...social, target: "_maria" }, "https://instagram.com/_maria"],
  [{ ...social, target: "https://instagram.com/_maria" }, "_maria"],
];

const OTHERS: [Aim, string][] = [
  [phone, "0813****7890"],
  [phone, "0812****7891"],
  [phone, "0812****78901"],
  [phone, "0812-****-7891"],
  [phone, "0812 **** 7891"],
  [phone, "0813 ****7890"],
  [phone, "620813****7890"],
  [phone, "0812...7891"],
  [phone, "0812xxxx7891 (BUDI)"],
  [phone, "081299998888 / ****"],
  [phone, "081299998888 ****"],
  [phone, "0812345678901 / BUDI"],
  [phone, "081234567891"],
  [phone, "08123456789"],
  [phone, "6281234567891 (BUDI)"],
  [phone, "@tok***"],
  [phone, "BUDI"],
  [meter, "612345678"],
  [meter, "1234567899"],
  [meter, "9912345678"],
  [meter, "1234**** 99"],
  [{ ...zeros, ...game }, "12345"],
  [zoned, "12345678 (2002)"],
  [zoned, "12345678(2002)"],
  [zoned, "12345678-2002"],
  [zoned, "12345678 / 2002 / BUDI"],
  [zoned, "123456782002"],
  [zoned, "1234**** (2002)"],
  [zoned, "1234****(2002)"],
  [zoned, "1234****2002"],
  [zoned, "1234**** 2002"],
  [zoned, "1234****78 2002"],
  [zoned, "1234**** (21**)"],
  [zoned, "**** (2002)"],
  [zoned, "12345678 zone 2002"],
  [zoned, "Server: 2002, ID: 12345678"],
  [zoned, "1235**** (2001)"],
  [zoned, "12345679 (2001)"],
  [zoned, "1234567 (2001)"],
  [old, "12345678 (2002)"],
  [old, "1234**** (2002)"],
  [zoneless, "1234567899"],
  [zoneless, "9912345678"],
  [zoneless, "1234567"],
  [zoneless, "6212****"],
  [long, "12345978"],
  [long, "1*****78"],
  [named, "Bu** S#1D5"],
  [named, "Budi S#1D5"],
  [named, "Bu*****#1D5"],
  [{ ...named, zone: "2001" }, "Budi S#1D4 (2002)"],
  [account, "xyz***"],
  [account, "https://instagram.com/xyz***"],
  [account, "https://instagram.com/toko***n"],
  [account, "tok___"],
  [account, "@toko.kita2"],
  [account, "081234****90"],
  [budi, "https://instagram.com/budi.santoso"],
  [budi, "@budi_2"],
  [{ ...social, target: "https://instagram.com/budi.santoso" }, "@budi"],
  [{ ...social, target: "https://instagram.com/maria" }, "https://instagram.com/maxx"],
  [{ ...social, target: "maria" }, "https://instagram.com/anna_maria"],
  [post, "https://instagram.com/p/AbCe***?hl=id"],
  [post, "https://instagram.com/p/AbCdEfGhI"],
  [post, "https://instagram.com/p/x***?igsh=abcdefgh"],
  [post, "https://instagram.com/p/AbCdEf"],
  [video, "https://www.youtube.com/watch?v=dQw5***"],
  [shared, "https://www.youtube.com/watch?v=dQw4w9WgXcR"],
  [video, "https://youtu.be/aQw4w9WgXcQ"],
  [{ ...social, target: "https://x.com/foab" }, "https://x.com/foxx"],
];

const isNumber = ({ target }: Aim) => /^\d+$/.test(target);
const IS_HIDDEN = /[*•…]|\.\.\./;

it.each(MEANT)("for %o the supplier may mean it by %s", async (aim, theirs) => {
  expect(await answerFor(aim, theirs)).toBe(true);
  // Names and links that are complete the Worker compares by itself (isSameTarget).
  if (isNumber(aim) || IS_HIDDEN.test(theirs)) expect(isBlackedOut(aim, theirs)).toBe(true);
});

it.each(OTHERS)("for %o the supplier means another by %s", async (aim, theirs) => {
  expect(await answerFor(aim, theirs)).toBe(false);
  expect(isBlackedOut(aim, theirs)).toBe(false);
});

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
    { ...zoneless, target: digits(dice.between(8, 12)) },
    { ...social, target: `@${letters(5)}.${letters(4)}` },
    { ...social, target: `https://instagram.com/p/${letters(11)}` },
  ]);
}

/** What is shown before, what stands for the rest, and what is shown behind: at least four signs in all. */
function hiddenBy(dice: Dice, target: string): [head: string, mask: string, tail: string] {
  const from = dice.pick([target.length - dice.between(1, 4), target.length - 6]);
  const until = dice.pick([target.length, from + 2, from + 1]);
  const signs = isNumber({ ...phone, target })
    ? ["*", "•", "·", "x", "#", ".", "_"]
    : ["*", "•", "·"];
  const sign = signs[dice.between(0, signs.length - 1)] ?? "*";
  return [target.slice(0, from), sign.repeat(dice.between(2, 6)), target.slice(until)];
}

const changed = (shown: string) =>
  shown.slice(0, -1) + (/\d$/.test(shown) ? (Number(shown.at(-1)) + 1) % 10 : "z");

it("blacked out at any place, by any sign, with anything around it: SQL and the Worker know it again, and no other", async () => {
  const dice = new Dice(7);
  const shown = Array.from({ length: 1_000 }, () => shownBy(dice));
  const means = await mayMean(shown.map(({ aim, theirs }) => [aim, theirs]));
  const strays = await mayMean(shown.map(({ aim, others }) => [aim, others]));
  expect(shown.filter((_, n) => !means[n])).toEqual([]);
  expect(shown.filter(({ aim, theirs }) => !isBlackedOut(aim, theirs))).toEqual([]);
  expect(shown.filter((_, n) => strays[n])).toEqual([]);
  expect(shown.filter(({ aim, others }) => isBlackedOut(aim, others))).toEqual([]);
});

it("a text of any length is looked through at once", async () => {
  const theirs = "9 9* ".repeat(2_000);
  expect(await mayMean([phone, zoned, account].map((aim) => [aim, theirs]))).toEqual([
    false,
    false,
    false,
  ]);
  expect(isBlackedOut(phone, theirs)).toBe(false);
});
