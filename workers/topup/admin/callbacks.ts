import { sql } from "drizzle-orm";
import { z } from "zod";
import { audited } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { replayDeadLetter, replayEvent } from "../../../shared/inbox/inbox.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import {
  callbackApplier,
  callbackApplierByHand,
  openRefused,
  purgeRefused,
  REFUSED_PROVIDER,
} from "../orders/index.ts";
import { CallbackShape } from "../schemas/callbacks.ts";
import { asksSupplier } from "./supplier.ts";

/** How long the supplier's callbacks are kept. */
const KEPT_DAYS = 90;
/** So many refused ones within an hour are a flood: a supplier whose signature we doubt sends fewer. */
const FLOOD_AN_HOUR = 1_000;

/** For how long it is kept what the supplier said of purchases that callbacks name: longer than those are tried. */
const ANSWERS_KEPT_DAYS = 3;

const VERIFIED = callbackApplier.provider;
const BOTH = `{${VERIFIED},${REFUSED_PROVIDER}}`;
const missing = () => notFound("Callback not found");
const isUuid = (text: string) => z.uuid().safeParse(text).success;

export interface CallbackQuery {
  cursor?: string | undefined;
  limit: number;
  verdict?: "verified" | "refused" | undefined;
  state?: "received" | "applied" | "parked" | "dead" | undefined;
}

/** What both logs show of a callback; `body` is what was kept of it, `l` the row. */
const shown = (state: ReturnType<typeof sql>) => sql`jsonb_build_object('id', l.id,
  'verdict', coalesce(k.kept->>'verdict', 'verified'), 'form', k.kept->>'form', 'trxId', k.kept->>'trxid',
  'status', k.kept->>'statusText', 'count', coalesce((k.kept->>'count')::int, 1),
  'sources', coalesce((k.kept->>'sources')::int, 1), 'from', case jsonb_typeof(k.kept->'from')
    when 'array' then k.kept->'from'
    when 'string' then jsonb_build_array(jsonb_build_object('address', k.kept->>'from', 'count', 1))
    else '[]' end,
  'firstAt', coalesce(k.kept->>'firstAt', l.received_at::text), 'lastAt', coalesce(k.kept->>'lastAt', l.received_at::text),
  'receivedAt', l.received_at, ${state})`;

/**
 * The callbacks among what no retry could apply: those were never written, or never finished. Older ones came by the queue of
 * all notices.
 */
const dead = sql`(select d.id, (d.message::jsonb->>'receivedAt')::timestamptz as received_at,
    d.message::jsonb->>'provider' as provider, d.message::jsonb->>'body' as body
  from inbox_dead_letters d where d.queue in ('topup-callbacks', 'webhooks') and d.replayed_at is null
    and d.message like '{"v":1,"type":"notice","provider":"vip-reseller%' offset 0)`;

/**
 * The supplier's callbacks and what became of them, refused ones too, newest first; never their text, which may hold
 * a token. `next` is the cursor of the following page; null: the last.
 */
export async function listCallbacks(ctx: Ctx, query: CallbackQuery) {
  const after = query.cursor && isUuid(query.cursor) ? query.cursor : null;
  const provider = query.verdict === "refused" ? REFUSED_PROVIDER : VERIFIED;
  const providers = query.verdict ? `{${provider}}` : BOTH;
  const state = query.state ?? null;
  const most = query.limit + 1;
  const found = await ctx.db.run(
    rows(
      sql`select one from (
          (select l.id, ${shown(sql`'state', l.state, 'note', l.note, 'attempts', l.attempts`)} as one
            from inbox_events l cross join lateral (select l.body::jsonb as kept offset 0) k
            where l.provider = any (${providers}::text[]) and (${after}::uuid is null or l.id < ${after}::uuid)
              and (${state}::text is null or l.state = ${state})
            order by l.id desc limit ${most})
          union all
          (select l.id, ${shown(sql`'state', 'dead', 'note', null, 'attempts', 0`)}
            from ${dead} l cross join lateral (select l.body::jsonb as kept offset 0) k
            where l.provider = any (${providers}::text[]) and (${after}::uuid is null or l.id < ${after}::uuid)
              and coalesce(${state}::text, 'dead') = 'dead'
            order by l.id desc limit ${most})
        ) listed order by id desc limit ${most}`,
      z.object({ one: CallbackShape }),
    ),
  );
  const callbacks = found.slice(0, query.limit).map(({ one }) => one);
  return { callbacks, next: found.length > query.limit ? (callbacks.at(-1)?.id ?? null) : null };
}

