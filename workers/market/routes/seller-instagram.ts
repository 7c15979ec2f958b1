import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  marketCreated,
  marketList,
  marketOk,
  page,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { feature } from "../admin/features.ts";
import { connectAccount, disconnectAccount, getStatus } from "../instagram/accounts.ts";
import { authoriseLink } from "../instagram/authorise.ts";
import {
  deletePost,
  draftPost,
  editPost,
  getPost,
  listPosts,
  publishNow,
} from "../instagram/posts.ts";
import { idParameters } from "../schemas/fields.ts";
import {
  InstagramAuthoriseLink,
  InstagramAuthoriseQuery,
  InstagramConnect,
  InstagramConnected,
  InstagramPost,
  InstagramStatus,
  NewPost,
  PostChanges,
  PostsQuery,
} from "../schemas/instagram.ts";

export const sellerInstagramRoutes = createApi();

const tags = ["market: instagram"];
const base = "/api/seller/instagram";

sellerInstagramRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/status`,
    tags,
    summary: "My Instagram account",
    middleware: [access("seller")] as const,
    responses: marketOk(InstagramStatus),
  }),
  async (c) => c.json(enveloped(await getStatus(c.var.ctx)), 200),
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/authorise`,
    tags,
    summary: "Where I let the platform post for me; the state is good for one connection",
    middleware: [access("seller")] as const,
    request: { query: InstagramAuthoriseQuery },
    responses: marketOk(InstagramAuthoriseLink),
  }),
  async (c) => {
    const { redirect_url: redirectUrl } = c.req.valid("query");
    return c.json(enveloped(await authoriseLink(c.var.ctx, { redirectUrl })), 200);
  },
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/connect`,
    tags,
    summary: "Connect my account with the code and state of Instagram's callback",
    middleware: [access("seller"), feature("instagram")] as const,
    request: { body: body(InstagramConnect) },
    responses: marketOk(InstagramConnected),
  }),
  async (c) => c.json(enveloped(await connectAccount(c.var.ctx, c.req.valid("json"))), 200),
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/disconnect`,
    tags,
    summary: "Forget the access to my account; what is published stays",
    middleware: [access("seller")] as const,
    responses: marketOk(z.object({ status: z.literal("disconnected") })),
  }),
  async (c) => c.json(enveloped(await disconnectAccount(c.var.ctx)), 200),
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/post`,
    tags,
    summary: "Write a post; with a moment it goes out then by itself",
    middleware: [access("seller"), feature("instagram")] as const,
    request: { body: body(NewPost) },
    responses: marketCreated(InstagramPost),
  }),
  async (c) => {
    const {
      product_id: productId,
      image_url: imageUrl,
      scheduled_at: scheduleAt,
      caption,
    } = c.req.valid("json");
    const post = await draftPost(c.var.ctx, { productId, imageUrl, scheduleAt, caption });
    return c.json(enveloped(post), 201);
  },
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/posts`,
    tags,
    summary: "My posts: drafts, scheduled, published, failed",
    middleware: [access("seller")] as const,
    request: { query: PostsQuery },
    responses: marketList(InstagramPost),
  }),
  async (c) => c.json(page(await listPosts(c.var.ctx, c.req.valid("query"))), 200),
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "get",
    path: `${base}/posts/{id}`,
    tags,
    summary: "One of my posts",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(InstagramPost),
  }),
  async (c) => c.json(enveloped(await getPost(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "put",
    path: `${base}/posts/{id}`,
    tags,
    summary: "Change or reschedule a post that is not on its way; scheduled_at null takes it off",
    middleware: [access("seller"), feature("instagram")] as const,
    request: { params: idParameters, body: body(PostChanges) },
    responses: marketOk(InstagramPost),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    return c.json(enveloped(await editPost(c.var.ctx, id, c.req.valid("json"))), 200);
  },
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "delete",
    path: `${base}/posts/{id}`,
    tags,
    summary: "Take a post away that is neither published nor on its way",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => c.json(enveloped(await deletePost(c.var.ctx, c.req.valid("param").id)), 200),
);

sellerInstagramRoutes.openapi(
  createRoute({
    method: "post",
    path: `${base}/posts/{id}/publish`,
    tags,
    summary: "Publish a post now; its state tells how it went",
    middleware: [access("seller"), feature("instagram")] as const,
    request: { params: idParameters },
    responses: marketOk(InstagramPost),
  }),
  async (c) => c.json(enveloped(await publishNow(c.var.ctx, c.req.valid("param").id)), 200),
);
