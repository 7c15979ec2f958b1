import {
  MarketplaceError,
  PLATFORM_NAME,
  type RemoteListing,
} from "../../../../shared/providers/marketplace.ts";
import type { Shop } from "../connections/shop.ts";
import { type Entry, end, pushFigures, pushShelf, pushStocks, stockOf } from "./batches.ts";
import type { Desk } from "./desk.ts";
import { listingInput } from "./listing-input.ts";
import { BLOCKED, isBlocked, NotListableError } from "./not-listable.ts";
import { DOUBT_PAUSE_MS, LONGEST_PAUSE_MS, mayHaveActed, outcomeOf } from "./outcomes.ts";
import type { Known, Outcome, Result, Work } from "./rows.ts";

/** A creation whose answer was lost is looked for that long before it counts as never made. */
const DOUBT_SECONDS = 60;

/** Whether only price and stock may differ, which go by the batch. */
export const isQuick = (work: Work): boolean =>
  work.item_id !== null &&
  !work.verify &&
  work.reason !== BLOCKED &&
  work.shown &&
  work.product.on_sale &&
  work.content === work.pushed_content;

/** Brings the prices and stocks of listings that are otherwise in step. */
export async function bringQuick({ shop }: Desk, works: Work[]): Promise<Result[]> {
  const entries = works.map(entryOf);
  await pushFigures(shop, entries);
  for (const entry of entries) goOn(shop, entry);
  return entries.map(resultOf);
}

/**
 * Brings one listing to what its product is, whatever that takes. Safe to repeat after a crash at any point: a product
 * without a known listing is looked for by its SKU before one is created.
 */
export async function bring(desk: Desk, work: Work): Promise<Result> {
  const entry = entryOf(work);
  try {
    entry.ended = await (work.item_id === null ? putUp(desk, entry) : keepUp(desk, entry));
  } catch (error) {
    entry.ended = outcomeOf(error, work, desk.shop.client.platform);
  }
  goOn(desk.shop, entry);
  return resultOf(entry);
}

/** What still sells there what is not here, or not that many, is tried on whatever was refused. */
function goOn(shop: Shop, { work, ref, known, ended }: Entry): void {
  const isThere = ref.itemId !== "" && ended?.item_id !== null;
  if (ended?.outcome !== "failed" || !isThere || known.stock === stockOf(shop, work)) return;
  ended.after_ms ??= LONGEST_PAUSE_MS;
}

/** A listing that was claimed and not begun: all that was known of it still is. */
export const untouched = (work: Work): Result =>
  resultOf({ ...entryOf(work), ended: { outcome: "release" } });

function entryOf(work: Work): Entry {
  const isUnsure = work.item_id !== null && work.pushed_content === null;
  const known: Known = {
    shown: isUnsure ? null : work.shown,
    price: work.pushed_price,
    stock: work.pushed_stock,
    content: work.pushed_content,
  };
  const ref = { itemId: work.item_id ?? "", skuId: work.sku_id, sku: work.product.id };
  return { work, ref, known, ended: null };
}

const resultOf = ({
  work,
  known,
  wasLive,
  remark = remarkBefore(work, wasLive),
  ended,
}: Entry): Result => ({
  id: work.id,
  changes: work.changes,
  ...(wasLive === undefined ? {} : { was_live: wasLive }),
  ...(wasLive && work.unmade ? { was_there: true as const } : {}),
  ...known,
  // A listing whose shelf is still not known is gone over as a whole once more, whatever else has been sent.
  ...(known.shown === null ? { content: null } : {}),
  ...(ended ?? { outcome: "synced", ...(remark ? { reason: remark } : {}) }),
});

type Ended = (Known & Outcome) | null;

/**
 * A product that the shop does not have, as far as we know. It is looked for also where it is not on sale: its creation
 * may have gone through unheard before it was taken off here.
 */
