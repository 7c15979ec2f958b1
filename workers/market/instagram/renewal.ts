import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { describeError } from "../../../shared/log.ts";
import { InstagramError } from "../../../shared/providers/instagram.ts";
import { breakAccount, openToken, RENEW_BEFORE_DAYS, sealToken } from "./accounts.ts";

const AT_ONCE = 50;
/** A renewal that failed, or whose worker died, is tried again after so long. */
const AGAIN_MINUTES = 60;

const Due = z.array(
  z.object({ id: z.uuid(), access_token_enc: z.string(), generation: z.number() }),
);
type Due = z.output<typeof Due>[number];

/** For the hourly cron: tokens are renewed ten days before they end, so that Instagram may be away for a while. */
export async function renewInstagramTokens(ctx: Ctx): Promise<void> {
  if (!ctx.providers.instagram) return;
  const input = { limit: AT_ONCE, again_minutes: AGAIN_MINUTES };
  for (const due of await ctx.db.run(call("market_instagram_due", input, Due))) {
    try {
      await renew(ctx, due);
    } catch (error) {
      const fields = { accountId: due.id, ...describeError(error) };
      ctx.log.warn("Instagram token not renewed", fields);
    }
  }
}

/** Renewing twice does no harm: an answer that was lost costs nothing. */
async function renew(ctx: Ctx, { id, access_token_enc: sealed, generation }: Due): Promise<void> {
  try {
    const token = await ctx.providers.instagram?.refresh(await openToken(ctx, id, sealed));
    if (!token) return;
    const input = {
      id,
      generation,
      access_token_enc: await sealToken(ctx.config, id, token.accessToken),
      expires_at: token.expiresAt.toISOString(),
      renew_before_days: RENEW_BEFORE_DAYS,
    };
    await ctx.db.run(call("market_instagram_renewed", input, z.boolean()));
  } catch (error) {
    if (!(error instanceof InstagramError) || error.fault !== "token") throw error;
    await breakAccount(ctx, { id, generation, reason: error.reason });
  }
}
