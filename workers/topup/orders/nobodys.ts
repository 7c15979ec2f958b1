import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { finishAlike } from "../../../shared/inbox/inbox.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { SUPPLIER_FAMILIES } from "../../../shared/providers/vip-reseller.ts";
import { type Answer, askOnce } from "./asks.ts";

/** What is told late is told by then: the supplier is not asked before. */
const PATIENCE_MS = 60 * 60_000;
/** Parked callbacks are tried every hour for a day: one or two times after this. */
const DENIAL_MS = 22 * 60 * 60_000;
/**
 * Of more purchases that callbacks name and nothing explains none is asked about: whoever sends them would have us ask
 * without end. A month's bills paid in a row, or while the supplier does not answer, are fewer. Those made past us that a
 * list has shown wait as long, but are none of them.
 */
const FLOOD = 100;

/** An answer holds for as long as a callback is tried; what the supplier knows is asked about no more often than this. */
const DAY_MS = 24 * 60 * 60_000;
const PAUSE_MS = 30 * 60_000;
export const NOBODYS =
  "no purchase of a family that is sold here, and for nobody who waits for one";

interface Named {
  trxid: string;
  target: string | null;
  receivedAt: Date | null;
  provider: string;
  /** How the keys of the same callback begin, however often it was sent. */
  keyStart: string;
  atOnce: boolean;
}

/**
 * Whether what a signed callback names is surely none of ours: for no order in doubt, and an hour later unknown to the
 * supplier in each family that we sell. So is what the operator buys of its other products (`/postpaid`), and what somebody
 * makes up who has seen a signature. While one is not, each family's lists are held to lack it (topup_named_since), and
 * nothing in doubt is refunded. One that may mean an order in doubt, or does not say whom it is for, is denied for nearly a
 * day before it is nobody's: an order's own purchase would be shown by then, and who has seen a signature may name any.
 * What is denied is so for all callbacks that came as long before, and whatever says the very same is ended with it.
 */
export async function isNobodysPurchase(ctx: Ctx, named: Named): Promise<boolean> {
  const { trxid, target, receivedAt, provider, keyStart, atOnce } = named;
  const now = ctx.now();
  const ageMs = receivedAt ? now.getTime() - receivedAt.getTime() : 0;
  if (!receivedAt || ageMs < PATIENCE_MS) return false;
  const standing = await standingOf(ctx, { trxid, target, now });
  const patienceMs = standing.isForNobody ? PATIENCE_MS : DENIAL_MS;
  if (ageMs < patienceMs) return false;
  const since = new Date(receivedAt.getTime() + patienceMs);
  if (standing.deniedAt && standing.deniedAt >= since) return true;
  if ((standing.rests && !atOnce) || (await isFlooded(ctx))) return false;
  const occasion = { trxid, since, againMs: DAY_MS, pauseMs: PAUSE_MS, atOnce };
  const turn = await askOnce(ctx, occasion, () => denialOf(ctx, trxid)).catch((error: unknown) => {
    if (!(error instanceof ProviderError)) throw error;
    ctx.log.warn("named purchase not told", { trxid, ...describeError(error) });
    return null;
  });
  if (turn?.answer !== "denied" || !turn.answeredAt || turn.answeredAt < since) return false;
  ctx.log.info("callback of a purchase that is nobody's", { trxid });
  const receivedUntil = new Date(turn.answeredAt.getTime() - patienceMs);
  await finishAlike(ctx, { provider, keyStart, receivedUntil, note: NOBODYS });
  return true;
}

/** `denied` where the supplier knows it in no family. Throws as soon as one does not tell. */
async function denialOf(ctx: Ctx, trxid: string): Promise<Answer> {
  for (const family of SUPPLIER_FAMILIES) {
    const known = await ctx.providers.vipReseller.getOrderStatus(family, { trxid });
    if (known.length > 0) return "told";
  }
  return "denied";
}

/** Whom the callback is for, when the supplier last denied its purchase, and whether it was asked just now. */
async function standingOf(
  ctx: Ctx,
  { trxid, target, now }: { trxid: string; target: string | null; now: Date },
) {
  const moment = sql`${now.toISOString()}::timestamptz`;
  const [found] = await ctx.db.run(
    rows(
      sql`select coalesce(${target}::text, '') <> '' and not exists (select from topup_orders o
            where o.state in ('queued', 'buying', 'unknown', 'review')
              and (topup_is_for(o, ${target}) or topup_may_mean(o, ${target}))) as nobodys,
          (select a.answered_at from topup_supplier_asks a where a.trxid = ${trxid} and a.answer = 'denied') as denied_at,
          exists (select from topup_supplier_asks a where a.trxid = ${trxid} and a.next_at > ${moment}
            and a.asked_at <= ${moment} + interval '1 second') as rests`,
      z.object({ nobodys: z.boolean(), denied_at: z.coerce.date().nullable(), rests: z.boolean() }),
    ),
  );
  const { nobodys = false, denied_at: deniedAt = null, rests = true } = found ?? {};
  return { isForNobody: nobodys, deniedAt, rests };
}

async function isFlooded(ctx: Ctx): Promise<boolean> {
  const [found] = await ctx.db.run(
    rows(
      sql`select count(*) > ${FLOOD} as flooded from (select distinct n.trxid
            from inbox_events e, split_part(e.event_key, '/', 1) n(trxid)
            where e.retry_at is not null and e.provider = 'vip-reseller' and e.state = 'parked'
              and not exists (select from topup_orders o where o.trxid = n.trxid)
              and not exists (select from topup_supplier_sightings w where w.trxid = n.trxid)
            limit ${FLOOD + 1}) x`,
      z.object({ flooded: z.boolean() }),
    ),
  );
  return found?.flooded ?? true;
}