async function putUp(desk: Desk, entry: Entry): Promise<Ended> {
  const { work } = entry;
  const isSettled = !work.wanted && !work.verify && work.doubt_seconds === null;
  if (isSettled) return null;
  const found = await find(desk, entry);
  if (found) {
    adopt(entry, found);
    return await align(desk, entry);
  }
  if (work.doubt_seconds !== null && work.doubt_seconds < DOUBT_SECONDS) {
    const reason = `Menunggu kepastian dari ${PLATFORM_NAME[desk.shop.client.platform]}`;
    return { outcome: "retry", reason, after_ms: DOUBT_PAUSE_MS };
  }
  if (!work.wanted) return null;
  if (!work.product.on_sale) {
    return { outcome: "failed", reason: "Produk tidak aktif, sehingga tidak dipasang" };
  }
  return await create(desk, entry);
}

/** A product that the shop has: asked about first where its seller wants to be sure, or it was not shown. */
async function keepUp(desk: Desk, entry: Entry): Promise<Ended> {
  const { work, ref } = entry;
  if (!work.verify && work.reason !== BLOCKED) return await align(desk, entry);
  const found = await find(desk, entry);
  // A copy that buyers see takes its place where its seller asks for that.
  const isKept = !work.verify || found?.itemId === ref.itemId;
  if (isKept && isBlocked(found, ref.itemId)) return await submitAgain(desk, entry);
  if (!work.verify) return await align(desk, entry);
  if (!found) return await seek(desk, entry);
  if (isSoldUnheard(entry, found)) return await hearFirst(desk, entry, found);
  const content = found.itemId === entry.work.item_id ? entry.known.content : null;
  adopt(entry, found);
  entry.known.content = content ?? null;
  return await align(desk, entry);
}

/** What was blocked is looked at anew where it says or shows something else by now; until then its seller is told. */
async function submitAgain(desk: Desk, entry: Entry): Promise<Ended> {
  const { work, known } = entry;
  known.shown ??= true;
  if (!work.product.on_sale) return await takeOff(desk, entry);
  const refused = known.content === work.content ? null : await rewrite(desk, entry);
  return refused ?? { outcome: "failed", reason: BLOCKED };
}

/** The shop has fewer than it was last given, and than we have: somebody may have bought there of whom we do not know yet. */
const isSoldUnheard = ({ work }: Entry, { itemId, stock }: RemoteListing): boolean =>
  itemId === work.item_id &&
  stock !== null &&
  work.pushed_stock !== null &&
  stock < Math.min(work.pushed_stock, work.product.stock);

/** What the shop sold is taken in before it is told how many there are; the next visit knows the stock after that. */
async function hearFirst(desk: Desk, entry: Entry, { stock }: RemoteListing): Promise<Ended> {
  await desk.news.hear().catch(unlessRefused);
  entry.known.stock = stock;
  const reason = `Memeriksa pesanan baru di ${PLATFORM_NAME[desk.shop.client.platform]}`;
  return { outcome: "retry", reason, after_ms: 0 };
}

/** A shop that tells its orders to nobody is told all the same: else this product would never change there again. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof MarketplaceError) || error.fault !== "rejected") throw error;
}

/**
 * What the search does not know is gone, or too new for it, or has another SKU by now. So all of it is sent to the item
 * that we know, and only a shop that says itself that there is none is given another (`gone`).
 */
async function seek(desk: Desk, entry: Entry): Promise<Ended> {
  delete entry.wasLive;
  Object.assign(entry.known, { shown: null, price: null, stock: null, content: null });
  return await align(desk, entry);
}

async function find({ shop }: Desk, entry: Entry): Promise<RemoteListing | null> {
  const { id } = entry.work.product;
  const known = entry.work.item_id ?? undefined;
  const found = await shop.call((auth) => shop.client.findBySku(auth, id, known));
  entry.wasLive = found?.status === "live" || found?.status === "review";
  if (found?.others) entry.remark = remarkOf(found.others, PLATFORM_NAME[shop.client.platform]);
  return found?.status === "deleted" ? null : found;
}

const COPIES = "Ada produk lain dengan SKU ini di";

