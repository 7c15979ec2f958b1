import { z } from "zod";
import { actorOf, type Ctx } from "../../../../shared/context.ts";
import {
  fromBase64Url,
  hmacSha256Base64Url,
  randomToken,
  timingSafeEqual,
  toBase64Url,
  utf8,
} from "../../../../shared/crypto/index.ts";
import { AppError, notFound } from "../../../../shared/http/errors.ts";
import {
  marketplaceOf,
  PLATFORMS,
  type Platform,
} from "../../../../shared/providers/marketplace.ts";
import { findOwnStore } from "../../stores.ts";

const STATE_MS = 15 * 60 * 1000;

const State = z.object({
  userId: z.number(),
  platform: z.enum(PLATFORMS),
  nonce: z.string(),
  expiresAt: z.number(),
});
export type State = z.output<typeof State>;

/**
 * Where the actor grants us access to his shop. The state that comes back is signed, names him and the platform, and
 * is good for one connection within 15 minutes: a code that somebody else obtained cannot be slipped to him.
 * Throws `not_found` without a store, or with one that is deleted.
 */
export async function authoriseLink(
  ctx: Ctx,
  { platform, redirectUrl }: { platform: Platform; redirectUrl?: string | undefined },
) {
  if (!(await findOwnStore(ctx))) throw notFound("Toko belum dibuat");
  const client = marketplaceOf(ctx.providers.marketplaces, platform);
  const expiresAt = ctx.now().getTime() + STATE_MS;
  const { userId } = actorOf(ctx);
  const state = await signState(ctx, { userId, platform, nonce: randomToken(16), expiresAt });
  const url = await client.authoriseUrl({
    state,
    redirectUrl: ownPage(ctx, platform, redirectUrl),
  });
  return { url, state, expires_at: new Date(expiresAt).toISOString() };
}

/** The platform sends the code to this page: ours, or one of a front end that we serve. */
function ownPage(ctx: Ctx, platform: Platform, wanted: string | undefined): string {
  const { APP_URL, CORS_ORIGINS } = ctx.config;
  if (wanted === undefined) return `${APP_URL}/seller/marketplace/${platform}/callback`;
  const origin = URL.parse(wanted)?.origin;
  if (origin !== undefined && [new URL(APP_URL).origin, ...CORS_ORIGINS].includes(origin)) {
    return wanted;
  }
  throw new AppError("invalid_input", "redirect_url: Alamat ini bukan milik aplikasi");
}

export async function signState(ctx: Ctx, state: State): Promise<string> {
  const body = toBase64Url(utf8(JSON.stringify(state)));
  return `${body}.${await signature(ctx, body)}`;
}

/** The state of the actor's own link for this platform. Throws `invalid_input` for any other, and a late one. */
export async function readState(ctx: Ctx, platform: Platform, given: string): Promise<State> {
  const [body = "", signed = ""] = given.split(".");
  const bytes = fromBase64Url(body);
  const valid = bytes !== null && (await timingSafeEqual(signed, await signature(ctx, body)));
  const state = valid ? State.safeParse(JSON.parse(new TextDecoder().decode(bytes))) : null;
  const isOwn =
    state?.success === true &&
    state.data.userId === actorOf(ctx).userId &&
    state.data.platform === platform;
  if (!isOwn) throw new AppError("invalid_input", "state: Tautan otorisasi tidak dikenal");
  if (state.data.expiresAt < ctx.now().getTime()) {
    throw new AppError("invalid_input", "state: Tautan otorisasi kedaluwarsa. Minta tautan baru.");
  }
  return state.data;
}

const signature = (ctx: Ctx, body: string) =>
  hmacSha256Base64Url(ctx.config.SIGNING_KEY, `market.marketplace.${body}`);
