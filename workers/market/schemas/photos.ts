import { z } from "@hono/zod-openapi";

/** Source: spec/tokoblitar.md, POST /api/seller/products/[id]/enhance-photo. */
export const EnhanceInput = z
  .object({ image_url: z.string().min(1).max(1000) })
  .openapi("EnhancePhotoInput");

/** `enhanced_url` is null while the work goes on; then GET /api/seller/photos/{job_id} tells. */
export const EnhanceAnswer = z
  .object({ enhanced_url: z.string().nullable(), job_id: z.string() })
  .openapi("EnhancedPhoto");
export type EnhanceAnswer = z.output<typeof EnhanceAnswer>;

export const PhotoJob = z
  .object({
    job_id: z.string(),
    product_id: z.string(),
    /** The original stays where it is; the seller chooses with PUT /api/seller/products/{id}. */
    image_url: z.string(),
    enhanced_url: z.string().nullable(),
    status: z.enum(["queued", "running", "ready", "failed"]),
    reason: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .openapi("PhotoJob");
export type PhotoJob = z.output<typeof PhotoJob>;
