import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import {
  fromBase64Url,
  hmacSha256Base64Url,
  randomToken,
  timingSafeEqual,
  toBase64Url,
  utf8,
} from "../../../shared/crypto/index.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { findOwnStore } from "../stores.ts";
import { instagramOf } from "./client.ts";

const STATE_MS = 15 * 60 * 1000;

const State = z.object({
  userId: z.number(),
  nonce: z.string(),
  expiresAt: z.number(),
  /** Instagram wants the very same address again with the code. */
  redirectUrl: z.string(),
});
export type InstagramState = z.output<typeof State>;

/**
 * Where the actor lets us post for him. The state that comes back is signed, names him, and is good for one connection
 * within 15 minutes: a code that somebody else obtained cannot be slipped to him.
 */
export async function authoriseLink(ctx: Ctx, wanted: { redirectUrl?: string | undefined }) {
  const client = instagramOf(ctx);
  if (!(await findOwnStore(ctx))) throw notFound("Toko belum dibuat");
  const redirectUrl = ownPage(ctx, wanted.redirectUrl);
  const expiresAt = ctx.now().getTime() + STATE_MS;
  const { userId } = actorOf(ctx);
  const state = await signState(ctx, { userId, nonce: randomToken(16), expiresAt, redirectUrl });
  const url = client.authoriseUrl({ state, redirectUrl });
  return { url, state, expires_at: new Date(expiresAt).toISOString() };
}

/** The code goes to this page: ours, or one of a front end that we serve. */
function ownPage(ctx: Ctx, wanted: string | undefined): string {
  const { APP_URL, CORS_ORIGINS } = ctx.config;
  if (wanted === undefined) return `${APP_URL}/seller/instagram/callback`;
  const origin = URL.parse(wanted)?.origin;
  if (origin !== undefined && [new URL(APP_URL).origin, ...CORS_ORIGINS].includes(origin)) {
    return wanted;
  }
  throw new AppError("invalid_input", "redirect_url: Alamat ini bukan milik aplikasi");
}

export async function signState(ctx: Ctx, state: InstagramState): Promise<string> {
  const body = toBase64Url(utf8(JSON.stringify(state)));
  return `${body}.${await signature(ctx, body)}`;
}

/** The state of the actor's own link. Throws `invalid_input` for any other, and a late one. */
export async function readState(ctx: Ctx, given: string): Promise<InstagramState> {
  const [body = "", signed = ""] = given.split(".");
  const bytes = fromBase64Url(body);
  const valid = bytes !== null && (await timingSafeEqual(signed, await signature(ctx, body)));
  const state = valid ? State.parse(JSON.parse(new TextDecoder().decode(bytes))) : null;
  if (state?.userId !== actorOf(ctx).userId) {
    throw new AppError("invalid_input", "state: Tautan otorisasi tidak dikenal");
  }
  if (state.expiresAt < ctx.now().getTime()) {
    throw new AppError("invalid_input", "state: Tautan otorisasi kedaluwarsa. Minta tautan baru.");
  }
  return state;
}

const signature = (ctx: Ctx, body: string) =>
  hmacSha256Base64Url(ctx.config.SIGNING_KEY, `market.instagram.${body}`);
