import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";

export interface TokenLives {
  codeMs: number;
  accessMs: number;
  refreshMs: number;
  /** How long the access token before a refresh still works. */
  graceMs: number;
  /** A refresh token works once and is replaced; otherwise it stays until its end. */
  rotates: boolean;
}

export interface Grant {
  shopId: string;
  accessToken: string;
  accessUntil: number;
  refreshToken: string;
  refreshUntil: number;
}

export type TokenState = "live" | "expired" | "used" | "revoked";

interface Kept {
  shopId: string;
  until: number;
  used: boolean;
  revoked: boolean;
}

export interface Found {
  shopId: string;
  state: TokenState;
}

/** Codes, access tokens and refresh tokens of all shops, each with an end that hands can move. */
export class TokenBook {
  private readonly clock: Clock;
  private readonly lives: TokenLives;
  private readonly codes = new Map<string, Kept>();
  private readonly access = new Map<string, Kept>();
  private readonly refreshes = new Map<string, Kept>();
  private readonly latest = new Map<string, string>();

  constructor(clock: Clock, lives: TokenLives) {
    this.clock = clock;
    this.lives = lives;
  }

  code(shopId: string): string {
    return this.keep(this.codes, shopId, this.clock() + this.lives.codeMs);
  }

  /** What a code is worth; a good one is used up by asking. */
  redeem(code: string): Found | null {
    const found = this.look(this.codes, code);
    const kept = this.codes.get(code);
    if (found?.state === "live" && kept) kept.used = true;
    return found;
  }

  grant(shopId: string): Grant {
    const until = this.clock() + this.lives.refreshMs;
    return this.pair(shopId, this.keep(this.refreshes, shopId, until), until);
  }

  findAccess(token: string): Found | null {
    return this.look(this.access, token);
  }

  findRefresh(token: string): Found | null {
    return this.look(this.refreshes, token);
  }

  /** A new access token for a refresh token that `findRefresh` found live; a single-use one is spent. */
  refresh(token: string, shopId: string): Grant {
    const kept = this.refreshes.get(token);
    const before = this.access.get(this.latest.get(shopId) ?? "");
    if (before) before.until = Math.min(before.until, this.clock() + this.lives.graceMs);
    if (!kept || this.lives.rotates) {
      if (kept) kept.used = true;
      return this.grant(shopId);
    }
    return this.pair(shopId, token, kept.until);
  }

  /** The seller, or a hand, ends everything at once. */
  revoke(shopId: string): void {
    this.each(shopId, (kept) => {
      kept.revoked = true;
    });
  }

  expire(shopId: string, what: "access" | "refresh" | "both"): void {
    const now = this.clock();
    const end = (kept: Kept) => {
      if (kept.shopId === shopId) kept.until = Math.min(kept.until, now);
    };
    if (what !== "refresh") for (const kept of this.access.values()) end(kept);
    if (what !== "access") for (const kept of this.refreshes.values()) end(kept);
  }

  /** Makes all that a shop holds so much older. */
  age(shopId: string, ms: number): void {
    this.each(shopId, (kept) => {
      kept.until -= ms;
    });
  }

  /** How many refresh tokens of a shop work at this moment: 0 means that the seller must connect again. */
  liveRefreshes(shopId: string): number {
    return [...this.refreshes].filter(
      ([token, kept]) => kept.shopId === shopId && this.findRefresh(token)?.state === "live",
    ).length;
  }

  private pair(shopId: string, refreshToken: string, refreshUntil: number): Grant {
    const accessUntil = this.clock() + this.lives.accessMs;
    const accessToken = this.keep(this.access, shopId, accessUntil);
    this.latest.set(shopId, accessToken);
    return { shopId, accessToken, accessUntil, refreshToken, refreshUntil };
  }

  private keep(where: Map<string, Kept>, shopId: string, until: number): string {
    const token = randomBytes(16).toString("hex");
    where.set(token, { shopId, until, used: false, revoked: false });
    return token;
  }

  private look(where: Map<string, Kept>, token: string): Found | null {
    const kept = where.get(token);
    if (!kept) return null;
    const { shopId } = kept;
    if (kept.revoked) return { shopId, state: "revoked" };
    if (kept.used) return { shopId, state: "used" };
    return { shopId, state: kept.until > this.clock() ? "live" : "expired" };
  }

  private each(shopId: string, change: (kept: Kept) => void): void {
    for (const where of [this.codes, this.access, this.refreshes]) {
      for (const kept of where.values()) if (kept.shopId === shopId) change(kept);
    }
  }
}
