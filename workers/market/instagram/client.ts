import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import type { Instagram } from "../../../shared/providers/instagram.ts";

/** The client, or a clear 503. */
export function instagramOf(ctx: Ctx): Instagram {
  const client = ctx.providers.instagram;
  if (!client) throw new AppError("not_configured", "Instagram belum tersedia");
  return client;
}
