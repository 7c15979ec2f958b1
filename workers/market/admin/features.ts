import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, type Statement } from "../../../shared/db/statement.ts";
import type { ApiEnv } from "../../../shared/http/api.ts";

interface Feature {
  /** How it stands for a store of which an admin has said nothing. */
  standard: boolean;
  what: string;
}

/** Everything that can be switched per store. Each name is read by the route or function that `what` names. */
export const FEATURES = {
  marketplace_sync: { standard: true, what: "Menghubungkan dan menyinkronkan marketplace lain" },
  ai_chat: { standard: true, what: "Asisten AI penjual" },
  instagram: { standard: true, what: "Posting ke Instagram" },
  photo_enhance: { standard: true, what: "Perbaikan foto produk dengan AI" },
  promo_codes: { standard: true, what: "Membuat dan mengubah kode promo toko" },
  payouts: { standard: true, what: "Mencairkan saldo ke rekening bank" },
} as const satisfies Record<string, Feature>;

export type FeatureName = keyof typeof FEATURES;
export const FEATURE_NAMES = Object.keys(FEATURES) as FeatureName[];

/**
 * Refuses (`forbidden`) while the actor's store has the feature off; for a batch with the work itself. A query of your
 * own asks SQL function `market_feature_on`.
 */
export function requireFeature(ctx: Ctx, flag: FeatureName): Statement<unknown> {
  const input = { user_id: actorOf(ctx).userId, flag, standard: FEATURES[flag].standard };
  return call("market_require_feature", input, z.unknown());
}

/** Stands behind `access(…)` on a route of a feature. The question rides with the route's first query. */
export function feature(flag: FeatureName): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.var.ctx.db.also(requireFeature(c.var.ctx, flag));
    await next();
  };
}
