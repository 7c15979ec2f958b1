import { createRoute } from "@hono/zod-openapi";
import { enveloped, marketCreated } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { uploadImage } from "../images.ts";
import { Uploaded, uploadBody } from "../schemas/uploads.ts";

export const sellerUploadRoutes = createApi();

sellerUploadRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/uploads",
    tags: ["market: seller"],
    summary:
      "Upload a picture (JPEG, PNG or WebP, at most 5 MB); marketplaces and Instagram take no WebP",
    middleware: [access("seller")] as const,
    requestBody: uploadBody,
    responses: marketCreated(Uploaded),
  }),
  async (c) => c.json(enveloped(await uploadImage(c.var.ctx, c.req.raw)), 201),
);
