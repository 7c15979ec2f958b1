import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { likePattern } from "../../shared/http/answers.ts";
import { avatarAddress } from "./avatars.ts";
import { offsetOf, type Page } from "./paging.ts";
import { hourStart } from "./periods.ts";
import { viewerCounts } from "./room-client.ts";
import type { HostCard as Card } from "./schemas/social.ts";

const DAY_MS = 86_400_000;
const FOUND_AT_MOST = 10;

export type HostCard = z.output<typeof Card>;

const CardRow = z.object({
  id: z.number(),
  name: z.string(),
  avatar_url: z.string().nullable(),
  signature: z.string().nullable(),
  level: z.number(),
  vip_level: z.number(),
  room_id: z.string().nullable(),
  viewers: z.number(),
});

/** What a card needs of `u` (a user) and `s` (his open session, if any). No phone, no e-mail, no income. */
const CARD = sql`u.id::float8 as id, u.name, u.avatar_url, u.signature, u.level, u.vip_level, s.room_id,
  coalesce(s.viewers_now, 0) as viewers`;
const IN_SIGHT = sql`u.banned_at is null and u.deleted_at is null`;
const OPEN_SESSION = sql`live_sessions s on s.host_id = u.id and s.end_time is null`;
const HAS_HOSTED = sql`exists (select from live_sessions p where p.host_id = u.id)`;

/**
 * One round trip for the rows; the rooms themselves say how many watch now. For a room that does not answer the number of
 * its last proof stands in.
 */
async function cards(ctx: Ctx, query: SQL): Promise<HostCard[]> {
  const found = await ctx.db.run(rows(query, CardRow));
  const counts = await viewerCounts(
    ctx,
    found.flatMap((row) => row.room_id ?? []),
  );
  const viewersOf = ({ room_id, viewers }: z.output<typeof CardRow>) =>
    (room_id === null ? undefined : counts.get(room_id)) ?? viewers;
  return found.map((row) => ({
    id: String(row.id),
    name: row.name,
    viewers: viewersOf(row),
    image: avatarAddress(ctx, row.avatar_url),
    title: row.signature || `Live ${row.name}`,
    level: row.level,
    vipLevel: row.vip_level,
    roomId: row.room_id,
    isLive: row.room_id !== null,
  }));
}

/** Who is live, the newest first. */
export async function liveHosts(ctx: Ctx, page: Page): Promise<HostCard[]> {
  return await cards(
    ctx,
    sql`select ${CARD} from live_sessions s join identity_users u on u.id = s.host_id and ${IN_SIGHT}
      where s.end_time is null order by s.start_time desc, s.id desc limit ${page.limit} offset ${offsetOf(page)}`,
  );
}

/** Who is live: those of the last ten minutes first, then by what they earned in 24 hours, then by viewers. */
export async function hotHosts(ctx: Ctx, page: Page): Promise<HostCard[]> {
  const since = hourStart(new Date(ctx.now().getTime() - DAY_MS));
  return await cards(
    ctx,
    sql`with given as (
        select host_id, sum(income) as income from live_host_hours where hour >= ${since} group by host_id
      )
      select ${CARD} from live_sessions s join identity_users u on u.id = s.host_id and ${IN_SIGHT}
      left join given g on g.host_id = s.host_id
      where s.end_time is null
      order by s.start_time > now() - interval '10 minutes' desc, coalesce(g.income, 0) desc, s.viewers_now desc, s.id
      limit ${page.limit} offset ${offsetOf(page)}`,
  );
}

/** Hosts who registered within seven days: who is live first, then the newest. */
export async function newHosts(ctx: Ctx, page: Page): Promise<HostCard[]> {
  const since = new Date(ctx.now().getTime() - 7 * DAY_MS);
  return await cards(
    ctx,
    sql`select ${CARD} from identity_users u left join ${OPEN_SESSION}
      where u.created_at > ${since} and ${IN_SIGHT} and ${HAS_HOSTED}
      order by s.id is not null desc, u.created_at desc, u.id desc limit ${page.limit} offset ${offsetOf(page)}`,
  );
}

/** Whom the caller follows: who is live first, then whom he followed last. */
export async function followedHosts(ctx: Ctx, page: Page): Promise<HostCard[]> {
  return await cards(
    ctx,
    sql`select ${CARD} from live_follows f join identity_users u on u.id = f.followed_id and ${IN_SIGHT}
      left join ${OPEN_SESSION}
      where f.follower_id = ${actorOf(ctx).userId}
      order by s.id is not null desc, f.created_at desc, u.id limit ${page.limit} offset ${offsetOf(page)}`,
  );
}

/**
 * Ten at most, by number when only digits were typed, else by any part of the name. People of the other businesses are
 * not found: only who has hosted, is of an agency, or registered with the app (a phone and no e-mail).
 */
export async function searchHosts(ctx: Ctx, typed: string): Promise<HostCard[]> {
  const words = typed.toWellFormed().replaceAll("\0", "").trim();
  if (words === "" || /^\d{16,}$/.test(words)) return [];
  const wanted = /^\d+$/.test(words)
    ? sql`u.id = ${Number(words)}`
    : sql`u.name ilike ${likePattern(words)}`;
  return await cards(
    ctx,
    sql`select ${CARD} from identity_users u left join ${OPEN_SESSION}
      where ${wanted} and ${IN_SIGHT} and (u.email is null or ${HAS_HOSTED}
        or exists (select from live_host_applications a where a.host_id = u.id and a.status = 'approved'))
      order by s.id is not null desc, u.level desc, u.id limit ${FOUND_AT_MOST}`,
  );
}