/**
 * Each of the refused callbacks that one row of the log stands for, by its facts; null when its key or its entries are
 * gone. Throws `not_found` for any other row.
 */
export async function listRefused(ctx: Ctx, id: string) {
  if (!isUuid(id)) throw missing();
  const [row] = await ctx.db.run(
    rows(
      sql`select body from inbox_events where id = ${id} and provider = ${REFUSED_PROVIDER}`,
      z.object({ body: z.string() }),
    ),
  );
  if (!row) throw missing();
  const entries = await openRefused(ctx, row.body);
  if (!entries) return null;
  return entries.map(({ body, ...facts }) => ({
    ...facts,
    isWhole: atob(body).length === facts.length,
  }));
}

const kept = z.object({ kind: z.enum(["event", "refused", "dead"]) });

/**
 * Applies a verified callback again, whatever became of it. It stays a hint: what it moves, the supplier confirms. One
 * that died goes back to its queue. Throws `conflict` for refused ones, which have no effect, and `provider_unavailable`
 * where the supplier does not answer: it waits as before.
 */
export async function replayCallback(
  ctx: Ctx,
  id: string,
): Promise<"applied" | "parked" | "queued"> {
  if (!isUuid(id)) throw missing();
  const [[found]] = await ctx.db.batch([
    rows(
      sql`select case e.provider when ${VERIFIED} then 'event' else 'refused' end as kind from inbox_events e
          where e.id = ${id} and e.provider = any (${BOTH}::text[])
        union all select 'dead' from ${dead} l where l.id = ${id}`,
      kept,
    ),
    audited(ctx, { action: "topup.callback.replay", subject: { kind: "supplier_callback", id } }),
  ]);
  if (!found) throw missing();
  if (found.kind === "refused") throw new AppError("conflict", "A refused callback has no effect");
  if (found.kind === "event")
    return await asksSupplier(replayEvent(ctx, id, [callbackApplierByHand]));
  await replayDeadLetter(ctx, id);
  return "queued";
}

/**
 * For the hourly cron: a flood of refused callbacks, which no other sign tells of, is told to the operator once a day: all
 * are kept, so somebody should stop them.
 */
export async function alertRefusedFlood(ctx: Ctx, provider = REFUSED_PROVIDER): Promise<void> {
  const input = {
    provider,
    at_least: FLOOD_AN_HOUR,
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const told = await ctx.db.run(call("topup_refused_flood", input, z.object({ wake: wakeSchema })));
  wake(ctx, told.wake);
}

/** For the hourly cron: forgets callbacks after ninety days, but those that cron still tries to apply. */
export async function purgeCallbacks(ctx: Ctx): Promise<void> {
  const before = sql`now() - make_interval(days => ${KEPT_DAYS})`;
  await ctx.db.batch([
    rows(
      sql`delete from inbox_events where provider = any (${BOTH}::text[])
        and (state <> 'received' or retry_at is null) and created_at < ${before}`,
      z.unknown(),
    ),
    rows(
      sql`delete from inbox_dead_letters where queue in ('topup-callbacks', 'webhooks') and created_at < ${before}
        and message like '{"v":1,"type":"notice","provider":"vip-reseller%'`,
      z.unknown(),
    ),
    rows(
      sql`delete from topup_supplier_asks where asked_at < now() - make_interval(days => ${ANSWERS_KEPT_DAYS})`,
      z.unknown(),
    ),
  ]);
  await purgeRefused(ctx, KEPT_DAYS);
}
