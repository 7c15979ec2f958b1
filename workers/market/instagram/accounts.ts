import { sql } from "drizzle-orm";
import { z } from "zod";
import { audited } from "../../../shared/audit/audit.ts";
import type { Config } from "../../../shared/config/config.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { seal, unseal } from "../../../shared/crypto/index.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { InstagramError, type InstagramGrant } from "../../../shared/providers/instagram.ts";
import { requireFeature } from "../admin/features.ts";
import { InstagramStatus } from "../schemas/instagram.ts";
import { readState } from "./authorise.ts";
import { instagramOf } from "./client.ts";

/** Renewed at about day 50 of 60. */
export const RENEW_BEFORE_DAYS = 10;

const owner = (id: string) => `market-instagram/${id}/access`;

/** A token as it is stored, sealed for its account's row. */
export const sealToken = (config: Config, id: string, token: string) =>
  seal(config, owner(id), token);

export async function openToken(ctx: Ctx, id: string, sealed: string): Promise<string> {
  const token = await unseal(ctx.config, owner(id), sealed);
  if (token === null) throw new Error("an Instagram token does not open");
  return token;
}

/**
 * Redeems the code of Instagram's callback and keeps the token, sealed. The state counts once and is settled before
 * the code is sent. Errors: `invalid_input` (state, code), `conflict` (the account is another store's),
 * `not_configured`, `provider_unavailable`.
 */
export async function connectAccount(ctx: Ctx, { code, state }: { code: string; state: string }) {
  ctx.db.also(requireFeature(ctx, "instagram"));
  // The session is checked by a first query, and refusals below come without one.
  await ctx.db.passGate();
  const client = instagramOf(ctx);
  const known = await readState(ctx, state);
  const begun = await ctx.db.run(
    call(
      "market_instagram_connect_begin",
      {
        user_id: actorOf(ctx).userId,
        nonce: known.nonce,
        nonce_expires_at: new Date(known.expiresAt).toISOString(),
      },
      z.object({ id: z.uuid() }),
    ),
  );
  const grant = await redeem(() => client.exchangeCode({ code, redirectUrl: known.redirectUrl }));
  await keepGrant(ctx, begun.id, grant);
  return { status: "connected" as const, username: grant.username };
}

/** What the seller can mend is his mistake, the rest an outage. */
async function redeem(exchange: () => Promise<InstagramGrant>): Promise<InstagramGrant> {
  try {
    return await exchange();
  } catch (error) {
    if (!(error instanceof InstagramError)) throw error;
    const isSellers = error.fault === "rejected" || error.fault === "token";
    if (!isSellers) throw new AppError("provider_unavailable", error.reason, { cause: error });
    const words = "Kode otorisasi tidak berlaku. Minta tautan baru dan coba lagi.";
    throw new AppError("invalid_input", `code: ${words}`, { cause: error });
  }
}

async function keepGrant(ctx: Ctx, id: string, grant: InstagramGrant): Promise<void> {
  const input = {
    id,
    account_id: grant.accountId,
    username: grant.username,
    access_token_enc: await sealToken(ctx.config, id, grant.accessToken),
    expires_at: grant.expiresAt.toISOString(),
    renew_before_days: RENEW_BEFORE_DAYS,
  };
  const words = "Akun Instagram ini sudah terhubung ke toko lain";
  await ctx.db.batch(
    [
      call("market_instagram_connect", input, z.literal(true)),
      audited(ctx, {
        action: "market.instagram.connect",
        subject: { kind: "market_instagram_account", id },
        after: { account_id: grant.accountId },
      }),
    ],
    { market_instagram_accounts_account_key: () => new AppError("conflict", words) },
  );
}

/** Forgets the actor's token. Posts that are still to go out fail then, readably. Repeating it changes nothing. */
export async function disconnectAccount(ctx: Ctx) {
  const { userId } = actorOf(ctx);
  await ctx.db.batch([
    call("market_instagram_disconnect", { user_id: userId }, z.boolean()),
    audited(ctx, {
      action: "market.instagram.disconnect",
      subject: { kind: "market_instagram_account", id: String(userId) },
    }),
  ]);
  return { status: "disconnected" as const };
}

/** Whether the actor's store has an account, and why not. */
export async function getStatus(ctx: Ctx): Promise<InstagramStatus> {
  const [found] = await ctx.db.run(
    rows(
      sql`select a.status = 'connected' as connected, a.status, a.status_reason as reason, a.username,
          market_iso(a.connected_at) as connected_at, market_iso(a.token_expires_at) as access_ends_at
        from market_instagram_accounts a join market_stores s on s.id = a.store_id and s.deleted_at is null
        where s.user_id = ${actorOf(ctx).userId}`,
      z.object({ ...InstagramStatus.shape }),
    ),
  );
  const none = { reason: null, username: null, connected_at: null, access_ends_at: null };
  return found ?? { connected: false, status: "disconnected", ...none };
}

/** Marks an account that only its seller can mend, and tells him; news about an older token changes nothing. */
export async function breakAccount(
  ctx: Ctx,
  input: { id: string; generation: number; reason: string },
): Promise<void> {
  const told = await ctx.db.run(
    call("market_instagram_broken", input, z.object({ wake: wakeSchema })),
  );
  wake(ctx, told.wake);
}
