import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";
import { optionalParameter, text } from "./fields.ts";

export const POST_STATUSES = ["draft", "published", "failed"] as const;
const STATES = ["draft", "scheduled", "publishing", "published", "failed"] as const;

/**
 * `status` has the three values of the ERD (TB-13); `state` tells a draft that waits for its time, or is on its way,
 * from one that only lies there.
 */
export const InstagramPost = z
  .object({
    id: z.string(),
    store_id: z.string(),
    product_id: z.string().nullable(),
    caption: z.string(),
    /** What is added below the caption, so that buyers find the product. */
    product_link: z.string().nullable(),
    image_url: z.string().nullable(),
    status: z.enum(POST_STATUSES),
    state: z.enum(STATES),
    scheduled_at: z.string().nullable(),
    /** The same moment as a person in Jakarta reads it. */
    scheduled_at_local: z.string().nullable(),
    published_at: z.string().nullable(),
    permalink: z.string().nullable(),
    /** Why it failed, or what it waits for. */
    reason: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("InstagramPost");
export type InstagramPost = z.output<typeof InstagramPost>;

const caption = text(0, 5_000);
const imageUrl = z.string().min(1).max(1000);
/** ISO 8601; without a zone it is Jakarta's clock. */
const moment = z.string().min(1).max(40);

/** Source: contract/tokoblitar.md, POST /api/seller/instagram/post. */
export const NewPost = z
  .object({
    caption: caption.default(""),
    image_url: imageUrl.nullish(),
    product_id: z.uuid().nullish(),
    scheduled_at: moment.nullish(),
  })
  .openapi("NewInstagramPost");

export const PostChanges = z
  .object({
    caption,
    image_url: imageUrl.nullable(),
    product_id: z.uuid().nullable(),
    scheduled_at: moment.nullable(),
  })
  .partial()
  .openapi("InstagramPostChanges");
export type PostChanges = z.output<typeof PostChanges>;

export const PostsQuery = z.object({
  ...pagingQuery,
  state: optionalParameter(z.enum(STATES)),
});
export type PostsQuery = z.output<typeof PostsQuery>;

export const InstagramStatus = z
  .object({
    connected: z.boolean(),
    status: z.enum(["connected", "disconnected", "error"]),
    reason: z.string().nullable(),
    username: z.string().nullable(),
    connected_at: z.string().nullable(),
    access_ends_at: z.string().nullable(),
  })
  .openapi("InstagramStatus");
export type InstagramStatus = z.output<typeof InstagramStatus>;

export const InstagramAuthoriseQuery = z.object({ redirect_url: optionalParameter(z.url()) });
export const InstagramAuthoriseLink = z
  .object({ url: z.string(), state: z.string(), expires_at: z.string() })
  .openapi("InstagramAuthoriseLink");

export const InstagramConnect = z
  .object({ code: z.string().min(1).max(2000), state: z.string().min(1).max(2000) })
  .openapi("InstagramConnect");
export const InstagramConnected = z
  .object({ status: z.literal("connected"), username: z.string() })
  .openapi("InstagramConnected");
