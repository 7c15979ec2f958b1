import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { MemberSet, MemberShape } from "../schemas/margins.ts";

/** Gives a user the prices and limits of a level, from his next order on; `not_found` for one that is not there. */
export async function setMemberLevel(
  ctx: Ctx,
  userId: number,
  { level, reason }: { level: string; reason: string },
) {
  const input = { user_id: userId, level, reason, audit: auditContext(ctx) };
  return await ctx.db.run(call("topup_member_set", input, MemberSet));
}

/** Those who have a level of their own, by their id. `next` is the cursor of the following page; null: the last. */
export async function listMembers(
  ctx: Ctx,
  query: { cursor?: string | undefined; limit: number; level?: string | undefined },
) {
  const after = /^\d{1,15}$/.test(query.cursor ?? "") ? Number(query.cursor) : 0;
  const found = await ctx.db.run(
    rows(
      sql`select jsonb_build_object('userId', m.user_id, 'name', u.name, 'level', m.level, 'since', m.updated_at) as one
        from topup_members m join identity_users u on u.id = m.user_id
        where m.user_id > ${after} and (${query.level ?? null}::text is null or m.level = ${query.level ?? null})
        order by m.user_id limit ${query.limit + 1}`,
      z.object({ one: MemberShape }),
    ),
  );
  const members = found.slice(0, query.limit).map(({ one }) => one);
  const more = found.length > query.limit;
  return { members, next: more ? String(members.at(-1)?.userId ?? "") : null };
}
