import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import {
  type Bytes,
  gzip,
  hmacSha256Hex,
  seal,
  toBase64,
  unseal,
} from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { connectingAddress } from "../../../shared/http/caller.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { claimedForm } from "../../../shared/providers/vip-reseller/callback.ts";
import type { CallbackHeaders } from "../../../shared/providers/vip-reseller.ts";
import { advance } from "./advance.ts";
import { askOnce } from "./asks.ts";
import { followSoon } from "./follow.ts";
import { isNobodysPurchase, NOBODYS } from "./nobodys.ts";
import { type Order, orderShape } from "./order.ts";
import { lacksSerial, updateOf } from "./purchase.ts";
import { LONGEST_BYTES, RefusedCallbacks } from "./refused-callbacks.ts";

const PROVIDER = "vip-reseller";
/** The sealed original of a callback is kept under this name. */
const OWNER = "topup-callback";
/** What a long signed one may come to when it is packed. Sealed that is 107 KB, and a queue takes 128 KB. */
const MOST_PACKED_BYTES = 60_000;
/** An address is no longer, whatever stands before us says. */
const LONGEST_ADDRESS = 64;

/** A request's body as far as it was read, and how long it is. */
export interface CallbackBody {
  bytes: Bytes;
  length: number;
}

/**
 * What is kept of a verified callback. Its body may hold a token or voucher, so the original is sealed, byte for byte
 * (base64); nothing of it but the id, the status and the target is ever used.
 */
const Kept = z.object({
  v: z.literal(1),
  form: z.string(),
  trxid: z.string(),
  status: z.string(),
  statusText: z.string(),
  from: z.string().nullable().default(null),
  /** Tells callbacks of one status apart. Keyed: a plain digest would let a short serial be guessed. */
  digest: z.string().default(""),
  /** Tells one that is sent again from one that the queue delivers again. */
  delivery: z.string().default(""),
  /** Of one that lists several orders the first notice has it; the others have its digest. */
  original: z.string().nullable(),
  /** How a long one was packed before it was sealed. */
  packing: z.literal("gzip").nullable().default(null),
  /** What it was bought for, sealed; null where it does not say. */
  target: z.string().nullable().default(null),
  receivedAt: z.coerce.date().nullable().default(null),
});
type Kept = z.output<typeof Kept>;

/**
 * Takes a callback in: verified in constant time, kept and queued without the database. Throws `too_large`,
 * `unauthenticated` for one that nobody signed and `invalid_input` for one that is none; these are kept too. Whatever
 * this answers is kept, but for `unavailable`. No flood of others turns a signed one away, or shortens it.
 */
export async function receiveCallback(
  ctx: Ctx,
  headers: CallbackHeaders,
  body: CallbackBody,
): Promise<{ trxid: string }> {
  const { bytes, length } = body;
  const from = (connectingAddress({ headers }) ?? "unknown").slice(0, LONGEST_ADDRESS);
  const text = new TextDecoder().decode(bytes);
  const callbacks = await ctx.providers.vipReseller.parseCallbacks(text, headers);
  const [first] = callbacks;
  const isWhole = length === bytes.length;
  const original = first && isWhole ? await originalOf(ctx, bytes) : null;
  if (!first || !original) {
    const form = first || !isWhole ? null : claimedForm(text);
    const isSigned = await ctx.providers.vipReseller.isSigned(headers);
    if (isSigned) ctx.log.error("signed callback not readable", { length, alert: true });
    const verdict = form ? "forged" : "unreadable";
    await refused.keep(ctx, { verdict, form, from, isSigned, ...body });
    throw refusalOf(length, form !== null);
  }
  const digest = await hmacSha256Hex(ctx.config.VIP_RESELLER_API_KEY, bytes);
  const delivery = crypto.randomUUID();
  // One that lists several orders is a notice for each; what it says twice is one event, which must not lose the original.
  const said = new Set<string>();
  for (const { form, trxid, status, statusText, target: goal } of callbacks) {
    const isFirst = said.size === 0;
    if (said.size === said.add(`${trxid}/${statusText}`).size) continue;
    const target = goal ? await seal(ctx.config, OWNER, goal) : null;
    const kept: Kept = {
      ...{ v: 1, form, trxid, status, statusText, from, digest, delivery },
      ...{ target, receivedAt: ctx.now() },
      ...(isFirst ? original : { original: null, packing: null }),
    };
    await receiveNotice(ctx, {
      provider: PROVIDER,
      body: JSON.stringify(kept),
      queue: "topup-callbacks",
    });
  }
  return { trxid: first.trxid };
}

