import { createRoute, z } from "@hono/zod-openapi";
import {
  body,
  enveloped,
  marketCreated,
  marketList,
  marketOk,
  page,
  pagingQuery,
} from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import {
  BANNER_PREFIX,
  createBanner,
  deleteBanner,
  listBanners,
  listShownBanners,
  updateBanner,
} from "../admin/banners.ts";
import { uploadImage } from "../images.ts";
import { BannerChanges, BannerShape, NewBanner } from "../schemas/admin.ts";
import { idInQueryOrBody } from "../schemas/fields.ts";
import { Uploaded, uploadBody } from "../schemas/uploads.ts";

export const adminBannerRoutes = createApi();

const tags = ["market: admin"];
const path = "/api/admin/banners";
const admin = () => access("admin", { fresh: true });

adminBannerRoutes.openapi(
  createRoute({
    method: "get",
    path,
    tags,
    summary: "All banners, in their order",
    middleware: [admin()] as const,
    request: { query: z.object(pagingQuery) },
    responses: marketList(BannerShape),
  }),
  async (c) => c.json(page(await listBanners(c.var.ctx, c.req.valid("query"))), 200),
);

adminBannerRoutes.openapi(
  createRoute({
    method: "post",
    path,
    tags,
    summary: "Add a banner with a picture that was uploaded here",
    middleware: [admin()] as const,
    request: { body: body(NewBanner) },
    responses: marketCreated(BannerShape),
  }),
  async (c) => c.json(enveloped(await createBanner(c.var.ctx, c.req.valid("json"))), 201),
);

adminBannerRoutes.openapi(
  createRoute({
    method: "put",
    path,
    tags,
    summary: "Change the banner named by id",
    middleware: [admin()] as const,
    request: { body: body(BannerChanges) },
    responses: marketOk(BannerShape),
  }),
  async (c) => c.json(enveloped(await updateBanner(c.var.ctx, c.req.valid("json"))), 200),
);

adminBannerRoutes.openapi(
  createRoute({
    method: "delete",
    path,
    tags,
    summary: "Remove the banner named by id, in the query or in the body",
    middleware: [admin()] as const,
    request: idInQueryOrBody,
    responses: marketOk(z.object({ id: z.string() })),
  }),
  async (c) => {
    const wanted = c.req.valid("query").id ?? c.req.valid("json").id ?? "";
    return c.json(enveloped(await deleteBanner(c.var.ctx, wanted)), 200);
  },
);

adminBannerRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/admin/uploads",
    tags,
    summary: "Upload a banner's picture (JPEG, PNG or WebP, at most 5 MB)",
    middleware: [admin()] as const,
    requestBody: uploadBody,
    responses: marketCreated(Uploaded),
  }),
  async (c) => c.json(enveloped(await uploadImage(c.var.ctx, c.req.raw, BANNER_PREFIX)), 201),
);

adminBannerRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/buyer/banners",
    tags: ["market: buyer"],
    summary: "Banners of the front page that are shown now",
    responses: marketOk(z.array(BannerShape)),
  }),
  async (c) => c.json(enveloped(await listShownBanners(c.var.ctx)), 200),
);
