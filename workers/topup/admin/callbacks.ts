import { sql } from "drizzle-orm";
import { z } from "zod";
import { audited } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { replayEvent } from "../../../shared/inbox/inbox.ts";
import { callbackApplier, refusedCallbackApplier, trimRefused } from "../orders/index.ts";
import { CallbackShape } from "../schemas/admin.ts";

/** How long the supplier's callbacks are kept. */
const KEPT_DAYS = 90;

const verified = callbackApplier.provider;
const refused = refusedCallbackApplier.provider;
const isUuid = (text: string) => z.uuid().safeParse(text).success;

/**
 * The supplier's callbacks and what became of them, refused ones too, newest first; never their text, which may hold
 * a token. `next` is the cursor of the following page; null: the last.
 */
export async function listCallbacks(
  ctx: Ctx,
  query: {
    cursor?: string | undefined;
    limit: number;
    verdict?: "verified" | "refused" | undefined;
    state?: string | undefined;
  },
) {
  const after = query.cursor && isUuid(query.cursor) ? query.cursor : null;
  const provider = query.verdict === "refused" ? refused : verified;
  const providers = query.verdict ? `{${provider}}` : `{${verified},${refused}}`;
  const found = await ctx.db.run(
    rows(
      sql`select jsonb_build_object('id', e.id, 'verdict', coalesce(k.kept->>'verdict', 'verified'),
            'form', k.kept->>'form', 'trxId', k.kept->>'trxid', 'status', k.kept->>'statusText',
            'count', coalesce((k.kept->>'count')::int, 1), 'dropped', coalesce((k.kept->>'dropped')::int, 0),
            'receivedAt', e.received_at, 'state', e.state, 'note', e.note, 'attempts', e.attempts) as one
        from inbox_events e cross join lateral (select e.body::jsonb as kept offset 0) k
        where e.provider = any (${providers}::text[]) and (${after}::uuid is null or e.id < ${after}::uuid)
          and (${query.state ?? null}::text is null or e.state = ${query.state ?? null})
        order by e.id desc limit ${query.limit + 1}`,
      z.object({ one: CallbackShape }),
    ),
  );
  const callbacks = found.slice(0, query.limit).map(({ one }) => one);
  return { callbacks, next: found.length > query.limit ? (callbacks.at(-1)?.id ?? null) : null };
}

/** Applies a verified callback again. It stays a hint: what it moves, the supplier confirms. */
export async function replayCallback(ctx: Ctx, id: string): Promise<"applied" | "parked"> {
  const missing = () => notFound("Callback not found");
  if (!isUuid(id)) throw missing();
  const [[event]] = await ctx.db.batch([
    rows(
      sql`select e.id from inbox_events e where e.id = ${id} and e.provider = ${verified}`,
      z.object({ id: z.uuid() }),
    ),
    audited(ctx, { action: "topup.callback.replay", subject: { kind: "supplier_callback", id } }),
  ]);
  if (!event) throw missing();
  return await replayEvent(ctx, event.id, [callbackApplier]);
}

/**
 * For the hourly cron: forgets callbacks after ninety days, but those that cron still tries to apply; refused ones sooner
 * when they are very many.
 */
export async function purgeCallbacks(ctx: Ctx): Promise<void> {
  await ctx.db.run(
    rows(
      sql`delete from inbox_events where provider = any (${`{${verified},${refused}}`}::text[])
        and (state <> 'received' or retry_at is null) and created_at < now() - make_interval(days => ${KEPT_DAYS})`,
      z.unknown(),
    ),
  );
  await trimRefused(ctx);
}
