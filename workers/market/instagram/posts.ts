import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound, wrongField } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { formatJakarta } from "../../../shared/time/jakarta.ts";
import { requireFeature } from "../admin/features.ts";
import { ownImagePath, pictureUrlOrNull } from "../images.ts";
import { isUuid } from "../schemas/fields.ts";
import { InstagramPost, type PostChanges, type PostsQuery } from "../schemas/instagram.ts";
import { captionProblem, fitPicture, productLink, wholeCaption } from "./fitting.ts";
import { readMoment } from "./moment.ts";

/** What SQL function `market_instagram_post_json` gives. */
const Row = InstagramPost.omit({ product_link: true, scheduled_at_local: true }).extend({
  store_slug: z.string(),
});
type Row = z.output<typeof Row>;
const Saved = z.object({ post: Row, wake: wakeSchema });
const Desk = z.object({ store_id: z.uuid(), store_slug: z.string(), images: z.array(z.string()) });

const NO_PICTURE = {
  market_instagram_posts_scheduled_has_picture: () => wrongField("image_url", "Pilih gambar dulu"),
};

function shown(ctx: Ctx, { store_slug: slug, ...post }: Row): InstagramPost {
  const { product_id: productId, scheduled_at: at } = post;
  return {
    ...post,
    image_url: pictureUrlOrNull(ctx.config, post.image_url),
    product_link: productId === null ? null : productLink(ctx, slug, productId),
    scheduled_at_local: at === null ? null : formatJakarta(new Date(at)),
  };
}

export interface DraftInput {
  /** Given where its maker needs to know it. */
  id?: string;
  productId?: string | null | undefined;
  caption?: string | undefined;
  imageUrl?: string | null | undefined;
  scheduleAt?: string | null | undefined;
}

/**
 * Writes a post for the actor's store; with `scheduleAt` it goes out then by itself. Without a picture it takes the
 * first one of the product that Instagram would take, if the product has any picture. Errors: `invalid_input` (caption, picture, moment, no account),
 * `not_found` (store, product). Source: contract/tokoblitar.md, POST /api/seller/instagram/post.
 */
export async function draftPost(ctx: Ctx, input: DraftInput): Promise<InstagramPost> {
  const { id = null, productId = null, caption = "", imageUrl = null, scheduleAt = null } = input;
  ctx.db.also(requireFeature(ctx, "instagram"));
  // The session is checked by a first query, and refusals below come without one.
  await ctx.db.passGate();
  if (productId !== null && !isUuid(productId)) throw notFound("Produk tidak ditemukan");
  const given = imageUrl === null ? null : ownImagePath(ctx, imageUrl, "image_url");
  const moment = scheduleAt === null ? null : readMoment(ctx, scheduleAt);
  const user_id = actorOf(ctx).userId;
  const desk = await ctx.db.run(
    call("market_instagram_desk", { user_id, product_id: productId }, Desk),
  );
  requireCaption(ctx, desk.store_slug, caption, productId);
  const image_url =
    given === null ? await firstFitting(ctx, desk.images) : await requirePicture(ctx, given);
  if (moment !== null && image_url === null) throw wrongField("image_url", "Pilih gambar dulu");
  const post = { id, user_id, product_id: productId, caption, image_url, scheduled_at: moment };
  const saved = await ctx.db.run(call("market_instagram_create", post, Saved));
  wake(ctx, saved.wake);
  return shown(ctx, saved.post);
}

function requireCaption(ctx: Ctx, slug: string, caption: string, productId: string | null): void {
  const link = productId === null ? null : productLink(ctx, slug, productId);
  const problem = captionProblem(wholeCaption(caption, link));
  if (problem !== null) throw wrongField("caption", problem);
}

async function requirePicture(ctx: Ctx, url: string): Promise<string> {
  const fitted = await fitPicture(ctx, url);
  if ("problem" in fitted) throw wrongField("image_url", fitted.problem);
  return fitted.path;
}

