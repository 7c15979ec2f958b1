import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { seal } from "../../../shared/crypto/seal.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { avatarAddress } from "../avatars.ts";
import { offsetOf, type Page } from "../paging.ts";
import {
  type AgencyHost,
  ApplicationShape,
  type HostForm,
  ListedApplication,
} from "../schemas/agencies.ts";
import { asAgency, requireAgency } from "./owner.ts";

export type Application = z.output<typeof ApplicationShape>;

/** The caller asks an agency to take him as a host. One agency, or one open application, at a time. */
export async function applyAsHost(ctx: Ctx, form: HostForm): Promise<Application> {
  const { userId } = actorOf(ctx);
  const number = form.idNumber ?? form.id_number;
  const input = {
    host_id: userId,
    agency_id: form.agencyId,
    name: form.name,
    gender: form.gender,
    sealed_id_number: number ? await seal(ctx.config, `live/ktp/${userId}`, number) : null,
  };
  return await ctx.db.run(call("live_host_apply", input, ApplicationShape));
}

/** The agency's answer to an application that was made to it, once. */
export async function decideApplication(
  ctx: Ctx,
  { applicationId, approve }: { applicationId: number; approve: boolean },
): Promise<Application> {
  const input = { application_id: applicationId, owner_id: actorOf(ctx).userId, approve };
  return await ctx.db.run(call("live_application_decide", input, ApplicationShape));
}

const LeftShape = ApplicationShape.nullable();

/** The caller leaves his agency, or takes back an application. What he earned there stays on record. */
export async function leaveAgency(ctx: Ctx): Promise<Application> {
  const input = { host_id: actorOf(ctx).userId, agency_id: null, reason: "left" };
  const ended = await ctx.db.run(call("live_membership_end", input, LeftShape));
  if (!ended) throw notFound("Anda tidak terdaftar di agency mana pun");
  return ended;
}

const TUESDAY = 2;
const JAKARTA_MS = 7 * 3_600_000;

/** The agency parts with a host: on Tuesdays of Jakarta alone (contract §4). The membership ends; nothing is deleted. */
export async function removeMember(
  ctx: Ctx,
  { agencyId, hostId }: { agencyId: number; hostId: number },
): Promise<Application> {
  if (new Date(ctx.now().getTime() + JAKARTA_MS).getUTCDay() !== TUESDAY) {
    await ctx.db.run(requireAgency(ctx, agencyId));
    throw new AppError("invalid_input", "Members can only be removed on Tuesday");
  }
  const input = { host_id: hostId, agency_id: agencyId, reason: "removed" };
  const ended = await asAgency(ctx, agencyId, call("live_membership_end", input, LeftShape));
  if (!ended) throw notFound("Member not found");
  return ended;
}

export interface ApplicationsQuery extends Page {
  agencyId: number;
  status: string;
}

/** Applications to an agency, newest first. Those that hosts took back, and past memberships, are under `all` alone. */
export async function listApplications(ctx: Ctx, query: ApplicationsQuery) {
  const { agencyId, status } = query;
  const wanted = status === "all" ? sql`` : sql`and a.status = ${status} and a.ended_at is null`;
  const found = await asAgency(
    ctx,
    agencyId,
    rows(
      sql`select live_application_row(a) || jsonb_build_object('host_name', u.name, 'avatar_url', coalesce(u.avatar_url, ''))
          as row
        from live_host_applications a join identity_users u on u.id = a.host_id
        where a.agency_id = ${agencyId} ${wanted}
        order by a.id desc limit ${query.limit} offset ${offsetOf(query)}`,
      z.object({ row: ListedApplication }),
    ),
  );
  return found.map(({ row }) => ({ ...row, avatar_url: avatarAddress(ctx, row.avatar_url) }));
}

const HostRow = z.object({
  id: z.number(),
  name: z.string(),
  avatar_url: z.string().nullable(),
  phone: z.string().nullable(),
  total_lives: z.number(),
  total_income: z.number(),
});

/**
 * An agency's hosts of today, who earned it most first. Lives and income are added up apart, each over the time of
 * the membership. Of the phone only the ends are shown.
 */
export async function listHosts(
  ctx: Ctx,
  { agencyId, ...page }: Page & { agencyId: number },
): Promise<z.output<typeof AgencyHost>[]> {
  const found = await asAgency(
    ctx,
    agencyId,
    rows(
      sql`with lives as (
          select host_id, count(*) as n from live_agency_sessions(${agencyId}, '-infinity') group by host_id
        )
        select u.id::float8 as id, u.name, u.avatar_url, u.phone, coalesce(l.n, 0)::float8 as total_lives,
          coalesce(i.income, 0)::float8 as total_income
        from live_host_applications a join identity_users u on u.id = a.host_id
        left join lives l on l.host_id = u.id
        left join live_agency_income(${agencyId}, '-infinity', 'infinity') i on i.host_id = u.id
        where a.agency_id = ${agencyId} and a.status = 'approved' and a.ended_at is null
        order by total_income desc, u.id limit ${page.limit} offset ${offsetOf(page)}`,
      HostRow,
    ),
  );
  return found.map(({ phone, avatar_url, ...host }) => ({
    ...host,
    avatar_url: avatarAddress(ctx, avatar_url),
    phone: phone && masked(phone),
    is_active: true,
  }));
}

const masked = (phone: string) =>
  phone.length < 8 ? "****" : `${phone.slice(0, 3)}****${phone.slice(-3)}`;
