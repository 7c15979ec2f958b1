import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import type { TargetKind } from "../tables/catalogue.ts";

/** What an order was placed for; `targetKind` is what its service took then. */
export interface Aim {
  family: SupplierFamily;
  target: string;
  targetKind: TargetKind | null;
  zone?: string | null;
}

/**
 * Whether the supplier's purchase is for the order's target: letter by letter, but for the case of a host or of an
 * account's name; only where a phone number was ordered for may it have another country code or grouping. As SQL function
 * `topup_is_for`.
 */
export function isSameTarget({ family, target, targetKind }: Aim, theirs: string): boolean {
  if (exact(family, theirs) === exact(family, target)) return true;
  return targetKind === "phone" && nationalPhone(theirs) === target;
}

/**
 * Whether a purchase that is known to be the order's shows its target blacked out ("0812****7890"), or a number with words
 * around it: then it says nothing else. As SQL function `topup_may_mean`, which also knows names and links that are complete.
 */
export function isBlackedOut({ family, target, targetKind, zone }: Aim, theirs: string): boolean {
  const words = plainWords(theirs);
  const mine = plainWords(target);
  const ours = plainZone(zone ?? "").replace(/[^\p{L}\p{N}]/gu, "");
  if (!/[\p{L}\p{N}]/u.test(words)) return true;
  if (!/^\+?[\d .-]*\d[\d .-]*$/.test(mine)) return isHiddenName(words, mine, ours);
  const isDialled = ours === "" && (family === "prepaid" || (targetKind ?? "phone") === "phone");
  return isHiddenNumber(words, mine.replace(/\D/g, ""), isDialled, ours);
}