/** A copy sells what was sold here, at the price of before: only its seller knows which of them buyers look at. */
const remarkOf = (others: string[], name: string) =>
  `${COPIES} ${name} yang tidak ikut diperbarui: ${others.slice(0, 5).join(", ")}. Hapus yang tidak dipakai`;

/** What was remarked is true until the shop is asked again: the next sale does not end it. */
const remarkBefore = ({ reason }: Work, wasLive: boolean | undefined) =>
  wasLive === undefined && reason?.startsWith(COPIES) ? reason : undefined;

function adopt(entry: Entry, { itemId, skuId, sku, status, priceIdr, stock }: RemoteListing) {
  entry.ref = { itemId, skuId, sku };
  entry.known = {
    item_id: itemId,
    sku_id: skuId,
    shown: status === "live" || status === "review",
    price: priceIdr,
    stock,
    content: null,
  };
  if (status === "blocked") throw new NotListableError(BLOCKED);
}

async function create(desk: Desk, entry: Entry): Promise<Ended> {
  const { shop } = desk;
  const input = await listingInput(desk, entry.work);
  let made: RemoteListing;
  try {
    made = await shop.call((auth) => shop.client.createListing(auth, input));
  } catch (error) {
    return inDoubt(error, entry.work, desk);
  }
  adopt(entry, made);
  Object.assign(entry.known, {
    price: input.priceIdr,
    stock: input.stock,
    content: entry.work.content,
    remote_category_id: input.categoryId,
  });
  await pushShelf(shop, [entry], true);
  return entry.ended;
}

/**
 * The answer to a creation was lost, or says that it is there already: the next visit looks before it creates, and so
 * does one that the seller asks for after the last try.
 */
function inDoubt(error: unknown, work: Work, desk: Desk): Ended {
  const isDoubtful =
    error instanceof MarketplaceError && (error.fault === "unknown" || error.fault === "duplicate");
  const ended = outcomeOf(error, work, desk.shop.client.platform);
  const mayFollow = ended.outcome === "retry" || ended.outcome === "failed";
  return isDoubtful && mayFollow ? { ...ended, doubt: true } : ended;
}

/** A listing of known ids: content, price, stock and shelf, each only where it differs. */
async function align(desk: Desk, entry: Entry): Promise<Ended> {
  const { shop } = desk;
  const { work } = entry;
  if (!work.product.on_sale) return await takeOff(desk, entry);
  const refused = entry.known.content === work.content ? null : await rewrite(desk, entry);
  if (refused && (refused.outcome === "release" || refused.item_id === null)) return refused;
  // A text or picture that is not taken there is no reason to sell what is not here.
  await pushFigures(shop, [entry]);
  if (refused) end(entry, refused);
  else await pushShelf(shop, [entry], true);
  return entry.ended;
}

/** Off the shelf. Where the shop does not take it off (a promotion, say), it sells none of it at least. */
async function takeOff({ shop }: Desk, entry: Entry): Promise<Ended> {
  await pushShelf(shop, [entry], false);
  const { ended: refused } = entry;
  if (refused === null || refused.outcome === "release" || refused.item_id === null) return refused;
  const emptied: Entry = { ...entry, ended: null };
  await pushStocks(shop, [emptied]);
  if (emptied.ended?.item_id === null) return emptied.ended;
  if (emptied.ended) end(entry, emptied.ended);
  return entry.ended;
}

/** Sends a listing's content. Null: the shop has it. */
async function rewrite(desk: Desk, entry: Entry): Promise<Ended> {
  const { shop } = desk;
  const { work, known } = entry;
  const { platform } = shop.client;
  let isSent = false;
  try {
    const input = await listingInput(desk, work);
    isSent = true;
    await shop.call((auth) => shop.client.updateListing(auth, entry.ref, input));
    known.content = work.content;
    known.remote_category_id = input.categoryId;
    return null;
  } catch (error) {
    if (isSent && mayHaveActed(error)) known.content = null;
    return outcomeOf(error, work, platform);
  }
}
