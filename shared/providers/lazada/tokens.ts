import { z } from "zod";
import { refusal } from "../marketplace/call.ts";
import { id, text } from "../marketplace/fields.ts";
import type { MarketGrant, MarketTokens } from "../marketplace.ts";
import { type LazadaLine, PLATFORM } from "./line.ts";

const COUNTRY = "id";

const token = z.string().min(1).max(2_000);
const lasting = z.coerce.number().int().positive();
const Tokens = z.object({
  access_token: token,
  refresh_token: token,
  expires_in: lasting,
  // What is left of the refresh token's life: a refresh does not lengthen it.
  refresh_expires_in: z.coerce.number().int().nonnegative(),
});
const Seller = z.object({ country: text, seller_id: id, short_code: text });
const Sellers = z.array(Seller).nullish().catch(null);
const Granted = Tokens.extend({
  country: text,
  account: text,
  country_user_info: Sellers,
  country_user_info_list: Sellers,
});

/** The page where a seller grants access (providers/lazada.md §1). The address must be the registered one, to the letter. */
export function authoriseUrl(
  { options }: LazadaLine,
  { state, redirectUrl }: { state: string; redirectUrl: string },
): string {
  const url = new URL(`${options.authUrl}/oauth/authorize`);
  url.searchParams.set("response_type", "code");
  url.searchParams.set("force_auth", "true");
  url.searchParams.set("redirect_uri", redirectUrl);
  url.searchParams.set("client_id", options.appKey);
  url.searchParams.set("country", COUNTRY);
  url.searchParams.set("state", state);
  return url.href;
}

/** Redeems a code (providers/lazada.md §2): once, within 30 minutes. One token may cover several countries. */
export async function exchangeCode(line: LazadaLine, code: string): Promise<MarketGrant> {
  const granted = await line.open("/auth/token/create", { code }, Granted);
  const sellers = granted.country_user_info ?? granted.country_user_info_list ?? [];
  const [first, ...others] = sellers
    .filter(({ country }) => country.toLowerCase() === COUNTRY)
    .map(({ seller_id, short_code }) => ({
      shopId: seller_id,
      name: short_code || granted.account || null,
      shopCipher: null,
    }));
  if (!first) throw refusal(PLATFORM, "Akun Lazada ini tidak mempunyai toko Indonesia", "country");
  return { tokens: tokensOf(line, granted), shops: [first, ...others] };
}

export async function refresh(line: LazadaLine, refreshToken: string): Promise<MarketTokens> {
  const params = { refresh_token: refreshToken };
  return tokensOf(line, await line.open("/auth/token/refresh", params, Tokens));
}

function tokensOf({ now }: LazadaLine, given: z.output<typeof Tokens>): MarketTokens {
  const at = now().getTime();
  return {
    accessToken: given.access_token,
    accessExpiresAt: new Date(at + given.expires_in * 1000),
    refreshToken: given.refresh_token,
    refreshExpiresAt: new Date(at + given.refresh_expires_in * 1000),
  };
}
