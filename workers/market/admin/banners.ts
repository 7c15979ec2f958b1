import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import { rows } from "../../../shared/db/statement.ts";
import { ownAssetKey, UPLOADS_PATH } from "../../../shared/files/assets.ts";
import { wrongField } from "../../../shared/http/errors.ts";
import { pictureColumn } from "../catalogue-rows.ts";
import { NOT_OURS, picturePath, pictureUrl } from "../images.ts";
import { bannerId, bannerNotFound } from "../refusals.ts";
import { type Banner, type BannerChanges, BannerShape, type NewBanner } from "../schemas/admin.ts";
import { told } from "./told.ts";

export const BANNER_PREFIX = "banners";

const Row = z.object({ banner: BannerShape });

const bannerJson = (
  ctx: Ctx,
) => sql`json_build_object('id', b.id, 'image_url', ${pictureColumn(ctx, "b.image_url")}, 'cta_link', b.cta_link,
  'sort_order', b.sort_order, 'is_active', b.is_active, 'starts_at', market_iso(b.starts_at),
  'ends_at', market_iso(b.ends_at), 'created_at', market_iso(b.created_at), 'updated_at', market_iso(b.updated_at))`;

const BANNER_ERRORS: ConstraintErrors = {
  market_banners_dates: () => wrongField("ends_at", "Harus sesudah starts_at"),
};

/** A picture that this admin uploaded here, as it is stored; anything else is refused (TB-11, TB-20). */
async function ownPicture(ctx: Ctx, url: string): Promise<string> {
  const owner = { prefix: BANNER_PREFIX, ownerId: actorOf(ctx).userId };
  const key = ownAssetKey(url, ctx.config.APP_URL, owner);
  if (key === null) {
    // Whose sign-in has ended learns that, and nothing about pictures.
    await ctx.db.passGate();
    throw wrongField("image_url", NOT_OURS);
  }
  return UPLOADS_PATH + key;
}

/** The picture that a banner has may be said again by any admin, as forms do; another one is his own upload. */
async function changedPicture(ctx: Ctx, id: string, url: string): Promise<string> {
  const query = sql`select b.image_url from market_banners b where b.id = ${bannerId(id)}`;
  const [found] = await ctx.db.run(rows(query, z.object({ image_url: z.string() })));
  if (!found) throw bannerNotFound();
  const { image_url: stored } = found;
  const isSame = [pictureUrl(ctx.config, stored), picturePath(stored)].includes(url);
  return isSame ? picturePath(stored) : await ownPicture(ctx, url);
}

/** Banners of the front page that are shown now, in their order. */
export async function listShownBanners(ctx: Ctx): Promise<Banner[]> {
  const found = await ctx.db.run(
    rows(
      sql`select ${bannerJson(ctx)} as banner from market_banners b
        where b.is_active and coalesce(b.starts_at <= now(), true) and coalesce(b.ends_at > now(), true)
        order by b.sort_order, b.id limit 20`,
      Row,
    ),
  );
  return found.map(({ banner }) => banner);
}

/** A page of all banners, in their order. */
export async function listBanners(ctx: Ctx, { page, limit }: { page: number; limit: number }) {
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from market_banners) as total,
          (select coalesce(json_agg(${bannerJson(ctx)} order by b.sort_order, b.id), '[]')
            from (select b.* from market_banners b order by b.sort_order, b.id
              limit ${limit} offset ${(page - 1) * limit}) b) as rows`,
      z.object({ total: z.number(), rows: z.array(BannerShape) }),
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return { ...found, page, limit };
}

const trace = (ctx: Ctx, verb: string) =>
  told(ctx, {
    action: `market.banner.${verb}`,
    subject: "market_banner",
    changed: sql`b`,
    after: sql`jsonb_build_object('image_url', t.image_url, 'cta_link', t.cta_link, 'is_active', t.is_active,
      'sort_order', t.sort_order)`,
  });

export async function createBanner(ctx: Ctx, input: NewBanner): Promise<Banner> {
  const fields = { ...input, image_url: await ownPicture(ctx, input.image_url) };
  const [created] = await ctx.db.run(
    rows(
      sql`with b as (
          insert into market_banners (image_url, cta_link, sort_order, is_active, starts_at, ends_at)
          select n.image_url, n.cta_link, n.sort_order, n.is_active, n.starts_at, n.ends_at
          from jsonb_populate_record(null::market_banners, ${JSON.stringify(fields)}::jsonb) n
          returning *
        ), told as (${trace(ctx, "create")})
        select ${bannerJson(ctx)} as banner from b, told`,
      Row,
    ),
    BANNER_ERRORS,
  );
  if (!created) throw new Error("an insert without a row");
  return created.banner;
}

export async function updateBanner(ctx: Ctx, { id, ...changes }: BannerChanges): Promise<Banner> {
  const fields = {
    ...changes,
    ...(changes.image_url === undefined
      ? {}
      : { image_url: await changedPicture(ctx, id, changes.image_url) }),
  };
  const [updated] = await ctx.db.run(
    rows(
      sql`with b as (
          update market_banners b
          set (image_url, cta_link, sort_order, is_active, starts_at, ends_at, updated_at) = (
            select n.image_url, n.cta_link, n.sort_order, n.is_active, n.starts_at, n.ends_at, now()
            from jsonb_populate_record(b, ${JSON.stringify(fields)}::jsonb) n)
          where b.id = ${bannerId(id)}
          returning b.*
        ), told as (${trace(ctx, "update")})
        select ${bannerJson(ctx)} as banner from b, told`,
      Row,
    ),
    BANNER_ERRORS,
  );
  if (!updated) throw bannerNotFound();
  return updated.banner;
}

export async function deleteBanner(ctx: Ctx, id: string): Promise<{ id: string }> {
  const [deleted] = await ctx.db.run(
    rows(
      sql`with b as (
          delete from market_banners b where b.id = ${bannerId(id)} returning b.*
        ), told as (${trace(ctx, "delete")})
        select b.id from b, told`,
      z.object({ id: z.string() }),
    ),
  );
  if (!deleted) throw bannerNotFound();
  return deleted;
}