/** Null: the product has no picture yet. That none of its pictures fits is said now, not when the post is to go out. */
async function firstFitting(ctx: Ctx, urls: string[]): Promise<string | null> {
  const problems: string[] = [];
  for (const url of urls) {
    const fitted = await fitPicture(ctx, url);
    if ("path" in fitted) return fitted.path;
    problems.push(fitted.problem);
  }
  if (problems.length === 0) return null;
  throw wrongField(
    "image_url",
    `Tidak ada foto produk ini yang cocok untuk Instagram: ${problems[0]}`,
  );
}

/**
 * Changes a post that is not on its way: what is named, and its schedule (null takes it off). Errors as for
 * `draftPost`, and `conflict` (published, or being published).
 */
export async function editPost(ctx: Ctx, id: string, changes: PostChanges): Promise<InstagramPost> {
  ctx.db.also(requireFeature(ctx, "instagram"));
  const old = await getPost(ctx, id);
  const { product_id = old.product_id, caption = old.caption } = changes;
  const user_id = actorOf(ctx).userId;
  const desk = await ctx.db.run(call("market_instagram_desk", { user_id, product_id }, Desk));
  requireCaption(ctx, desk.store_slug, caption, product_id);
  const input: Record<string, unknown> = { user_id, id, ...changes };
  if (changes.image_url) {
    const given = ownImagePath(ctx, changes.image_url, "image_url");
    input.image_url = await requirePicture(ctx, given);
  }
  if (changes.scheduled_at) input.scheduled_at = readMoment(ctx, changes.scheduled_at);
  return await save(ctx, input);
}

/** Sends a post out now, also one that failed before: whether it is out already is asked about first. */
export async function publishNow(ctx: Ctx, id: string): Promise<InstagramPost> {
  ctx.db.also(requireFeature(ctx, "instagram"));
  return await save(ctx, { user_id: actorOf(ctx).userId, id: postId(id), publish_now: true });
}

async function save(ctx: Ctx, input: Record<string, unknown>): Promise<InstagramPost> {
  const saved = await ctx.db.run(call("market_instagram_edit", input, Saved), NO_PICTURE);
  wake(ctx, saved.wake);
  return shown(ctx, saved.post);
}

/** Takes a post away that is neither published nor on its way. What is out can be deleted at Instagram alone. */
export async function deletePost(ctx: Ctx, id: string): Promise<{ id: string }> {
  const input = { user_id: actorOf(ctx).userId, id: postId(id) };
  return await ctx.db.run(call("market_instagram_delete", input, z.object({ id: z.string() })));
}

const missing = () => notFound("Kiriman tidak ditemukan");

function postId(id: string): string {
  if (!isUuid(id)) throw missing();
  return id;
}

/** One of the actor's posts, also of his store that was deleted: how they ended stays readable. */
export async function getPost(ctx: Ctx, id: string): Promise<InstagramPost> {
  const [found] = await ctx.db.run(
    rows(
      sql`select market_instagram_post_json(p) as post from market_instagram_posts p
        join market_stores s on s.id = p.store_id
        where p.id = ${postId(id)} and s.user_id = ${actorOf(ctx).userId}`,
      z.object({ post: Row }),
    ),
  );
  if (!found) throw missing();
  return shown(ctx, found.post);
}

/** A page of the actor's posts, newest first; those of a deleted store too. */
export async function listPosts(ctx: Ctx, query: PostsQuery) {
  const { page, limit } = query;
  const state = query.state ?? null;
  const matches = sql`from market_instagram_posts p
    join market_stores s on s.id = p.store_id
    where s.user_id = ${actorOf(ctx).userId}
      and (${state}::text is null or market_instagram_post_json(p)->>'state' = ${state})`;
  const [[count], found] = await ctx.db.batch([
    rows(sql`select count(*)::int as total ${matches}`, z.object({ total: z.number() })),
    rows(
      sql`select market_instagram_post_json(p) as post ${matches}
        order by p.created_at desc, p.id desc limit ${limit} offset ${(page - 1) * limit}`,
      z.object({ post: Row }),
    ),
  ]);
  return { rows: found.map(({ post }) => shown(ctx, post)), page, limit, total: count?.total ?? 0 };
}
