import { z } from "zod";
import { amountIdr, clean, code, count, text } from "./fields.ts";
import { badAnswer, ENDPOINTS, field, type Line, refusedRead } from "./line.ts";
import { streamRows } from "./price-list.ts";
import { refusalOf } from "./refusals.ts";

/** The supplier's three catalogues, each behind an endpoint of its own. */
export type SupplierFamily = "prepaid" | "game" | "social";
export const SUPPLIER_FAMILIES = ["prepaid", "game", "social"] as const;

export type AccountLevel = "basic" | "premium" | "special";
/** Per unit, for social services per 1,000; whole rupiah, rounded up. */
export type LevelPrices = Record<AccountLevel, number>;

/** One row of a price list, alike for all families. */
export interface SupplierService {
  family: SupplierFamily;
  code: string;
  name: string;
  /** Operator (prepaid), game, or the category of a social service. */
  brand: string;
  category: string;
  /** `pulsa-reguler`, `paket-internet`, …; `game` and `social` elsewhere. */
  type: string;
  note: string;
  priceIdr: LevelPrices;
  /** Social only; null where the list names none. */
  min: number | null;
  max: number | null;
  status: "available" | "empty";
  /** Games: by which of its routes the supplier delivers; it says nothing about the player's zone. */
  server: string | null;
  /** Prepaid: whether the same number may be served again on the same day. */
  multiTrx: boolean | null;
  /** Prepaid's list: whether it is a bill, whose price is known only after an inquiry. */
  postpaid?: boolean;
  /** Prepaid: daily maintenance, "HH:mm - HH:mm". */
  maintenance: string | null;
}

export interface ServiceStock {
  code: string;
  name: string;
  stock: number;
  status: "available" | "empty";
}

/** One that is not told is empty; one that cannot be read is no reason to believe the others of its row. */
const price = z.preprocess((told) => (told === "" ? null : told), amountIdr.nullish());
const NO_PRICE = "no price";

const Prices = z
  .object({ basic: price, premium: price, special: price })
  .transform(({ basic, premium, special }, issues): LevelPrices => {
    const known = [basic, premium, special].filter((price) => price != null && price > 0);
    if (known.length === 0) issues.addIssue({ code: "custom", message: NO_PRICE });
    // A price that is not told is taken for the dearest one that is.
    const dearest = Math.max(0, ...known.map(Number));
    return { basic: basic || dearest, premium: premium || dearest, special: special || dearest };
  });

/** What we pay at an account level; the dearest price where the level is not known. */
export function priceAt(prices: LevelPrices, level: AccountLevel | null): number {
  return level ? prices[level] : Math.max(prices.basic, prices.premium, prices.special);
}

/** `gangguan` and every word that is not `available` means that it cannot be bought now. */
const Status = text.transform((word) =>
  word.toLowerCase() === "available" ? "available" : "empty",
);

const flag = z
  .union([z.boolean(), z.number(), z.string()])
  .nullish()
  .catch(null)
  .transform((value) => {
    const word = String(value ?? "")
      .trim()
      .toLowerCase();
    if (["1", "true", "yes", "ya"].includes(word)) return true;
    return ["0", "false", "no", "tidak"].includes(word) ? false : null;
  });

const name = text.pipe(z.string().min(1)).transform((value) => clean(value, 300));
const label = text.transform((value) => clean(value, 200));
const common = { name, price: Prices, status: Status, note: text };
const none = { min: null, max: null, server: null, multiTrx: null, maintenance: null };
/** Daily hours as people write them: "23:30 - 00:30", "23.30-0.30 WIB". */
const WINDOW =
  /^\s*([01]?\d|2[0-3])[:.]([0-5]\d)\s*(?:-|–|s\/d)\s*([01]?\d|2[0-3])[:.]([0-5]\d)\s*(?:WIB)?\s*$/i;

/** As "HH:mm - HH:mm", or null. */
function windowOf(value: string): string | null {
  const [, openHour, openMinute, closeHour, closeMinute] = WINDOW.exec(value) ?? [];
  if (openHour === undefined || closeHour === undefined) return null;
  return `${openHour.padStart(2, "0")}:${openMinute} - ${closeHour.padStart(2, "0")}:${closeMinute}`;
}

