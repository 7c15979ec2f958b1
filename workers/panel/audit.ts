import { type SQL, sql } from "drizzle-orm";
import type { Context } from "hono";
import { z } from "zod";
import { type ActorKind, type AuditEntry, audited } from "../../shared/audit/audit.ts";
import { auditRefusals } from "../../shared/audit/refusals.ts";
import type { Ctx } from "../../shared/context.ts";
import { rows, type Statement } from "../../shared/db/statement.ts";
import type { ApiEnv } from "../../shared/http/api.ts";

export interface PanelAct {
  /** The contract's word: `site.create`, `db.create_user`. */
  action: string;
  target: { type: string; id: string };
  /** What the trail shows beside it. Never a secret. */
  metadata?: Record<string, unknown> | undefined;
  actor?: { kind: ActorKind; id: number | null };
  address?: string | undefined;
}

/** The longest target that is kept: a typed user name may be anything. */
const MAX_TARGET = 200;

export const entryOf = ({ target, metadata, ...act }: PanelAct): AuditEntry => ({
  ...act,
  subject: { kind: `panel_${target.type}`, id: target.id.slice(0, MAX_TARGET) },
  after: metadata,
});

/** The statement that tells of an act on the panel; it goes into the batch of the act itself. */
export const panelAudited = (ctx: Ctx, act: PanelAct): Statement<unknown> =>
  audited(ctx, entryOf(act));

/** Before `access(…)`: keeps who was turned away from an act, and why; the trail shows `<action>.refused`. */
export const panelRefusals = (
  action: string,
  type: string,
  idOf: (c: Context<ApiEnv>) => string = () => "",
) =>
  auditRefusals(action, (c) => ({ kind: `panel_${type}`, id: idOf(c).slice(0, MAX_TARGET) }), {
    nobody: true,
    writer: "panel_refused",
  });

export interface AuditFilter {
  limit: number;
  action?: string | undefined;
  actor_user?: string | undefined;
  target_type?: string | undefined;
  target_id?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  /** Entries older than this one: how a reader turns the page. */
  before?: number | undefined;
}

const AuditRow = z.object({
  id: z.number(),
  actor_user: z.string(),
  action: z.string(),
  target_type: z.string(),
  target_id: z.string(),
  metadata: z.string(),
  created_at: z.string(),
});

/** One view of the trail, in the contract's words: who is `usr_…`, `system`, or nobody whom we know. */
const TRAIL = sql`
  select e.id,
    case when e.actor_id is not null then 'usr_' || e.actor_id
      when e.action like 'auth.login%' or e.outcome = 'refused' and e.reason = 'bad_token' then '' else e.actor_kind end as actor_user,
    e.action || case when e.outcome = 'refused' then '.refused' else '' end as action,
    substr(e.subject_kind, 7) as target_type, e.subject_id as target_id,
    coalesce(case when e.outcome = 'refused' and e.reason is not null
      then coalesce(e.after, '{}') || jsonb_build_object('reason', e.reason) else e.after end, 'null')::text as metadata,
    e.created_at
  from audit_entries e where left(e.subject_kind, 6) = 'panel_'`;

/** What was done on the panel and what was refused, newest first. */
export async function listAudit(ctx: Ctx, filter: AuditFilter) {
  const wanted: SQL[] = [];
  for (const name of ["action", "actor_user", "target_type", "target_id"] as const) {
    const value = filter[name];
    if (value !== undefined) wanted.push(sql`t.${sql.identifier(name)} = ${value}`);
  }
  if (filter.since) wanted.push(sql`t.created_at >= ${filter.since}::timestamptz`);
  if (filter.until) wanted.push(sql`t.created_at < ${filter.until}::timestamptz`);
  if (filter.before) wanted.push(sql`t.id < ${filter.before}`);
  const where = wanted.length > 0 ? sql`where ${sql.join(wanted, sql` and `)}` : sql``;
  const items = await ctx.db.run(
    rows(
      sql`select t.id::float8 as id, t.actor_user, t.action, t.target_type, t.target_id, t.metadata,
          panel_time(t.created_at) as created_at
        from (${TRAIL}) t ${where} order by t.id desc limit ${filter.limit}`,
      AuditRow,
    ),
  );
  return { items };
}

/** Ends what is older than the operator keeps (cron); only the panel's own entries. */
export async function purgeAudit(ctx: Ctx): Promise<void> {
  await ctx.db.run(
    rows(
      sql`delete from audit_entries where left(subject_kind, 6) = 'panel_'
        and created_at < now() - make_interval(days => ${ctx.config.PANEL_AUDIT_DAYS}::int)`,
      z.unknown(),
    ),
  );
}
