import { z } from "zod";
import { refusal } from "../marketplace/call.ts";
import { id, text } from "../marketplace/fields.ts";
import type { MarketGrant, MarketTokens } from "../marketplace.ts";
import { readExchange, readRefresh } from "./failures.ts";
import { PLATFORM, type TikTokLine } from "./line.ts";

const token = z.string().min(1).max(4_000);
/** Points in time in seconds, not spans (providers/tokopedia.md §3). */
const pointInTime = z.coerce
  .number()
  .positive()
  .transform((value) => new Date(value * 1000));
const Tokens = z.object({
  data: z.object({
    access_token: token,
    access_token_expire_in: pointInTime,
    refresh_token: token,
    refresh_token_expire_in: pointInTime,
    user_type: z.coerce.number().nullish().catch(null),
    seller_name: text,
  }),
});
type Given = z.output<typeof Tokens>["data"];

/** The page where a seller grants access (providers/tokopedia.md §3); it goes back to the service's own address. */
export function authoriseUrl({ options }: TikTokLine, { state }: { state: string }): string {
  const url = new URL(`${options.servicesUrl}/open/authorize`);
  url.searchParams.set("service_id", options.serviceId);
  url.searchParams.set("state", state);
  return url.href;
}

const SELLER = 0;
const REGION = "ID";
const Shops = z.object({
  data: z.object({
    shops: z.array(z.object({ id, name: text, region: text, cipher: z.string().min(1) })).nullish(),
  }),
});

/** Redeems a code (providers/tokopedia.md §3): once, within 30 minutes; then asks which shops were granted. */
export async function exchangeCode(line: TikTokLine, code: string): Promise<MarketGrant> {
  // Spelled so.
  const query = { auth_code: code, grant_type: "authorized_code" };
  const { data } = await line.token("/api/v2/token/get", query, Tokens, readExchange);
  if (typeof data.user_type === "number" && data.user_type !== SELLER) {
    throw refusal(PLATFORM, "Masuklah dengan akun penjual Tokopedia", "not_a_seller");
  }
  const path = "/authorization/202309/shops";
  const listed = await line.call(
    { accessToken: data.access_token },
    { method: "GET", path, schema: Shops },
  );
  const [first, ...others] = (listed.data.shops ?? [])
    .filter(({ region }) => region === REGION)
    .map((shop) => ({
      shopId: shop.id,
      name: shop.name || data.seller_name || null,
      shopCipher: shop.cipher,
    }));
  if (!first) throw refusal(PLATFORM, "Akun ini tidak mempunyai toko Indonesia", "no_shop");
  return { tokens: tokensOf(data), shops: [first, ...others] };
}

/** A refresh gives a new pair; the old one is worth nothing any more. */
export async function refresh(line: TikTokLine, refreshToken: string): Promise<MarketTokens> {
  const query = { refresh_token: refreshToken, grant_type: "refresh_token" };
  return tokensOf((await line.token("/api/v2/token/refresh", query, Tokens, readRefresh)).data);
}

const tokensOf = (given: Given): MarketTokens => ({
  accessToken: given.access_token,
  accessExpiresAt: given.access_token_expire_in,
  refreshToken: given.refresh_token,
  refreshExpiresAt: given.refresh_token_expire_in,
});
