import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { type AppError, notFound } from "../../../shared/http/errors.ts";
import { runJob, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { photoJob } from "../photos/index.ts";
import { isUuid } from "../schemas/fields.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { ActionShape, SessionDetail, SessionShape, type Undone } from "./schemas.ts";

interface PageQuery {
  page: number;
  limit: number;
}

const sessionMissing = () => notFound("Sesi tidak ditemukan");
const actionMissing = () => notFound("Tindakan tidak ditemukan");
const idOr = (id: string, missing: () => AppError): string => {
  if (!isUuid(id)) throw missing();
  return id;
};

/** The actor's talks with the assistant, the latest first. */
export async function listSessions(ctx: Ctx, { page, limit }: PageQuery) {
  const mine = sql`market_assistant_sessions s where s.user_id = ${actorOf(ctx).userId}`;
  const [[count], found] = await ctx.db.batch([
    rows(sql`select count(*)::int as total from ${mine}`, z.object({ total: z.number() })),
    rows(
      sql`select s.id, s.title, market_iso(s.created_at) as created_at, market_iso(s.updated_at) as updated_at,
          (select count(*)::int from market_assistant_messages m where m.session_id = s.id) as messages
        from ${mine} order by s.updated_at desc, s.id desc limit ${limit} offset ${(page - 1) * limit}`,
      SessionShape,
    ),
  ]);
  return { rows: found, page, limit, total: count?.total ?? 0 };
}

/** What was said in one of the actor's talks; what tools answered is not for reading. */
export async function getSession(ctx: Ctx, id: string) {
  const [found] = await ctx.db.run(
    rows(
      sql`select s.id, s.title, market_iso(s.created_at) as created_at, market_iso(s.updated_at) as updated_at,
          (select coalesce(jsonb_agg(jsonb_build_object('role', m.role, 'text', t.text,
              'created_at', market_iso(m.created_at)) order by m.id), '[]')
            from market_assistant_messages m cross join lateral (
              select string_agg(b.value->>'text', '' order by b.ordinality) as text
              from jsonb_array_elements(m.content) with ordinality b where b.value->>'type' = 'text') t
            where m.session_id = s.id and t.text is not null) as messages
        from market_assistant_sessions s
        where s.id = ${idOr(id, sessionMissing)} and s.user_id = ${actorOf(ctx).userId}`,
      SessionDetail,
    ),
  );
  if (!found) throw sessionMissing();
  return found;
}

/** Forgets one of the actor's talks, also while it is being answered. What was done in it stays in the log. */
export async function deleteSession(ctx: Ctx, id: string): Promise<{ id: string }> {
  const [deleted] = await ctx.db.run(
    rows(
      sql`delete from market_assistant_sessions s
        where s.id = ${idOr(id, sessionMissing)} and s.user_id = ${actorOf(ctx).userId} returning s.id`,
      z.object({ id: z.string() }),
    ),
  );
  if (!deleted) throw sessionMissing();
  return deleted;
}

/** What the assistant did for the actor, the latest first, and until when each can be undone. */
export async function listActions(ctx: Ctx, { page, limit }: PageQuery) {
  const mine = sql`market_assistant_actions a where a.user_id = ${actorOf(ctx).userId}`;
  const [[count], found] = await ctx.db.batch([
    rows(sql`select count(*)::int as total from ${mine}`, z.object({ total: z.number() })),
    rows(
      sql`select a.id, a.session_id, a.tool, a.input, a.target_kind, a.target_id, a.confirmed,
          case when a.undone_at is null and a.after is not null and a.target_id is not null
              and a.created_at > now() - interval '24 hours'
            then market_iso(a.created_at + interval '24 hours') end as undo_until,
          market_iso(a.undone_at) as undone_at, market_iso(a.created_at) as created_at
        from ${mine} order by a.created_at desc, a.id desc limit ${limit} offset ${(page - 1) * limit}`,
      ActionShape,
    ),
  ]);
  return { rows: found, page, limit, total: count?.total ?? 0 };
}

const RESTORED = "Sudah dikembalikan seperti sebelumnya.";

const Undo = z.object({
  undone: z.boolean().default(true),
  note: z.string().nullish(),
  slug: z.string().nullish(),
  store_id: z.uuid().nullish(),
  wake: wakeSchema.default([]),
  /** What is still to be cleared away. */
  job_id: z.uuid().nullish(),
});

/**
 * Undoes what the assistant did for the actor, within 24 hours and whatever has happened since; `message` says what
 * became of it. Errors: `not_found`, `conflict` (too late, undone already, or to be tried again in a minute),
 * `forbidden` (an admin's act, and the actor is none any more).
 */
export async function undoAction(ctx: Ctx, id: string): Promise<Undone> {
  const { userId } = actorOf(ctx);
  const actionId = idOr(id, actionMissing);
  const input = { action_id: actionId, user_id: userId, ...auditContext(ctx) };
  const left = await ctx.db.run(call("market_assistant_undo", input, Undo));
  const { slug, store_id: storeId, job_id: jobId } = left;
  wake(ctx, left.wake);
  // Cron is the net below this isolate.
  if (jobId) ctx.waitUntil(runJob(ctx, jobId, [photoJob()]));
  if (slug) refreshStorefront(ctx, slug);
  if (storeId) pushSoon(ctx, storeId);
  return { id: actionId, undone: left.undone, message: left.note ?? RESTORED };
}
