import { createRoute, z } from "@hono/zod-openapi";
import { hostingOk } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { listUploads, receiveUpload } from "../uploads.ts";

export const uploadRoutes = createApi();

const tags = ["hosting: websites"];

const FileUpload = z
  .object({
    id: z.string(),
    websiteId: z.string(),
    filename: z.string(),
    originalName: z.string(),
    mimeType: z.string(),
    size: z.number(),
    path: z.string(),
    uploadedAt: z.iso.datetime(),
  })
  .openapi("FileUpload");

uploadRoutes.openapi(
  createRoute({
    method: "post",
    path: "/api/upload",
    tags,
    summary: "Upload a website's archive (ZIP, TAR.GZ or TAR, at most 50 MB)",
    middleware: [access(null, { fresh: true })] as const,
    // Documented here and not under `request`, whose validator would read the body before anything is checked.
    requestBody: {
      required: true,
      content: {
        "multipart/form-data": {
          schema: {
            type: "object",
            properties: {
              file: { type: "string", format: "binary" },
              websiteId: { type: "string" },
            },
            required: ["file", "websiteId"],
          },
        },
      },
    },
    responses: hostingOk({ file: FileUpload }),
  }),
  async (c) => {
    const file = await receiveUpload(c.var.ctx, c.req.raw);
    return c.json({ success: true as const, file }, 200);
  },
);

uploadRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/upload",
    tags,
    summary: "Archives of an own website, newest first",
    middleware: [access(null)] as const,
    request: { query: z.object({ websiteId: z.string().max(64).optional() }) },
    responses: hostingOk({ files: z.array(FileUpload) }),
  }),
  async (c) => {
    const files = await listUploads(c.var.ctx, c.req.valid("query").websiteId ?? "");
    return c.json({ success: true as const, files }, 200);
  },
);
