import { z } from "zod";
import { audited } from "../../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../../shared/context.ts";
import { call } from "../../../../shared/db/statement.ts";
import { AppError } from "../../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../../shared/jobs/jobs.ts";
import {
  type MarketGrant,
  MarketplaceError,
  type MarketShop,
  marketplaceOf,
  PLATFORM_NAME,
  type Platform,
} from "../../../../shared/providers/marketplace.ts";
import { readState } from "./authorise.ts";
import { sealTokens } from "./tokens.ts";

export interface ConnectInput {
  platform: Platform;
  code: string;
  shop_id?: string | undefined;
  main_account_id?: string | undefined;
  state?: string | undefined;
}

const Begun = z.object({ id: z.uuid(), shop_id: z.string().nullable() });

/**
 * Redeems the code of the platform's callback and keeps the tokens, sealed. The platform gives a code once, so the
 * actor's right and the state are settled first. Errors: `invalid_input` (code, state), `conflict` (the shop is another
 * store's), `not_configured`, `provider_unavailable`. Source: spec/tokoblitar.md, POST /api/seller/marketplace/connect.
 */
export async function connectShop(ctx: Ctx, input: ConnectInput) {
  const { platform, state } = input;
  const client = marketplaceOf(ctx.providers.marketplaces, platform);
  // What a caller brings is judged only once it is sure who he is.
  await ctx.db.passGate();
  const known = state === undefined ? null : await readState(ctx, platform, state);
  const begun = await ctx.db.run(
    call(
      "market_marketplace_connect_begin",
      {
        user_id: actorOf(ctx).userId,
        platform,
        nonce: known?.nonce ?? null,
        nonce_expires_at: known && new Date(known.expiresAt).toISOString(),
      },
      Begun,
    ),
  );
  const grant = await redeem(() =>
    client.exchangeCode({
      code: input.code,
      shopId: input.shop_id,
      mainAccountId: input.main_account_id,
    }),
  );
  const shop = pickShop(grant, { named: input.shop_id, before: begun.shop_id });
  await keepGrant(ctx, { connectionId: begun.id, platform, grant, shop });
  return { status: "connected" as const, shop: { id: shop.shopId, name: shop.name } };
}

/** What the seller can mend is his mistake, the rest an outage. */
async function redeem(exchange: () => Promise<MarketGrant>): Promise<MarketGrant> {
  try {
    return await exchange();
  } catch (error) {
    if (!(error instanceof MarketplaceError)) throw error;
    const isSellers = error.fault === "rejected" || error.fault === "token_revoked";
    if (isSellers) throw new AppError("invalid_input", `code: ${error.reason}`, { cause: error });
    throw new AppError("provider_unavailable", error.reason, { cause: error });
  }
}

/**
 * The shop that was named and no other, else the one that was there before, else the first of the grant; nearly always
 * it is the only one.
 */
function pickShop(
  { shops }: MarketGrant,
  { named, before }: { named: string | undefined; before: string | null },
): MarketShop {
  const found = shops.find(({ shopId }) => shopId === (named ?? before));
  if (found) return found;
  if (named === undefined) return shops[0];
  throw new AppError("invalid_input", "shop_id: Izin yang diberikan bukan untuk toko ini");
}

async function keepGrant(
  ctx: Ctx,
  connected: { connectionId: string; platform: Platform; grant: MarketGrant; shop: MarketShop },
): Promise<void> {
  const { connectionId, platform, grant, shop } = connected;
  const input = {
    connection_id: connectionId,
    shop_id: shop.shopId,
    shop_name: shop.name,
    shop_cipher: shop.shopCipher,
    ...(await sealTokens(ctx.config, connectionId, grant.tokens)),
  };
  const words = `Toko ${PLATFORM_NAME[platform]} ini sudah terhubung ke toko lain`;
  const [kept] = await ctx.db.batch(
    [
      call("market_marketplace_connect", input, z.object({ wake: wakeSchema })),
      audited(ctx, {
        action: "market.marketplace.connect",
        subject: { kind: "market_connection", id: connectionId },
        after: { platform, shop_id: shop.shopId },
      }),
    ],
    { market_connections_shop_key: () => new AppError("conflict", words) },
  );
  wake(ctx, kept.wake);
}

/** Forgets the actor's tokens. What is listed there stays; what waits fails. Repeating it changes nothing. */
export async function disconnectShop(ctx: Ctx, platform: Platform) {
  const { userId } = actorOf(ctx);
  await ctx.db.batch([
    call("market_marketplace_disconnect", { user_id: userId, platform }, z.unknown()),
    audited(ctx, {
      action: "market.marketplace.disconnect",
      subject: { kind: "market_connection", id: `${userId}/${platform}` },
    }),
  ]);
  return { status: "disconnected" as const };
}
