import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { call } from "../../../../shared/db/statement.ts";
import {
  type CallKind,
  type MarketplaceClient,
  MarketplaceError,
  marketplaceOf,
  type ShopAuth,
  type ShopSetup,
} from "../../../../shared/providers/marketplace.ts";
import { Pace, ShopPausedError } from "./pace.ts";
import { breakShop, type OpenShop, openShop, ShopClosedError, type ShopRow } from "./tokens.ts";

/** Where a platform does not say how long to stay away. */
const PAUSE_MS = 2_000;
const QUOTA_PAUSE_MS = 3_600_000;
const OPERATOR_PAUSE_MS = 600_000;
const REPLACED = "Toko di marketplace diganti";

/**
 * One shop at its platform. Every request waits for its turn and carries a live token; a token that is refused is
 * renewed and the call made once more; a complaint about our pace slows everybody down.
 */
export class Shop {
  readonly client: MarketplaceClient;
  readonly #ctx: Ctx;
  readonly #pace: Pace;
  #open: OpenShop;
  #untilMs = Number.POSITIVE_INFINITY;

  private constructor(ctx: Ctx, open: OpenShop) {
    this.#ctx = ctx;
    this.#open = open;
    this.client = marketplaceOf(ctx.providers.marketplaces, open.row.platform);
    this.#pace = new Pace(ctx, open.row.id, this.client.limits);
  }

  /** Throws `ShopClosedError` where only the seller can help. */
  static async open(ctx: Ctx, connectionId: string): Promise<Shop> {
    return new Shop(ctx, await openShop(ctx, connectionId));
  }

  get row(): ShopRow {
    return this.#open.row;
  }

  /**
   * Sends nothing after that moment. Who holds listings under a lease must be silent before somebody else may hold
   * them: a late call would bring back what they were.
   */
  sendUntil(moment: Date): void {
    this.#untilMs = moment.getTime();
  }

  /** One call. Throws `MarketplaceError`, `ShopClosedError`, or `ShopPausedError` before it is sent. */
  async call<T>(act: (auth: ShopAuth) => Promise<T>): Promise<T> {
    const { generation } = this.#open.row;
    try {
      return await this.#once(act);
    } catch (error) {
      if (!(error instanceof MarketplaceError)) throw error;
      if (error.fault === "token_revoked") return await this.#revoked(generation, error);
      if (error.fault !== "token_expired") throw error;
    }
    await this.#renew(generation);
    return await this.#again(act);
  }

  /** A token that is refused the moment it was given is no token: the grant is gone. */
  async #again<T>(act: (auth: ShopAuth) => Promise<T>): Promise<T> {
    const { generation } = this.#open.row;
    try {
      return await this.#once(act);
    } catch (error) {
      const isRefused =
        error instanceof MarketplaceError &&
        (error.fault === "token_expired" || error.fault === "token_revoked");
      if (isRefused) return await this.#revoked(generation, error);
      throw error;
    }
  }

  async #once<T>(act: (auth: ShopAuth) => Promise<T>): Promise<T> {
    try {
      return await act({ ...this.#open.auth, turn: (kind) => this.#turn(kind) });
    } catch (error) {
      if (error instanceof MarketplaceError) await this.#heed(error);
      throw error;
    }
  }

  async #turn(kind: CallKind): Promise<void> {
    await this.#pace.turn(kind);
    if (this.#ctx.now().getTime() >= this.#untilMs) throw new ShopPausedError(0);
  }

  async #heed({ fault, retryAfterMs, message }: MarketplaceError): Promise<void> {
    if (fault === "rate_limited") await this.#pace.slowDown(retryAfterMs ?? PAUSE_MS);
    if (fault === "quota") await this.#pace.slowDown(retryAfterMs ?? QUOTA_PAUSE_MS);
    if (fault !== "misconfigured") return;
    // Our keys or rights are wrong, for every listing alike: a person has to look at them.
    const { id: connectionId, platform } = this.row;
    this.#ctx.log.error("marketplace refuses us", { connectionId, platform, message, alert: true });
    await this.#pace.slowDown(OPERATOR_PAUSE_MS);
  }

  #renewing: Promise<void> | null = null;

  /** Many calls under way meet the same refusal; the first of them renews for all. */
  async #renew(refused: number): Promise<void> {
    if (this.#open.row.generation > refused) return;
    this.#renewing ??= openShop(this.#ctx, this.row.id, { stale: refused })
      .then((open) => {
        // Another shop has taken its place: what is under way is the old one's.
        if (open.row.shop_id !== this.row.shop_id) throw new ShopClosedError(REPLACED);
        this.#open = open;
      })
      .finally(() => {
        this.#renewing = null;
      });
    await this.#renewing;
  }

  async #revoked(generation: number, error: MarketplaceError): Promise<never> {
    // Somebody may have renewed since: then it was an old token that the platform would not know.
    if (this.#open.row.generation === generation) {
      await breakShop(this.#ctx, { connection_id: this.row.id, generation, reason: error.reason });
    }
    throw new ShopClosedError(error.reason);
  }

  /** What listings need of the shop itself, asked for once a day. */
  async setup(): Promise<ShopSetup> {
    const { row } = this.#open;
    if (row.setup && row.setup_is_fresh) return row.setup;
    const setup = await this.call((auth) => this.client.getSetup(auth));
    const input = { connection_id: row.id, shop_id: row.shop_id, setup };
    await this.#ctx.db.run(call("market_marketplace_keep", input, z.boolean()));
    this.#open = { ...this.#open, row: { ...this.#open.row, setup, setup_is_fresh: true } };
    return setup;
  }
}

/** Nobody calls the shop for a while. */
export async function haltShop(ctx: Ctx, connectionId: string, waitMs: number): Promise<void> {
  const input = { connection_id: connectionId, wait_ms: waitMs };
  await ctx.db.run(call("market_marketplace_slow_down", input, z.boolean()));
}
