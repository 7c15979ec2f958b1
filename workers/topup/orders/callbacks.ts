import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { hmacSha256Hex, seal } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { describeError } from "../../../shared/log.ts";
import { isCallback } from "../../../shared/providers/vip-reseller/callback.ts";
import type { CallbackHeaders } from "../../../shared/providers/vip-reseller.ts";
import { advance } from "./follow.ts";
import { orderShape } from "./order.ts";
import { updateOf } from "./purchase.ts";

const PROVIDER = "vip-reseller";
const REFUSED = "vip-reseller-refused";
/** The sealed original of a callback is kept under this name. */
const OWNER = "topup-callback";
const LONGEST_KEPT = 8_000;

/**
 * What is kept of a verified callback. Its body may hold a token or voucher, so the original is sealed; nothing of it
 * but the id and the status is ever used.
 */
const Kept = z.object({
  v: z.literal(1),
  form: z.string(),
  trxid: z.string(),
  status: z.string(),
  statusText: z.string(),
  /** Tells callbacks of one status apart. Keyed: a plain digest would let a short serial be guessed. */
  digest: z.string().default(""),
  original: z.string(),
});
type Kept = z.output<typeof Kept>;

/**
 * Takes a callback in: verified in constant time, kept and queued without the database. Throws `unauthenticated` for
 * one that nobody signed and `invalid_input` for one that is none; of those so many a minute are kept, the others counted.
 */
export async function receiveCallback(
  ctx: Ctx,
  headers: CallbackHeaders,
  body: string,
): Promise<{ trxid: string }> {
  const callback = await ctx.providers.vipReseller.parseCallback(body, headers);
  if (!callback) {
    const isReadable = isCallback(body);
    await refused.keep(ctx, isReadable ? "forged" : "unreadable", body);
    throw isReadable
      ? new AppError("unauthenticated", "Invalid signature")
      : new AppError("invalid_input", "Invalid callback data");
  }
  const { form, trxid, status, statusText } = callback;
  const original = await seal(ctx.config, OWNER, body.slice(0, LONGEST_KEPT));
  const digest = await hmacSha256Hex(ctx.config.VIP_RESELLER_API_KEY, body);
  const kept: Kept = { v: 1, form, trxid, status, statusText, digest, original };
  await receiveNotice(ctx, { provider: PROVIDER, body: JSON.stringify(kept) });
  return { trxid };
}

const MOST_REFUSED = 20;
const FORGETTABLE_DOUBLINGS = 31;

/**
 * Keeps what was refused, but so much of it a minute and isolate, whoever sends how many. Of the rest it notes how many
 * there were, whenever that has doubled, so that a flood of them costs a handful of messages.
 */
export class RefusedCallbacks {
  #minute = "";
  #count = 0;
  /** Made with the first refusal: random numbers are to be had in requests only. */
  #isolate = "";

  async keep(ctx: Ctx, verdict: "forged" | "unreadable", body: string): Promise<void> {
    const minute = ctx.now().toISOString().slice(0, 16);
    this.#isolate ||= crypto.randomUUID();
    if (this.#minute !== minute) [this.#minute, this.#count] = [minute, 0];
    this.#count += 1;
    const places = `${minute}/${this.#isolate}`;
    const place = `${places}/${this.#count}`;
    const dropped = this.#count - MOST_REFUSED;
    try {
      if (dropped <= 0) {
        const original = await seal(ctx.config, OWNER, body.slice(0, LONGEST_KEPT));
        await keepNotice(ctx, { verdict, place, length: body.length, original });
      } else if (Number.isInteger(Math.log2(dropped))) {
        await keepNotice(ctx, { verdict: "dropped", place: `${places}/more/${dropped}`, dropped });
      }
    } catch (error) {
      ctx.log.warn("refused callback not kept", describeError(error));
    }
  }
}

const refused = new RefusedCallbacks();

const keepNotice = (ctx: Ctx, kept: Refused) =>
  receiveNotice(ctx, { provider: REFUSED, body: JSON.stringify({ v: 1, ...kept }) });

const Refused = z.object({
  verdict: z.enum(["forged", "unreadable", "dropped"]),
  /** Where it stands: minute, isolate, number. */
  place: z.string(),
  length: z.number().optional(),
  original: z.string().optional(),
  dropped: z.number().optional(),
});
type Refused = z.output<typeof Refused>;

/** What was refused has no effect; it is only kept. Of how many were dropped, the latest count alone stays. */
export const refusedCallbackApplier: NoticeApplier = {
  provider: REFUSED,
  eventKey: (_ctx, body) => Refused.parse(JSON.parse(body)).place,
  async apply(ctx, body) {
    const { verdict, place } = Refused.parse(JSON.parse(body));
    if (verdict === "dropped") await forgetSmallerCounts(ctx, place);
    return "applied";
  },
};

async function forgetSmallerCounts(ctx: Ctx, place: string): Promise<void> {
  const counts = place.slice(0, place.lastIndexOf("/"));
  const keys = Array.from({ length: FORGETTABLE_DOUBLINGS }, (_, n) => `${counts}/${2 ** n}`);
  await ctx.db.run(
    rows(
      sql`with told as (
          select e.id, split_part(e.event_key, '/', 4)::bigint as n from inbox_events e
          where e.provider = ${REFUSED} and e.event_key = any (${`{${keys.join(",")}}`}::text[]))
        delete from inbox_events e using told
        where e.id = told.id and told.n < (select max(n) from told)`,
      z.unknown(),
    ),
  );
}

/**
 * Applies a callback as a hint: both of its forms can be replayed, so the supplier itself is asked before money moves.
 * One that overtook the answer to its order is parked until the order is known.
 */
export const callbackApplier: NoticeApplier = {
  provider: PROVIDER,
  eventKey(_ctx, body) {
    const { trxid, statusText, digest } = Kept.parse(JSON.parse(body));
    return `${trxid}/${statusText}/${digest}`;
  },
  async apply(ctx, body) {
    const { trxid, status } = Kept.parse(JSON.parse(body));
    const [found] = await ctx.db.run(
      rows(
        sql`select to_jsonb(o) as row from topup_orders o where o.trxid = ${trxid}`,
        z.object({ row: orderShape }),
      ),
    );
    if (!found) return { parked: "no order has this purchase" };
    const order = found.row;
    const isInterim = status === "waiting" || status === "processing";
    if (order.state !== "processing" || isInterim) return "applied";

    const [purchase] = await ctx.providers.vipReseller.getOrderStatus(order.family, { trxid });
    if (!purchase) return { parked: "the supplier does not know this purchase" };
    const update = await updateOf(ctx, order, purchase);
    await advance(ctx, [update]);
    return update.outcome === "open"
      ? { parked: `not confirmed, it is ${purchase.status}` }
      : "applied";
  },
};
