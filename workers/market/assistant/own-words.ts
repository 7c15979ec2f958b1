/** A change that a message says by itself: which field of the product that these words name becomes what. */
export interface OwnWords {
  field: "price" | "stock";
  figure: number;
  /** What is left of the message: all of it must be of the product's name. */
  words: string[];
  /** All of the message's words: where several names hold the rest, the one that is whole among these is meant. */
  all: string[];
}

const LONGEST = 120;
const SHAPE =
  /^(?<said>[\p{L}\p{N} '&()/-]+?) (?:rp\.? ?)?(?<digits>\d{1,3}(?:\.\d{3})+|\d{1,9}) ?(?<scale>rb|ribu|jt|juta)?(?: (?:rupiah|ya|saja|buah|pcs|please))*[.!]?$/iu;
const SCALES: Record<string, number> = { rb: 1e3, ribu: 1e3, jt: 1e6, juta: 1e6 };
const words = (list: string) => new Set(list.split(" "));
const PRICE = words("harga harganya price");
const STOCK = words("stok stoknya stock");
/** Without a word before the figure that says up to where, it is the difference. */
const STEPS = words(
  "naikkan naikin turunkan turunin tambah tambahkan tambahin kurangi kurangin kurangkan raise lower increase decrease reduce",
);
/** The same, but a product may be called so: they stay to be found in its name. */
const DIFFERENCES = words("naik turun kurang potong diskon plus minus min add cut");
/** A hyphen outside a word may be a minus. */
const LOOSE_MARK = /(?<![\p{L}\p{N}])[-/]|[-/](?![\p{L}\p{N}])|[(&]$/u;
const UP_TO = words("jadi menjadi jadikan ke to");
const FILLERS = words(
  "tolong mohon coba ubah ganti atur set perbarui saya produk dong please change make update the of for my product",
);

/**
 * Reads the change of one price or one stock out of a message that says nothing else: there is no room in it for what
 * somebody else wrote. Only that is done without the user's yes (SQL function `market_assistant_said`).
 */
export function ownWordsOf(message: string): OwnWords | null {
  const { said = "", digits = "", scale } = shapeOf(message);
  const tokens = said
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  const isPrice = tokens.some((token) => PRICE.has(token));
  const isStock = tokens.some((token) => STOCK.has(token));
  if (isPrice === isStock) return null;
  const isStep = tokens.some((token) => STEPS.has(token) || DIFFERENCES.has(token));
  if (LOOSE_MARK.test(said)) return null;
  if (isStep && !UP_TO.has(tokens.at(-1) ?? "")) return null;
  const known = [PRICE, STOCK, STEPS, UP_TO, FILLERS];
  const left = tokens.filter((token) => !known.some((set) => set.has(token)));
  if (left.length === 0) return null;
  const figure = Number(digits.replaceAll(".", "")) * (SCALES[scale?.toLowerCase() ?? ""] ?? 1);
  return { field: isPrice ? "price" : "stock", figure, words: left, all: tokens };
}

const shapeOf = (message: string): Record<string, string | undefined> =>
  message.length > LONGEST ? {} : (SHAPE.exec(message.trim())?.groups ?? {});
