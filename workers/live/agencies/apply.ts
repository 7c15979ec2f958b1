import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { seal } from "../../../shared/crypto/seal.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { offsetOf, type Page } from "../paging.ts";
import { type AgencyForm, AgencyShape } from "../schemas/agencies.ts";

export type Agency = z.output<typeof AgencyShape>;

const taken = () => new AppError("conflict", "You already have an agency or an open application");

/** Applies for an agency; a platform admin decides. The identity number is sealed and never answered. */
export async function applyAgency(ctx: Ctx, form: AgencyForm): Promise<Agency> {
  const { userId } = actorOf(ctx);
  const input = {
    user_id: userId,
    family_name: form.familyName,
    region: form.region,
    phone: form.phone,
    email: form.email ?? null,
    address: form.address ?? null,
    sealed_id_number: await seal(ctx.config, `live/ktp/${userId}`, form.idNumber),
  };
  return await ctx.db.run(call("live_agency_apply", input, AgencyShape), {
    live_agencies_owner_key: taken,
  });
}

/** A platform admin's decision, once. */
export async function decideAgency(
  ctx: Ctx,
  { agencyId, approve }: { agencyId: number; approve: boolean },
): Promise<Agency> {
  const input = { agency_id: agencyId, admin_id: actorOf(ctx).userId, approve };
  return await ctx.db.run(call("live_agency_decide", input, AgencyShape));
}

const Row = z.object({ row: AgencyShape });

/** Applications that wait for an admin, oldest first. */
export async function listAgencyApplications(ctx: Ctx, page: Page): Promise<Agency[]> {
  const found = await ctx.db.run(
    rows(
      sql`select live_agency_row(g) as row from live_agencies g where g.status = 'pending'
        order by g.created_at, g.id limit ${page.limit} offset ${offsetOf(page)}`,
      Row,
    ),
  );
  return found.map(({ row }) => row);
}

/** The caller's approved agency; images absolute. */
export async function getOwnAgency(ctx: Ctx): Promise<Agency> {
  const [found] = await ctx.db.run(
    rows(
      sql`select live_agency_row(g) as row from live_agencies g
        where g.user_id = ${actorOf(ctx).userId} and g.status = 'approved'`,
      Row,
    ),
  );
  if (!found) throw new AppError("forbidden", "");
  const { logo_url } = found.row;
  return { ...found.row, logo_url: logo_url && new URL(logo_url, ctx.config.APP_URL).href };
}
