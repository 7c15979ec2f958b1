import { z } from "zod";
import { featureProduct } from "../../admin/products.ts";
import { featureStore } from "../../admin/stores.ts";
import { quoted } from "../data.ts";
import { tool } from "./tool.ts";

const text = { type: "string" };
const featured = { type: "boolean" };
const id = z.string().max(100);
const verb = (isFeatured: boolean) => (isFeatured ? "Sorot" : "Hentikan sorotan");

export const featureStoreTool = tool({
  name: "feature_store",
  description: "Feature or unfeature a store on the homepage",
  properties: { store_id: text, featured },
  required: ["store_id", "featured"],
  role: "admin",
  writes: true,
  input: z.object({ store_id: id, featured: z.boolean() }),
  target: ({ store_id }) => store_id,
  summary: (input, before) =>
    `${verb(input.featured)} toko ${quoted(before?.name)} (${quoted(before?.store)}) di halaman depan`,
  run: async (ctx, { store_id, featured: isFeatured }) => {
    const store = await featureStore(ctx, store_id, isFeatured);
    return { told: { id: store.id, is_featured: store.is_featured } };
  },
});

export const featureProductTool = tool({
  name: "feature_product",
  description: "Feature or unfeature a product on the homepage",
  properties: { product_id: text, featured },
  required: ["product_id", "featured"],
  role: "admin",
  writes: true,
  input: z.object({ product_id: id, featured: z.boolean() }),
  target: ({ product_id }) => product_id,
  summary: (input, before) =>
    `${verb(input.featured)} produk ${quoted(before?.name)} dari toko ${quoted(before?.store)} di halaman depan`,
  run: async (ctx, { product_id, featured: isFeatured }) => {
    const product = await featureProduct(ctx, product_id, isFeatured);
    return { told: { id: product.id, is_featured: product.is_featured } };
  },
});
