import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import {
  type Bytes,
  hmacSha256Hex,
  seal,
  sha256Hex,
  toBase64,
} from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";
import { isCallback } from "../../../shared/providers/vip-reseller/callback.ts";
import type { CallbackHeaders } from "../../../shared/providers/vip-reseller.ts";
import { advance } from "./follow.ts";
import { orderShape, targetKind } from "./order.ts";
import { updateOf } from "./purchase.ts";
import { RefusedCallbacks } from "./refused-callbacks.ts";

const PROVIDER = "vip-reseller";
/** The sealed original of a callback is kept under this name. */
const OWNER = "topup-callback";
/** The longest body that is a callback: a list of as many orders as one is read for weighs less. It is kept whole. */
const LONGEST_BYTES = 32 * 1024;
/** What is kept of one that is longer, beside its length and digest. */
const BEGINNING_BYTES = 2_000;

/** A request's body as far as it was read, and how long it is. */
export interface CallbackBody {
  bytes: Bytes;
  length: number;
}

/**
 * What is kept of a verified callback. Its body may hold a token or voucher, so the original is sealed, byte for byte
 * (base64); nothing of it but the id and the status is ever used.
 */
const Kept = z.object({
  v: z.literal(1),
  form: z.string(),
  trxid: z.string(),
  status: z.string(),
  statusText: z.string(),
  /** Tells callbacks of one status apart. Keyed: a plain digest would let a short serial be guessed. */
  digest: z.string().default(""),
  /** Of one that lists several orders the first notice has it; the others have its digest. */
  original: z.string().nullable(),
});
type Kept = z.output<typeof Kept>;

/**
 * Takes a callback in: verified in constant time, kept and queued without the database. Throws `too_large`,
 * `unauthenticated` for one that nobody signed and `invalid_input` for one that is none; these are kept too. Whatever
 * this answers is kept, but for `rate_limited` and `unavailable`.
 */
export async function receiveCallback(
  ctx: Ctx,
  headers: CallbackHeaders,
  { bytes, length }: CallbackBody,
): Promise<{ trxid: string }> {
  if (bytes.length > LONGEST_BYTES) {
    const tooLong = { length, sha256: await sha256Hex(bytes) };
    const beginning = bytes.slice(0, BEGINNING_BYTES);
    await refused.keep(ctx, { verdict: "unreadable", bytes: beginning, tooLong });
    throw new AppError("too_large", "Callback is too large");
  }
  const text = new TextDecoder().decode(bytes);
  const callbacks = await ctx.providers.vipReseller.parseCallbacks(text, headers);
  const [first] = callbacks;
  if (!first) {
    const isReadable = isCallback(text);
    await refused.keep(ctx, { verdict: isReadable ? "forged" : "unreadable", bytes });
    throw isReadable
      ? new AppError("unauthenticated", "Invalid signature")
      : new AppError("invalid_input", "Invalid callback data");
  }
  const sealed = await seal(ctx.config, OWNER, toBase64(bytes));
  const digest = await hmacSha256Hex(ctx.config.VIP_RESELLER_API_KEY, bytes);
  // One that lists several orders is a notice for each; what it says twice is one event, which must not lose the original.
  const said = new Set<string>();
  for (const { form, trxid, status, statusText } of callbacks) {
    const original = said.size === 0 ? sealed : null;
    if (said.size === said.add(`${trxid}/${statusText}`).size) continue;
    const kept: Kept = { v: 1, form, trxid, status, statusText, digest, original };
    await receiveNotice(ctx, { provider: PROVIDER, body: JSON.stringify(kept) });
  }
  return { trxid: first.trxid };
}

const refused = new RefusedCallbacks();

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
        sql`select to_jsonb(o) as row, s.name as listed_name, coalesce(o.target_kind, s.target_kind) as target_kind
          from topup_orders o join topup_services s on s.id = o.service_id where o.trxid = ${trxid}`,
        z.object({ row: orderShape, listed_name: z.string(), target_kind: targetKind }),
      ),
    );
    if (!found) return { parked: "no order has this purchase" };
    const order = found.row;
    const isInterim = status === "waiting" || status === "processing";
    if (order.state !== "processing" || isInterim) return "applied";

    const [purchase] = await ctx.providers.vipReseller.getOrderStatus(order.family, { trxid });
    if (!purchase) return { parked: "the supplier does not know this purchase" };
    const { listed_name: listedName, target_kind } = found;
    const asked = { ...order, listedName, targetKind: target_kind };
    const update = await updateOf(ctx, asked, purchase);
    await advance(ctx, [update]);
    return update.outcome === "open"
      ? { parked: `not confirmed, it is ${purchase.status}` }
      : "applied";
  },
};
