import { z } from "zod";
import { formatRupiah } from "../../../../shared/money/format.ts";
import { PLATFORMS } from "../../../../shared/providers/marketplace.ts";
import { formatJakarta } from "../../../../shared/time/jakarta.ts";
import { syncProducts } from "../../marketplaces/sync.ts";
import { createPromo } from "../../promos.ts";
import { SyncInput } from "../../schemas/marketplace.ts";
import { NewPromo } from "../../schemas/promos.ts";
import { quoted } from "../data.ts";
import { orderSummary } from "../order-summary.ts";
import { tool } from "./tool.ts";

const text = { type: "string" };
const number = { type: "number" };
const PROMO_FIELDS = ["code", "type", "value", "min_purchase", "max_uses"] as const;

export const createPromoTool = tool({
  name: "create_promo",
  description: "Create a promo code campaign",
  properties: {
    code: text,
    type: { type: "string", enum: ["percentage", "fixed"] },
    value: number,
    starts_at: text,
    ends_at: text,
    min_purchase: number,
    max_uses: number,
  },
  required: ["code", "type", "value", "starts_at", "ends_at"],
  role: "seller",
  writes: true,
  feature: "promo_codes",
  input: NewPromo,
  summary: ({ code, type, value, min_purchase, max_uses, starts_at, ends_at, is_active }) => {
    const day = (at: string) => formatJakarta(new Date(at));
    return [
      `Buat promo ${code}: potongan ${type === "percentage" ? `${value} %` : formatRupiah(value)}`,
      ...(min_purchase > 0 ? [`belanja minimal ${formatRupiah(min_purchase)}`] : []),
      ...(max_uses === null ? [] : [`paling banyak ${max_uses} kali`]),
      `berlaku ${starts_at ? day(starts_at) : "mulai sekarang"} sampai ${day(ends_at)}`,
      ...(is_active ? [] : ["belum aktif"]),
    ].join(", ");
  },
  run: async (ctx, input, actionId) => {
    const promo = await createPromo(ctx, input, actionId);
    const after = Object.fromEntries(PROMO_FIELDS.map((field) => [field, promo[field]]));
    const { id, code, starts_at, ends_at } = promo;
    return { told: { id, code, starts_at, ends_at }, made: { kind: "market_promo", id, after } };
  },
});

export const syncTool = tool({
  name: "sync_to_marketplace",
  description: "Sync products to Tokopedia, Shopee, or Lazada",
  properties: {
    platform: { type: "string", enum: ["tokopedia", "shopee", "lazada"] },
    product_ids: { type: "array", items: text },
  },
  required: ["platform"],
  role: "seller",
  writes: true,
  feature: "marketplace_sync",
  input: SyncInput.extend({ platform: z.enum(PLATFORMS) }),
  summary: ({ platform, product_ids: ids }, _, names) => {
    const list = ids?.map((id) => quoted(names[id] ?? id)).join(", ");
    return `Sinkronkan ${list === undefined ? "semua produk yang dijual" : `produk ${list}`} ke ${platform}`;
  },
  run: async (ctx, input, actionId) => ({ told: await syncProducts(ctx, input, actionId) }),
});

export const orderSummaryTool = tool({
  name: "get_order_summary",
  description: "Get recent orders and revenue summary for the seller",
  properties: { days: { ...number, default: 7 } },
  role: "seller",
  writes: false,
  input: z.object({ days: z.number().int().min(1).max(90).default(7) }),
  run: async (ctx, { days }) => ({ told: await orderSummary(ctx, days), source: "pesanan" }),
});
