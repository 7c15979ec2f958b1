import { z } from "zod";
import type { Config } from "../../../../shared/config/config.ts";
import type { Ctx } from "../../../../shared/context.ts";
import { seal, unseal } from "../../../../shared/crypto/index.ts";
import type { Database } from "../../../../shared/db/database.ts";
import { call, type Statement } from "../../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../../shared/jobs/jobs.ts";
import { describeError } from "../../../../shared/log.ts";
import {
  MarketplaceError,
  type MarketTokens,
  marketplaceOf,
  PLATFORM_NAME,
  PLATFORMS,
  type ShopAuth,
} from "../../../../shared/providers/marketplace.ts";

/** Longer than a renewal may take; only then is its holder taken for dead. */
const LEASE_SECONDS = 60;
/** A lease that was longer on its way than this leaves too little for a renewal. */
const LATE_MS = 20_000;
/** When a pair is brought to Postgres again that did not take it; nobody else ever gets it. */
const KEEP_AGAIN_MS = [500, 2_000, 8_000];
/** A pause after a renewal that the platform did not answer. */
const PAUSE_SECONDS = 30;
/** Renewed when less than this is left: no call that starts now outlives it. */
const MARGIN_SECONDS = 600;
/** For a renewal that somebody else has begun; most take well under a second. */
const WAIT_STEPS_MS = [50, 100, 200, 400, 800, 1_500, 2_000];

const text = z.string();
const ShopRow = z.object({
  id: text,
  store_id: text,
  platform: z.enum(PLATFORMS),
  shop_id: text,
  shop_cipher: text.nullable(),
  setup: z.object({ logisticIds: z.array(text), warehouseId: text.nullable() }).nullable(),
  setup_is_fresh: z.boolean(),
  access_token_enc: text,
  refresh_token_enc: text,
  generation: z.number(),
  access_expires_at: z.coerce.date(),
  refresh_attempts: z.number(),
  /** Its orders are known until then. */
  orders_since: z.coerce.date().nullable(),
});
export type ShopRow = z.output<typeof ShopRow>;

const Tokens = z.discriminatedUnion("state", [
  ShopRow.extend({ state: z.literal("ok") }),
  ShopRow.extend({ state: z.literal("busy") }),
  ShopRow.extend({ state: z.literal("renew"), lease: z.uuid() }),
  z.object({ state: z.enum(["broken", "gone"]), reason: text.nullish() }),
]);

/** A shop that can be called now. */
export interface OpenShop {
  row: ShopRow;
  auth: ShopAuth;
}

/** The shop cannot be called: its seller must connect it again, or has left. */
export class ShopClosedError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super("the shop is not connected");
    this.name = "ShopClosedError";
    this.reason = reason;
  }
}

const owner = (connectionId: string, which: "access" | "refresh") =>
  `market-connection/${connectionId}/${which}`;

/** A pair as it is stored, sealed for its connection. */
export async function sealTokens(config: Config, connectionId: string, tokens: MarketTokens) {
  return {
    access_token_enc: await seal(config, owner(connectionId, "access"), tokens.accessToken),
    refresh_token_enc: await seal(config, owner(connectionId, "refresh"), tokens.refreshToken),
    access_expires_at: tokens.accessExpiresAt.toISOString(),
    refresh_expires_at: tokens.refreshExpiresAt?.toISOString() ?? null,
  };
}

async function openToken(ctx: Ctx, id: string, which: "access" | "refresh", sealed: string) {
  const token = await unseal(ctx.config, owner(id, which), sealed);
  if (token === null) throw new Error("a marketplace token does not open");
  return token;
}

/**
 * The shop with an access token that is good for some minutes, renewed if need be by exactly one caller at a time.
 * `stale`: the generation whose token was just refused. Throws `ShopClosedError`, or the platform's failure.
 */
export async function openShop(
  ctx: Ctx,
  connectionId: string,
  {
    stale,
    marginSeconds = MARGIN_SECONDS,
    waitStepsMs = WAIT_STEPS_MS,
  }: { stale?: number; marginSeconds?: number; waitStepsMs?: number[] } = {},
): Promise<OpenShop> {
  for (const waitMs of [...waitStepsMs, null]) {
    const input = {
      connection_id: connectionId,
      margin_seconds: marginSeconds,
      lease_seconds: LEASE_SECONDS,
      stale: stale ?? null,
    };
    const askedMs = ctx.now().getTime();
    const found = await ctx.db.run(call("market_marketplace_tokens", input, Tokens));
    switch (found.state) {
      case "ok":
        return await opened(ctx, found);
      case "renew":
        if (ctx.now().getTime() - askedMs < LATE_MS) return await renew(ctx, found, found.lease);
        break;
      case "broken":
      case "gone":
        throw new ShopClosedError(found.reason ?? "Toko tidak terhubung");
      case "busy":
        break;
      default:
        found satisfies never;
    }
    if (waitMs !== null) await pause(waitMs);
  }
  throw new RenewalBusyError();
}

