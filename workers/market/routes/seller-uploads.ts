import { createRoute, z } from "@hono/zod-openapi";
import { enveloped, marketCreated } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { uploadImage } from "../images.ts";

export const sellerUploadRoutes = createApi();

sellerUploadRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/uploads",
    tags: ["market: seller"],
    summary: "Upload a picture (JPEG, PNG or WebP, at most 5 MB)",
    middleware: [access("seller")] as const,
    // Documented here and not under `request`, whose validator would buffer the whole body before the limit.
    requestBody: {
      required: true,
      content: {
        "multipart/form-data": {
          schema: {
            type: "object",
            properties: { file: { type: "string", format: "binary" } },
            required: ["file"],
          },
        },
      },
    },
    responses: marketCreated(z.object({ url: z.url() })),
  }),
  async (c) => c.json(enveloped(await uploadImage(c.var.ctx, c.req.raw)), 201),
);