/** The body sealed, one that is long packed before; null where it is so long that no message holds it. */
async function originalOf(
  ctx: Ctx,
  bytes: Bytes,
): Promise<Pick<Kept, "original" | "packing"> | null> {
  const packing = bytes.length > LONGEST_BYTES ? "gzip" : null;
  const packed = packing ? await gzip(bytes) : bytes;
  if (packed.length > MOST_PACKED_BYTES) return null;
  return { original: await seal(ctx.config, OWNER, toBase64(packed)), packing };
}

function refusalOf(length: number, isCallback: boolean): AppError {
  if (length > LONGEST_BYTES) return new AppError("too_large", "Callback is too large");
  return isCallback
    ? new AppError("unauthenticated", "Invalid signature")
    : new AppError("invalid_input", "Invalid callback data");
}

const refused = new RefusedCallbacks();

/**
 * Applies a callback as a hint: both of its forms can be replayed, so the supplier itself is asked before money moves.
 * One that overtook the answer to its order is parked until the order is known, or nobody's for good.
 */
export const callbackApplier = applierOf({ atOnce: false });
/** The same at a person's wish: the supplier is asked whatever it was asked just before. */
export const callbackApplierByHand = applierOf({ atOnce: true });

function applierOf({ atOnce }: { atOnce: boolean }): NoticeApplier {
  return {
    provider: PROVIDER,
    eventKey: (_ctx, body) => eventKeyOf(Kept.parse(JSON.parse(body))),
    apply: (ctx, body) => applyKept(ctx, Kept.parse(JSON.parse(body)), atOnce),
  };
}

/** How the keys of all events begin that are the same callback, sent again. */
const startOf = ({ trxid, statusText, digest }: Kept) => `${trxid}/${statusText}/${digest}/`;

const eventKeyOf = (kept: Kept) =>
  kept.delivery ? `${startOf(kept)}${kept.delivery}` : startOf(kept).slice(0, -1);

async function applyKept(
  ctx: Ctx,
  kept: Kept,
  atOnce: boolean,
): ReturnType<NoticeApplier["apply"]> {
  const { trxid, status } = kept;
  const [found] = await ctx.db.run(
    rows(
      sql`select to_jsonb(o) as row from topup_orders o where o.trxid = ${trxid}`,
      z.object({ row: orderShape }),
    ),
  );
  if (!found) {
    const target = kept.target && (await unseal(ctx.config, OWNER, kept.target));
    const keyStart = startOf(kept);
    const isNobodys = await isNobodysPurchase(ctx, {
      ...kept,
      target,
      provider: PROVIDER,
      keyStart,
      atOnce,
    });
    return isNobodys ? { applied: NOBODYS } : { parked: "no order has this purchase" };
  }
  const order = found.row;
  const isInterim = status === "waiting" || status === "processing";
  if (isInterim || !(isFollowed(order) || lacksSerial(order))) return "applied";
  return await confirm(ctx, order, { receivedAt: kept.receivedAt, atOnce });
}

const isFollowed = ({ state }: Order) => state === "processing" || state === "review";

/** One confirmation of an order answers for all callbacks that came before it was asked for; another comes no sooner. */
const PAUSE_MS = 10_000;
/** One that was answered and did not bear the callback out is asked for again: the supplier may tell others first. */
const AGAIN_MS = 50_000;
/** Clocks differ: what came so shortly before a confirmation may have come after it. */
const SKEW_MS = 1_000;

/** What the supplier itself says of the order. One that it was just asked about is looked at by the next minute cron. */
async function confirm(
  ctx: Ctx,
  order: Order,
  { receivedAt, atOnce }: { receivedAt: Date | null; atOnce: boolean },
) {
  const trxid = order.trxid ?? "";
  const since = new Date((receivedAt ?? ctx.now()).getTime() + SKEW_MS);
  let said = "not known there";
  let isOpen = true;
  const turn = await askOnce(
    ctx,
    { trxid, since, againMs: AGAIN_MS, pauseMs: PAUSE_MS, atOnce },
    async () => {
      const askedFrom = ctx.now();
      const [purchase] = await ctx.providers.vipReseller.getOrderStatus(order.family, { trxid });
      if (!purchase) return "told";
      const update = await updateOf(ctx, order, purchase);
      await advance(ctx, [update], askedFrom);
      said = `it is ${purchase.status}`;
      isOpen = isFollowed(order) && update.outcome === "open";
      return "told";
    },
  );
  if (turn.taken) return isOpen ? { parked: `not confirmed, ${said}` } : ("applied" as const);
  if (turn.answeredAt && turn.answeredAt >= since) {
    return isFollowed(order)
      ? { parked: "asked about since, not confirmed" }
      : ("applied" as const);
  }
  await followSoon(ctx, order.id);
  return { parked: "asked about by the next look at what is under way" };
}