/** Somebody else has been renewing the tokens for seconds; try again later. */
export class RenewalBusyError extends Error {
  constructor() {
    super("the tokens are being renewed");
    this.name = "RenewalBusyError";
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function opened(ctx: Ctx, row: ShopRow): Promise<OpenShop> {
  const accessToken = await openToken(ctx, row.id, "access", row.access_token_enc);
  return { row, auth: { accessToken, shopId: row.shop_id, shopCipher: row.shop_cipher } };
}

/**
 * Uses the refresh token under the lease. A platform that cannot be asked gets it again later, because most such
 * calls never arrived; one that says no to a token that was sent before has used it up then, and its answer is lost.
 */
async function renew(ctx: Ctx, row: ShopRow, lease: string): Promise<OpenShop> {
  const client = marketplaceOf(ctx.providers.marketplaces, row.platform);
  let tokens: MarketTokens;
  try {
    const refreshToken = await openToken(ctx, row.id, "refresh", row.refresh_token_enc);
    tokens = await client.refresh({ refreshToken, shopId: row.shop_id });
  } catch (error) {
    if (error instanceof MarketplaceError && error.fault === "token_revoked") {
      const reason = lostReason(row);
      await breakShop(ctx, { connection_id: row.id, generation: row.generation, reason });
      throw new ShopClosedError(reason);
    }
    const wasSent = !(error instanceof MarketplaceError) || error.outcome === "unknown";
    const input = {
      connection_id: row.id,
      lease,
      after_seconds: PAUSE_SECONDS,
      was_sent: wasSent,
    };
    await ctx.db.run(call("market_marketplace_not_renewed", input, z.boolean()));
    const isAlive = row.access_expires_at.getTime() > ctx.now().getTime();
    ctx.log.warn("marketplace tokens not renewed", {
      platform: row.platform,
      connectionId: row.id,
      ...describeError(error),
    });
    if (isAlive) return await opened(ctx, row);
    throw error;
  }
  const sealed = await sealTokens(ctx.config, row.id, tokens);
  const input = { connection_id: row.id, generation: row.generation, ...sealed };
  const isKept = await keepPair(ctx, call("market_marketplace_renewed", input, z.boolean()));
  if (!isKept) return await openShop(ctx, row.id);
  const renewed = {
    ...row,
    ...sealed,
    generation: row.generation + 1,
    access_expires_at: tokens.accessExpiresAt,
  };
  return await opened(ctx, renewed);
}

/** A pair may be kept twice: the second finds another generation. */
async function keepPair(ctx: Ctx, keep: Statement<boolean>): Promise<boolean> {
  try {
    return await ctx.db.run(keep);
  } catch (error) {
    ctx.waitUntil(keepLater(ctx.db.beside(), keep));
    throw error;
  }
}

async function keepLater(db: Database, keep: Statement<boolean>): Promise<void> {
  for (const [at, waitMs] of KEEP_AGAIN_MS.entries()) {
    await pause(waitMs);
    try {
      await db.run(keep);
      return;
    } catch (error) {
      if (at === KEEP_AGAIN_MS.length - 1) throw error;
    }
  }
}

/** The attempt itself is counted: one is the first. */
function lostReason({ platform, refresh_attempts: attempts }: ShopRow): string {
  const name = PLATFORM_NAME[platform];
  return attempts > 1
    ? `Pembaruan izin ${name} terputus di tengah jalan sehingga kuncinya sudah terpakai. Hubungkan ulang toko Anda.`
    : `Izin akses ke toko ${name} sudah berakhir atau dicabut. Hubungkan ulang toko Anda.`;
}

/** Marks a shop that only its seller can mend, and tells him; see `market_marketplace_broken`. */
export async function breakShop(
  ctx: Ctx,
  input: { reason: string; generation?: number } & (
    | { connection_id: string }
    | { platform: string; shop_id: string }
  ),
): Promise<void> {
  const told = await ctx.db.run(
    call("market_marketplace_broken", input, z.object({ wake: wakeSchema })),
  );
  wake(ctx, told.wake);
}
