import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { seal } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { describeError } from "../../../shared/log.ts";
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
  original: z.string(),
});
type Kept = z.output<typeof Kept>;

/**
 * Takes a callback in: verified in constant time, kept and queued without the database. Throws `unauthenticated` for
 * one that nobody signed and `invalid_input` for one that is none; of those so many a minute are kept.
 */
export async function receiveCallback(
  ctx: Ctx,
  headers: CallbackHeaders,
  body: string,
): Promise<{ trxid: string }> {
  const callback = await ctx.providers.vipReseller.parseCallback(body, headers);
  if (!callback) {
    const isReadable = claimsSomething(body);
    await keepRefused(ctx, isReadable ? "forged" : "unreadable", body);
    throw isReadable
      ? new AppError("unauthenticated", "Invalid signature")
      : new AppError("invalid_input", "Invalid callback data");
  }
  const { form, trxid, status, statusText } = callback;
  const original = await seal(ctx.config, OWNER, body.slice(0, LONGEST_KEPT));
  const kept: Kept = { v: 1, form, trxid, status, statusText, original };
  await receiveNotice(ctx, { provider: PROVIDER, body: JSON.stringify(kept) });
  return { trxid };
}

/** Whether a body names an order and a status at all, in any of the forms. */
function claimsSomething(body: string): boolean {
  return /trx_?id/i.test(body) && /status/i.test(body);
}

const MOST_REFUSED = 20;
const refused = { minute: "", count: 0 };

/**
 * Keeps what was refused, at most so much of it a minute whoever sends how many: an isolate hands on its first twenty,
 * and the inbox has twenty places for each minute.
 */
async function keepRefused(
  ctx: Ctx,
  verdict: "forged" | "unreadable",
  body: string,
): Promise<void> {
  const minute = ctx.now().toISOString().slice(0, 16);
  if (refused.minute !== minute) Object.assign(refused, { minute, count: 0 });
  const place = refused.count;
  refused.count += 1;
  if (place >= MOST_REFUSED) return;
  try {
    const original = await seal(ctx.config, OWNER, body.slice(0, LONGEST_KEPT));
    const kept = { v: 1, verdict, place: `${minute}/${place}`, length: body.length, original };
    await receiveNotice(ctx, { provider: REFUSED, body: JSON.stringify(kept) });
  } catch (error) {
    ctx.log.warn("refused callback not kept", describeError(error));
  }
}

/** What was refused has no effect; it is only kept. */
export const refusedCallbackApplier: NoticeApplier = {
  provider: REFUSED,
  eventKey: (_ctx, body) => z.object({ place: z.string() }).parse(JSON.parse(body)).place,
  apply: async () => "applied",
};

/**
 * Applies a callback as a hint: both of its forms can be replayed, so the supplier itself is asked before money moves.
 * One that overtook the answer to its order is parked until the order is known.
 */
export const callbackApplier: NoticeApplier = {
  provider: PROVIDER,
  eventKey(_ctx, body) {
    const { trxid, statusText } = Kept.parse(JSON.parse(body));
    return `${trxid}/${statusText}`;
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