const GameRow = z
  .object({ code, game: label, server: label, ...common })
  .transform(({ price: priceIdr, game, server, ...row }): SupplierService => {
    const fixed = { family: "game", category: game, type: "game" } as const;
    return { ...none, ...row, ...fixed, brand: game, priceIdr, server: server || null };
  });

const PrepaidRow = z
  .object({
    code,
    brand: label,
    category: label,
    type: label,
    multi_trx: flag,
    prepost: text,
    // The supplier misspells it; both spellings are read.
    maintenace: text,
    maintenance: text,
    ...common,
  })
  .transform(
    ({ price: priceIdr, multi_trx: multiTrx, maintenace, prepost, ...row }): SupplierService => {
      const maintenance = windowOf(maintenace) ?? windowOf(row.maintenance);
      const postpaid = prepost.toLowerCase() === "postpaid";
      const rest = postpaid ? { postpaid } : {};
      return { ...none, ...row, ...rest, family: "prepaid", priceIdr, multiTrx, maintenance };
    },
  );

const SocialRow = z
  .object({ id: code, category: label, min: count, max: count, ...common })
  .transform(({ price: priceIdr, id, category, ...row }): SupplierService => {
    const fixed = { family: "social", code: id, type: "social" } as const;
    return { ...none, ...row, ...fixed, brand: category, category, priceIdr };
  });

const ROWS = { game: GameRow, prepaid: PrepaidRow, social: SocialRow } as const;

/** `unpriced`: of the unreadable ones those that tell a price, in a form that could mean several or none. */
export interface ListCounts {
  rows: number;
  unreadable: number;
  unpriced: number;
}

const isUnpriced = ({ path, message }: z.core.$ZodIssue) =>
  path[0] === "price" && message !== NO_PRICE;

/** Reads one price list in pieces; rows that cannot be read are counted and left out. */
export async function eachService(
  line: Line,
  family: SupplierFamily,
  size: number,
  take: (rows: SupplierService[]) => Promise<void>,
): Promise<ListCounts> {
  const counts = { rows: 0, unreadable: 0, unpriced: 0 };
  const row = ROWS[family];
  const waiting: SupplierService[] = [];
  const send = async (atLeast: number) => {
    while (waiting.length >= atLeast) {
      const piece = waiting.splice(0, size);
      counts.rows += piece.length;
      await take(piece);
    }
  };
  await streamRows(line, ENDPOINTS[family], {
    row(value) {
      const read = row.safeParse(value);
      if (read.success) {
        waiting.push(read.data);
        return;
      }
      counts.unreadable += 1;
      if (read.error.issues.some(isUnpriced)) counts.unpriced += 1;
    },
    rest: () => send(size),
  });
  await send(1);
  return counts;
}

export async function listServices(line: Line, family: SupplierFamily): Promise<SupplierService[]> {
  const all: SupplierService[] = [];
  await eachService(line, family, 1_000, async (rows) => {
    for (const row of rows) all.push(row);
  });
  return all;
}

const Stock = z.object({ code, name: label, stock: count, status: Status });

/** What the supplier has of one service (providers/vip-reseller.md, `service-stock`); null: it knows no such service. */
export async function getServiceStock(line: Line, service: string): Promise<ServiceStock | null> {
  const fields = { type: "service-stock", service: field("service", service) };
  const envelope = await line.ask("game-feature", fields);
  if (!envelope.result) {
    if (refusalOf(envelope.message) === "unavailable") return null;
    throw refusedRead(envelope.message);
  }
  const { data } = envelope;
  const read = Stock.safeParse(Array.isArray(data) ? data[0] : data);
  if (!read.success || read.data.stock === null) throw badAnswer("a stock of another shape");
  if (read.data.code !== clean(service, 100)) throw badAnswer("the stock is of another service");
  return { ...read.data, stock: read.data.stock };
}
