import { createRoute } from "@hono/zod-openapi";
import { body, enveloped, marketOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { feature } from "../admin/features.ts";
import { enhancePhoto, getPhoto } from "../photos/enhance.ts";
import { idParameters } from "../schemas/fields.ts";
import { EnhanceAnswer, EnhanceInput, PhotoJob } from "../schemas/photos.ts";

export const sellerPhotoRoutes = createApi();

const tags = ["market: seller"];

sellerPhotoRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/seller/products/{id}/enhance-photo",
    tags,
    summary: "Make a picture of mine better; what is not ready after two seconds goes on as a job",
    middleware: [access("seller"), feature("photo_enhance")] as const,
    request: { params: idParameters, body: body(EnhanceInput) },
    responses: marketOk(EnhanceAnswer),
  }),
  async (c) => {
    const { id: productId } = c.req.valid("param");
    const { image_url: imageUrl } = c.req.valid("json");
    return c.json(enveloped(await enhancePhoto(c.var.ctx, { productId, imageUrl })), 200);
  },
);

sellerPhotoRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/seller/photos/{id}",
    tags,
    summary: "How far a picture is that is being made better",
    middleware: [access("seller")] as const,
    request: { params: idParameters },
    responses: marketOk(PhotoJob),
  }),
  async (c) => c.json(enveloped(await getPhoto(c.var.ctx, c.req.valid("param").id)), 200),
);
