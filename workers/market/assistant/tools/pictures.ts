import { z } from "zod";
import { picturePath } from "../../images.ts";
import { draftPost } from "../../instagram/index.ts";
import { enhancePhoto } from "../../photos/index.ts";
import { NewPost } from "../../schemas/instagram.ts";
import { quoted } from "../data.ts";
import { tool } from "./tool.ts";

const text = { type: "string" };
const productId = z.string().max(100);

export const draftPostTool = tool({
  name: "draft_instagram_post",
  description: "Create an Instagram post draft with caption",
  properties: { product_id: text, caption: text, schedule_at: text },
  role: "seller",
  writes: true,
  feature: "instagram",
  input: z.object({
    product_id: NewPost.shape.product_id,
    caption: NewPost.shape.caption,
    schedule_at: NewPost.shape.scheduled_at,
  }),
  summary: ({ caption, product_id: id, schedule_at: at }, _, names) => {
    const about = id ? ` tentang produk ${quoted(names[id] ?? id)}` : "";
    const words = `Instagram${about}: ${quoted(caption || "tanpa teks")}`;
    return at ? `Jadwalkan posting ${words} pada ${quoted(at)}` : `Buat draf posting ${words}`;
  },
  run: async (ctx, { product_id, caption, schedule_at }, actionId) => {
    const post = await draftPost(ctx, {
      id: actionId,
      productId: product_id,
      caption,
      scheduleAt: schedule_at,
    });
    const { id, status, caption: words, image_url, product_id: product } = post;
    const picture = image_url === null ? null : picturePath(image_url);
    const after = { caption: words, image_url: picture, product_id: product };
    return { told: { id, status }, made: { kind: "market_instagram_post", id, after } };
  },
});

export const enhancePhotoTool = tool({
  name: "enhance_product_photo",
  description: "Enhance a product photo using AI (Replicate)",
  properties: { product_id: text, image_url: text },
  required: ["product_id", "image_url"],
  role: "seller",
  writes: true,
  feature: "photo_enhance",
  input: z.object({ product_id: productId, image_url: z.string().max(1_000) }),
  target: ({ product_id }) => product_id,
  summary: ({ image_url: url }, before) =>
    `Perbaiki foto ${quoted(url)} dari produk ${quoted(before?.name)}`,
  run: async (ctx, { product_id: id, image_url: imageUrl }, actionId) => {
    const told = await enhancePhoto(ctx, { productId: id, imageUrl, photoId: actionId });
    // Asked for before: this act has begun nothing.
    const known = { made: { kind: "market_photo", id: told.job_id, after: null } };
    return { told, ...(told.job_id === actionId ? {} : known) };
  },
});
