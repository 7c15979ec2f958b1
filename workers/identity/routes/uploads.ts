import { z } from "@hono/zod-openapi";
import { serveAsset, UPLOADS_PATH } from "../../../shared/files/assets.ts";
import { createApi } from "../../../shared/http/api.ts";
import { notFound } from "../../../shared/http/errors.ts";

/** Public images in R2: avatars, product and store pictures. */
export const uploadRoutes = createApi();

uploadRoutes.openAPIRegistry.registerPath({
  method: "get",
  path: `${UPLOADS_PATH}{key}`,
  tags: ["uploads"],
  summary: "A public picture; the key has slashes in it",
  request: { params: z.object({ key: z.string() }) },
  responses: {
    200: { description: "The picture", content: { "image/*": { schema: { type: "string" } } } },
    404: { description: "No such picture" },
  },
});

uploadRoutes.get(`${UPLOADS_PATH}*`, async (c) => {
  const key = c.req.path.slice(UPLOADS_PATH.length);
  const asset = await serveAsset(c.var.ctx.assets, c.req.raw, key);
  if (!asset) throw notFound("File tidak ditemukan");
  return asset;
});
