import type { Ctx } from "../../../shared/context.ts";

/** Asks a store's cached page to read itself anew, after the answer; a lost call heals by the store's version. */
export function refreshStorefront(ctx: Ctx, slug: string): void {
  ctx.waitUntil(ctx.stores.get(ctx.stores.idFromName(slug)).refresh());
}
