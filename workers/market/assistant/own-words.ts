/** A change that a message says by itself: which field of the product that these words name becomes what. */
export interface OwnWords {
  field: "price" | "stock";
  figure: number;
  /** What is left of the message: all of it must be of the product's name. */
  words: string[];
}

const LONGEST = 120;
const SHAPE =
  /^(?<said>[\p{L}\p{N} '&()/-]+?) (?:rp\.? ?)?(?<digits>\d{1,3}(?:\.\d{3})+|\d{1,9}) ?(?<scale>rb|ribu|jt|juta)?(?: (?:rupiah|ya|saja|buah|pcs|please))*[.!]?$/iu;
const SCALES: Record<string, number> = { rb: 1e3, ribu: 1e3, jt: 1e6, juta: 1e6 };
const words = (list: string) => new Set(list.split(" "));
const PRICE = words("harga harganya price");
const STOCK = words("stok stoknya stock");
const FILLERS = words(
  "tolong mohon coba ubah ganti atur set jadikan naikkan turunkan perbarui tambah jadi menjadi ke saya produk dong please change make update raise lower the of to for my product",
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
  const left = tokens.filter((token) => ![PRICE, STOCK, FILLERS].some((set) => set.has(token)));
  if (left.length === 0) return null;
  const figure = Number(digits.replaceAll(".", "")) * (SCALES[scale?.toLowerCase() ?? ""] ?? 1);
  return { field: isPrice ? "price" : "stock", figure, words: left };
}

const shapeOf = (message: string): Record<string, string | undefined> =>
  message.length > LONGEST ? {} : (SHAPE.exec(message.trim())?.groups ?? {});