/** As SQL function `topup_fits_number`. */
function isHiddenNumber(words: string, digits: string, isDialled: boolean, zone: string): boolean {
  const hidden = words
    .slice(0, 200)
    .replace(/\.{2,}|-{2,}|#{2,}|_{2,}|~{2,}|\?{2,}|={2,}/g, "**")
    .replace(/(?<=[\d*])x+(?=[\d*])|(?<!\p{L})x{2,}(?!\p{L})/gu, "**")
    .replace(/[[({](\*+)[\])}]/g, "$1");
  if (!/\d/.test(zone === "" ? hidden : hidden.replace(standing(zone), "$1$2"))) {
    return /(?:^|[^\p{L}*])\*{2,}(?:$|[^\p{L}*])/u.test(hidden);
  }
  const national = digits.replace(/^(?:62|0+)/, "") || digits;
  const spellings = isDialled
    ? [digits, ...DIALLED.map((prefix) => prefix + national)]
    : [digits, digits + zone, `${digits}0${zone}`];
  const cuts = isDialled ? [/[^\d*+ .()-]+/] : [/[^\d* .-]+/, /[^\d*.-]+/];
  const parts = cuts.flatMap((cut) => hidden.replace(/(\*[ .-]*)\(/g, "$1[").split(cut));
  return parts.some(
    (part) =>
      /\d/.test(part) &&
      joinedPieces(part).some(
        ([before, joined, behind]) =>
          fitsAny(joined, spellings) &&
          !tellsOtherZone(
            hidden.replace(part, () => ` ${before} § ${behind} `),
            zone,
          ),
      ),
  );
}

const DIALLED = ["", "0", "62", "620", "062", "0062", "00620", "6262"];

/** Numbers are divided as one likes, but at what is blacked out they go on. */
function joinedPieces(part: string): [before: string, joined: string, behind: string][] {
  const pieces = part
    .replace(/[+ .()-]*\*[*+ .()-]*/g, "*")
    .split(/[+ .()-]+/)
    .filter((piece) => piece !== "");
  return pieces.flatMap((_, from) =>
    pieces
      .slice(from)
      .map((_, more): [string, string, string] => [
        pieces.slice(0, from).join(" "),
        pieces.slice(from, from + more + 1).join(""),
        pieces.slice(from + more + 1).join(" "),
      ]),
  );
}

/** As SQL function `topup_hides_any`. */
function isHiddenName(words: string, mine: string, zone: string): boolean {
  const hidden = mine.includes("..") ? words : words.replace(/\.{2,}/g, "**");
  const link = bareLink(mine);
  const path = pathOf(link);
  const [, name = "", ...more] = path.split("/");
  // What a query names is no part of its path.
  const isNamedByQuery = /(?:\/watch|\.php)$/.test(path);
  const accounts = link.includes("/") ? (more.length > 0 || isNamedByQuery ? [] : [name]) : [link];
  const spellings = isNamedByQuery ? [link] : [link, path, ...accounts];
  const cut = mine.includes(" ") ? /[\][(){}<>"|,;]+/ : /[\][\s(){}<>"'|,;]+|:(?!\/\/)/;
  return hidden.split(cut).some((word) => {
    if (!word.includes("*") || !/[\p{L}\p{N}]/u.test(word)) return false;
    const part = bareLink(word.trim());
    const theirs = pathOf(part);
    return (
      (fitsAny(part, spellings) ||
        fitsAny(theirs, spellings) ||
        fitsAny(theirs.replace(/^[^/]*[.*][^/]*\/@?/, ""), accounts)) &&
      !tellsOtherZone(
        hidden.replace(part, () => "§"),
        zone,
      )
    );
  });
}

const bareLink = (link: string) =>
  link.replace(/^(?:https?:\/\/)?(?:www\.|m\.|mobile\.)?@?/, "").replace(/\/+$/, "");

const pathOf = (link: string) => (link.includes("/") ? link.replace(/[?#].*$/, "") : link);

/** As SQL function `topup_fits_any`. */
function fitsAny(hidden: string, spellings: readonly string[]): boolean {
  const [head = "", ...shown] = hidden.split(/\*+/);
  const tail = shown.pop();
  if (tail === undefined) return spellings.includes(hidden);
  return spellings.some(
    (spelling) =>
      spelling.startsWith(head) &&
      spelling.endsWith(tail) &&
      standInTurn(
        shown,
        spelling.slice(head.length, Math.max(head.length, spelling.length - tail.length)),
      ),
  );
}

/** One pass: buyers choose how many stars a link has, and a pattern of so many gaps would be tried out for ever. */
function standInTurn(parts: readonly string[], text: string): boolean {
  let from = 0;
  return parts.every((part) => {
    const found = text.indexOf(part, from);
    from = found + part.length;
    return found >= 0;
  });
}

/** As SQL function `topup_tells_other_zone`. */
function tellsOtherZone(words: string, zone: string): boolean {
  if (!/^\d+$/.test(zone) || standing(zone).test(words)) return false;
  const told =
    /§[^\p{L}\p{N}([{<]*[([{<]\s*([\d*]+)\s*[\])}>]/u.exec(words) ??
    /§[^\p{L}\p{N}]+(\d[\d*]+)\s*(?:$|[^\p{L}\p{N}\s])/u.exec(words) ??
    /\b(?:zone|zona|server|srv)(?:\s?id)?[^\p{L}\p{N}*]*([\d*]*\d[\d*]*)/u.exec(words);
  return told?.[1] !== undefined && !fitsAny(told[1].replace(/^0+/, ""), [zone]);
}

const standing = (zone: string) => new RegExp(`(^|\\D)0*${zone}($|\\D)`);

/** Zeros before a number tell nothing, nor do the case of letters and the number of blanks. As SQL function `topup_plain_zone`. */
export const plainZone = (zone: string) =>
  zone
    .trim()
    .replace(/\s+/g, " ")
    .toLowerCase()
    .replace(/^0+(?=\d+$)/, "");

function exact(family: SupplierFamily, target: string): string {
  const plain = target.trim();
  if (family !== "social") return plain;
  const host = /^https?:\/\/[^/?#]*/i.exec(plain)?.[0];
  return host === undefined ? plain.toLowerCase() : host.toLowerCase() + plain.slice(host.length);
}

/** "+62 812-…", "62812…", "812…" as "0812…"; what is no number stays. */
const nationalPhone = (number: string) =>
  /^\+?[\d .()-]+$/.test(number.trim())
    ? number.replace(/\D/g, "").replace(/^(?:62|0+)?/, "0")
    : number;

/** As SQL function `topup_plain_words`. */
function plainWords(words: string): string {
  return words
    .replace(/&(?:amp;)+/gi, "&")
    .replace(BLOTS_IN_HTML, "*")
    .replace(/&(?:#0*47|#x0*2f|sol);/gi, "/")
    .replace(/&(?:#\d+|#x[\da-f]+|[a-z]+);/gi, " ")
    .replace(UNSEEN, "")
    .replace(BLOTS, "*")
    .normalize("NFKC")
    .replace(/[٠-٩]/g, (digit) => `${digit.charCodeAt(0) - 0x660}`)
    .replace(/[۰-۹]/g, (digit) => `${digit.charCodeAt(0) - 0x6f0}`)
    .replace(/[‐‒–—―−]/g, "-")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase();
}

const BLOTS_IN_HTML =
  /&(?:#0*(?:42|183|8226|8230|9679)|#x0*(?:2a|b7|2022|2026|25cf)|ast|middot|bull|hellip);/gi;
const BLOTS = /[•·…‥⋯●○◦∙⋅・･‧⁎∗✱✲✳★☆■□▪▫█▓▒░◼◻⬤⚫⚪◉×✕✖❌]/gu;
const UNSEEN =
  /\u00ad|\u034f|\u061c|\u180e|[\u200b-\u200f\u202a-\u202e\u2060-\u206f]|[\ufe00-\ufe0f]|\ufeff/g;
