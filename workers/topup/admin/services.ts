import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import {
  type AdminServiceQuery,
  AdminServiceShape,
  type ServiceSwitch,
  ServicesSwitched,
} from "../schemas/admin-services.ts";

/**
 * Takes services off sale or puts them back, all or none; what they already are is left alone. `not_found` for what the
 * catalogue does not have. Orders that were paid go on, and no sync changes the switch.
 */
export async function switchServices(ctx: Ctx, { services, active, reason }: ServiceSwitch) {
  const input = { services, active, reason, audit: auditContext(ctx) };
  return await ctx.db.run(call("topup_services_switch", input, ServicesSwitched));
}

/** The catalogue as admins see it, those off sale too. `next` is the cursor of the following page; null: the last. */
export async function listAllServices(ctx: Ctx, query: AdminServiceQuery) {
  const { active, family, code, limit } = query;
  const after = z.uuid().safeParse(query.cursor).data ?? null;
  const found = await ctx.db.run(
    rows(
      sql`select topup_service_admin_view(s) as one from topup_services s
        where (${after}::uuid is null or s.id > ${after}::uuid)
          and (${active ?? null}::boolean is null or s.active = ${active ?? null}::boolean)
          and (${family ?? null}::text is null or s.family = ${family ?? null})
          and (${code ?? null}::text is null or s.code = ${code ?? null})
        order by s.id limit ${limit + 1}`,
      z.object({ one: AdminServiceShape }),
    ),
  );
  const services = found.slice(0, limit).map(({ one }) => one);
  return { services, next: found.length > limit ? (services.at(-1)?.id ?? null) : null };
}
