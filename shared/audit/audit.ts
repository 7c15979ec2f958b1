import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call, rows, type Statement } from "../db/statement.ts";
import { AppError } from "../http/errors.ts";
import { describeError } from "../log.ts";

export type ActorKind = "user" | "key" | "system";

export interface AuditEntry {
  /** What was done, as `domain.noun.verb`: `topup.order.refund`. */
  action: string;
  subject: { kind: string; id: string };
  /** Who, where it is not the context's own actor. */
  actor?: { kind: ActorKind; id: number | null };
  reason?: string | undefined;
  /** What the subject was and became: never a secret, never more personal data than its id. */
  before?: Record<string, unknown> | undefined;
  after?: Record<string, unknown> | undefined;
  address?: string | undefined;
}

/** The statement that tells of a sensitive act; it goes into the batch of the act itself. */
export function audited(ctx: Ctx, entry: AuditEntry): Statement<unknown> {
  return call("audit_write", written(ctx, entry), z.unknown());
}

/** What an SQL function needs to write the entry of its own act: who, and in which request. */
export function auditContext(ctx: Ctx): Record<string, unknown> {
  return { ...actorFields(ctx), request_id: ctx.requestId };
}

function written(ctx: Ctx, entry: AuditEntry): Record<string, unknown> {
  return {
    ...actorFields(ctx, entry.actor),
    action: entry.action,
    subject_kind: entry.subject.kind,
    subject_id: entry.subject.id,
    outcome: "done",
    reason: entry.reason,
    before: entry.before,
    after: entry.after,
    request_id: ctx.requestId,
    address: entry.address,
  };
}

function actorFields(ctx: Ctx, actor?: AuditEntry["actor"]): Record<string, unknown> {
  if (actor) return { actor_kind: actor.kind, actor_id: actor.id };
  return { actor_kind: ctx.actor ? "user" : "system", actor_id: ctx.actor?.userId ?? null };
}

/**
 * Tells of an act that was refused, behind the answer: its own transaction was undone, so this is another one, past
 * the session check that may have refused. A lost entry costs a log line, never the caller's answer. `writer`: an SQL
 * function that decides, by `fields` too, whether the entry is worth keeping.
 */
export function auditRefusal(
  ctx: Ctx,
  entry: AuditEntry,
  error: unknown,
  { writer = "audit_refused", fields = {} }: { writer?: string; fields?: object } = {},
): void {
  const reason = error instanceof AppError ? error.code : "internal";
  const input = { ...written(ctx, { ...entry, reason: entry.reason ?? reason }), ...fields };
  ctx.waitUntil(
    ctx.db
      .beside()
      .run(call(writer, input, z.unknown()))
      .catch((failure: unknown) =>
        ctx.log.error("refusal not written down", {
          action: entry.action,
          ...describeError(failure),
        }),
      ),
  );
}

const row = z
  .object({
    id: z.number(),
    actor_kind: z.string(),
    actor_id: z.number().nullable(),
    action: z.string(),
    outcome: z.string(),
    reason: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
    created_at: z.coerce.date(),
  })
  .transform(({ actor_kind: actorKind, actor_id: actorId, created_at: createdAt, ...rest }) => ({
    ...rest,
    actorKind,
    actorId,
    createdAt,
  }));

/** What is known of one subject, newest first. */
export function auditOf(subject: { kind: string; id: string }, limit = 100) {
  return rows(
    sql`select id::float8 as id, actor_kind, actor_id::float8 as actor_id, action, outcome, reason, before, after, created_at
      from audit_entries where subject_kind = ${subject.kind} and subject_id = ${subject.id}
      order by id desc limit ${limit}`,
    row,
  );
}
