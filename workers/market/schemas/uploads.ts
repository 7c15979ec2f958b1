import { z } from "@hono/zod-openapi";

/**
 * What an upload's route is documented with. It stands beside `request`, whose validator would buffer the whole body
 * before the limit.
 */
export const uploadBody = {
  required: true,
  content: {
    "multipart/form-data": {
      schema: {
        type: "object" as const,
        properties: { file: { type: "string" as const, format: "binary" } },
        required: ["file"],
      },
    },
  },
};

export const Uploaded = z.object({ url: z.url() });
