import type { Ctx } from "../../../shared/context.ts";
import { ownImagePath } from "../images.ts";
import type { ImageInput } from "../schemas/products.ts";

/** The rows of a product's images as JSON for one statement: own uploads only, exactly one of them primary. */
export function imageRows(ctx: Ctx, images: readonly ImageInput[]): string {
  const primary = Math.max(
    0,
    images.findIndex((image) => image.is_primary),
  );
  return JSON.stringify(
    images.map((image, i) => ({
      url: ownImagePath(ctx, image.url, `images.${i}.url`),
      is_primary: i === primary,
      is_ai_enhanced: image.is_ai_enhanced,
      sort_order: image.sort_order ?? i,
    })),
  );
}
