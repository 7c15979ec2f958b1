import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { offsetOf, type Page } from "./paging.ts";
import { FollowedShape } from "./schemas/social.ts";

/** The caller follows somebody, once. */
export async function follow(ctx: Ctx, targetUserId: number): Promise<void> {
  await ctx.db.run(call("live_follow", pairOf(ctx, targetUserId), z.literal(true)));
}

/** The caller follows somebody no more. */
export async function unfollow(ctx: Ctx, targetUserId: number): Promise<void> {
  await ctx.db.run(call("live_unfollow", pairOf(ctx, targetUserId), z.literal(true)));
}

const pairOf = (ctx: Ctx, targetUserId: number) => ({
  follower_id: actorOf(ctx).userId,
  followed_id: targetUserId,
});

const Total = z.object({ total: z.number() });

/** Whom the caller follows, or who follows him: the newest first, and how many in all, on whatever page. */
export async function listFollows(
  ctx: Ctx,
  { side, ...page }: Page & { side: "following" | "followers" },
) {
  const me = actorOf(ctx).userId;
  const [mine, other] =
    side === "following"
      ? [sql`f.follower_id`, sql`f.followed_id`]
      : [sql`f.followed_id`, sql`f.follower_id`];
  const [data, [counted]] = await ctx.db.batch([
    rows(
      sql`select u.id::float8 as id, u.name, u.avatar_url, u.level, u.vip_level as "vipLevel", u.signature,
          to_jsonb(f.created_at)#>>'{}' as "followedAt",
          exists (select from live_follows b where b.follower_id = ${me} and b.followed_id = u.id) as "isFollowing",
          exists (select from live_sessions s where s.host_id = u.id and s.end_time is null) as "isLive"
        from live_follows f join identity_users u on u.id = ${other} and u.banned_at is null and u.deleted_at is null
        where ${mine} = ${me} order by f.created_at desc, ${other} limit ${page.limit} offset ${offsetOf(page)}`,
      FollowedShape,
    ),
    rows(sql`select count(*)::float8 as total from live_follows f where ${mine} = ${me}`, Total),
  ]);
  return { data, total: counted?.total ?? 0, page: page.page, limit: page.limit };
}

/** How many the caller follows, and how many follow him. */
export async function countFollows(ctx: Ctx): Promise<{ following: number; followers: number }> {
  const me = actorOf(ctx).userId;
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::float8 from live_follows where follower_id = ${me}) as following,
        (select count(*)::float8 from live_follows where followed_id = ${me}) as followers`,
      z.object({ following: z.number(), followers: z.number() }),
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return found;
}
