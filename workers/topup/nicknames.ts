import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { ProviderError } from "../../shared/providers/provider-error.ts";
import type { NicknameRequest } from "./schemas/services.ts";

/** The supplier's games whose players it can name, and whether it wants a zone or server for it. */
const GAMES: Record<string, { zone: boolean }> = {
  "mobile-legends": { zone: true },
  "mobile-legends-region": { zone: true },
  "free-fire": { zone: false },
  pubgm: { zone: false },
  valorant: { zone: false },
  "genshin-impact": { zone: true },
  "honkai-star-rail": { zone: true },
  pointblank: { zone: false },
};

/** Names that people and price lists use for them. */
const ALIASES: Record<string, string> = {
  ml: "mobile-legends",
  mlbb: "mobile-legends",
  "mobile-legends-bang-bang": "mobile-legends",
  ff: "free-fire",
  "free-fire-max": "free-fire",
  pubg: "pubgm",
  "pubg-mobile": "pubgm",
  "pubg-mobile-indonesia": "pubgm",
  "point-blank": "pointblank",
  genshin: "genshin-impact",
};

/** Questions a user may ask a minute: each is a call to the supplier, in the queue that orders use. */
const A_MINUTE = 20;

/**
 * The name of a player, so that a buyer sees whom a top-up goes to. Errors: `invalid_input` (a game that cannot be
 * asked about, no player id, no zone where one is needed), `not_found` (no such player), `rate_limited`,
 * `provider_unavailable`.
 */
export async function findNickname(
  ctx: Ctx,
  input: NicknameRequest,
): Promise<{ nickname: string }> {
  const asked = parse(input);
  await ctx.db.run(
    call("topup_lookup_allow", { user_id: actorOf(ctx).userId, allowed: A_MINUTE }, z.boolean()),
  );
  let nickname: string | null;
  try {
    nickname = await ctx.providers.vipReseller.getNickname(asked);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === "invalid") throw new AppError("invalid_input", "Player ID is not valid");
    ctx.log.warn("nickname not read", { code: error.code, kind: error.kind });
    const words = "Player names cannot be looked up at the moment. Please try again later.";
    throw new AppError("provider_unavailable", words, { cause: error });
  }
  if (nickname === null) throw notFound("Player not found");
  return { nickname };
}

function parse(input: NicknameRequest) {
  const words = input.code ?? input.game;
  const target = input.target ?? input.userId;
  if (!words || !target) throw new AppError("invalid_input", "Game and player ID are required");
  const slug = words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const code = Object.hasOwn(ALIASES, slug) ? (ALIASES[slug] ?? slug) : slug;
  const game = Object.hasOwn(GAMES, code) ? GAMES[code] : undefined;
  if (!game) throw new AppError("invalid_input", "Player names cannot be looked up for this game");
  const zone = input.zone ?? input.zoneId ?? null;
  if (game.zone && !zone) {
    throw new AppError("invalid_input", "Zone or server is required for this game");
  }
  return { code, target, additionalTarget: game.zone ? zone : null };
}
