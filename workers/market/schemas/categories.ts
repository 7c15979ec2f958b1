import { z } from "@hono/zod-openapi";

export const CategoryShape = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    icon_url: z.string().nullable(),
    parent_id: z.string().nullable(),
  })
  .openapi("Category");

export type Category = z.output<typeof CategoryShape>;
