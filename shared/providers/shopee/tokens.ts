import { z } from "zod";
import { refusal } from "../marketplace/call.ts";
import { id } from "../marketplace/fields.ts";
import type { MarketGrant, MarketShop, MarketTokens } from "../marketplace.ts";
import { numberOf, PLATFORM, type ShopeeLine } from "./line.ts";
import { signedQuery } from "./signature.ts";

const REFRESH_LIFE_MS = 30 * 86_400_000;
/** One official sample shows a point in time where a span belongs. */
const EPOCH_FROM = 1_000_000_000;

const token = z.string().min(1).max(2_000);
const Tokens = z.object({
  access_token: token,
  refresh_token: token,
  expire_in: z.number().int().positive(),
});
const Granted = Tokens.extend({
  shop_id_list: z.array(id).nullish(),
});

interface Invitation {
  state: string;
  redirectUrl: string;
}

/** The page where a seller grants access (providers/shopee.md §2, current form or the older signed one). */
export async function authoriseUrl(line: ShopeeLine, invitation: Invitation): Promise<string> {
  const { options } = line;
  if (options.authLink === "signed") return await signedLink(line, invitation);
  const url = new URL(`${options.authUrl}/auth`);
  url.searchParams.set("partner_id", options.partnerId);
  url.searchParams.set("auth_type", "seller");
  url.searchParams.set("redirect_uri", invitation.redirectUrl);
  url.searchParams.set("response_type", "code");
  url.searchParams.set("state", invitation.state);
  return url.href;
}

/** Good for five minutes. It knows no state, which therefore rides in the way back. */
async function signedLink(
  { options, now }: ShopeeLine,
  { state, redirectUrl }: Invitation,
): Promise<string> {
  const path = "/api/v2/shop/auth_partner";
  const back = new URL(redirectUrl);
  back.searchParams.set("state", state);
  const query = { ...(await signedQuery(options, path, now())), redirect: back.href };
  return `${options.baseUrl}${path}?${new URLSearchParams(query).toString()}`;
}

/** Redeems a code (providers/shopee.md §3): once, within 10 minutes, with the id that the callback carried. */
export async function exchangeCode(
  line: ShopeeLine,
  input: { code: string; shopId?: string | undefined; mainAccountId?: string | undefined },
): Promise<MarketGrant> {
  const { code, shopId, mainAccountId } = input;
  const partner_id = numberOf(line.options.partnerId, "partner_id");
  if (!shopId && !mainAccountId) {
    throw refusal(PLATFORM, "Sertakan shop_id dari halaman izin Shopee", "shop_id_missing");
  }
  const owner = shopId
    ? { shop_id: numberOf(shopId, "shop_id") }
    : { main_account_id: numberOf(mainAccountId ?? "", "main_account_id") };
  const json = { code, partner_id, ...owner };
  const granted = await line.open("auth/token/get", Granted, { json });
  // A main account's tokens hold for each of its shops until that shop's first refresh.
  const ids = shopId ? [shopId] : (granted.shop_id_list ?? []);
  const [first, ...others] = ids.map(shopNamed);
  if (!first) throw refusal(PLATFORM, "Akun Shopee ini tidak mempunyai toko", "no_shop");
  return { tokens: tokensOf(line, granted), shops: [first, ...others] };
}

const shopNamed = (shopId: string): MarketShop => ({ shopId, name: null, shopCipher: null });

/** Turns a refresh token, which is good for one turn, into the next pair (providers/shopee.md §3). */
export async function refresh(
  line: ShopeeLine,
  { refreshToken, shopId }: { refreshToken: string; shopId: string },
): Promise<MarketTokens> {
  const json = {
    refresh_token: refreshToken,
    partner_id: numberOf(line.options.partnerId, "partner_id"),
    shop_id: numberOf(shopId, "shop_id"),
  };
  const answer = await line.open("auth/access_token/get", Tokens, { json, refresh: true });
  return tokensOf(line, answer);
}

function tokensOf({ now }: ShopeeLine, given: z.output<typeof Tokens>): MarketTokens {
  const at = now().getTime();
  const { expire_in } = given;
  const ends = expire_in > EPOCH_FROM ? expire_in * 1000 : at + expire_in * 1000;
  return {
    accessToken: given.access_token,
    accessExpiresAt: new Date(ends),
    refreshToken: given.refresh_token,
    refreshExpiresAt: new Date(at + REFRESH_LIFE_MS),
  };
}
