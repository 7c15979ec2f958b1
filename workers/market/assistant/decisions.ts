/** What a message says about open proposals. `codes` is empty where it names none. */
export type Decision =
  | { kind: "confirm"; codes: string[]; all: boolean }
  | { kind: "cancel"; codes: string[]; all: boolean }
  | { kind: "none" };

const NONE: Decision = { kind: "none" };
const LONGEST = 80;
const words = (list: string) => new Set(list.split(" "));

const YES = words("ya iya yes ok oke okay setuju konfirmasi confirm lanjut lanjutkan");
const NO = words("tidak tak gak nggak enggak batal batalkan jangan no cancel stop");
const ALL = words("semua semuanya all");
const FILLERS = words("saya tolong dan kode dulu usah silakan benar boleh kan itu please");
/** As `newCode` makes them: told apart from words by their digit. */
const CODE = /^(?=.*\d)[0-9A-HJKMNP-TV-Z]{4}$/;

/**
 * Reads a yes or a no out of a message that says nothing else. It is the user's own message and no model reads it here:
 * "ya, lalu buat promo" is a wish, not a yes.
 */
export function decisionOf(message: string): Decision {
  if (message.length > LONGEST) return NONE;
  const tokens = message
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  const codes = tokens.map((token) => token.toUpperCase()).filter((token) => CODE.test(token));
  const rest = tokens.filter((token) => !CODE.test(token.toUpperCase()));
  const known = rest.every((word) => [YES, NO, ALL, FILLERS].some((set) => set.has(word)));
  if (!known) return NONE;
  const all = rest.some((word) => ALL.has(word));
  if (rest.some((word) => NO.has(word))) return { kind: "cancel", codes, all };
  if (rest.some((word) => YES.has(word))) return { kind: "confirm", codes, all };
  return NONE;
}
