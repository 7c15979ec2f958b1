import type { Config } from "../../config/config.ts";
import type { Fetch } from "../http.ts";
import { createLazada } from "../lazada.ts";
import type { Marketplaces } from "../marketplace.ts";
import { createShopee } from "../shopee.ts";
import { createTikTokShop } from "../tiktok-shop.ts";

interface Shared {
  timeoutMs: number;
  fetch: Fetch;
}

/** Where pushes arrive, below `APP_URL`; Shopee signs over the whole address. */
export const SHOPEE_PUSH_PATH = "/api/webhooks/shopee";

/** The clients of the marketplaces that this server has keys of. */
export function createMarketplaces(config: Config, shared: Shared): Marketplaces {
  return {
    shopee: shopeeOf(config, shared),
    lazada: lazadaOf(config, shared),
    tokopedia: tokopediaOf(config, shared),
  };
}

function shopeeOf(config: Config, shared: Shared) {
  const { SHOPEE_URL: baseUrl, SHOPEE_AUTH_URL: authUrl } = config;
  const { SHOPEE_PARTNER_ID: partnerId, SHOPEE_PARTNER_KEY: partnerKey } = config;
  if (!baseUrl || !authUrl || !partnerId || !partnerKey) return null;
  const pushUrl = config.SHOPEE_PUSH_URL ?? config.APP_URL + SHOPEE_PUSH_PATH;
  const pushKey = config.SHOPEE_PUSH_KEY;
  const addresses = { baseUrl, authUrl, authLink: config.SHOPEE_AUTH_LINK, pushUrl };
  return createShopee({ ...addresses, partnerId, partnerKey, pushKey, ...shared });
}

function lazadaOf(config: Config, shared: Shared) {
  const { LAZADA_URL: baseUrl, LAZADA_AUTH_URL: authUrl } = config;
  const { LAZADA_APP_KEY: appKey, LAZADA_APP_SECRET: appSecret } = config;
  if (!baseUrl || !authUrl || !appKey || !appSecret) return null;
  return createLazada({ baseUrl, authUrl, appKey, appSecret, ...shared });
}

function tokopediaOf(config: Config, shared: Shared) {
  const { TIKTOK_SHOP_URL: baseUrl, TIKTOK_SHOP_AUTH_URL: authUrl } = config;
  const { TIKTOK_SHOP_SERVICES_URL: servicesUrl, TIKTOK_SHOP_SERVICE_ID: serviceId } = config;
  const { TIKTOK_SHOP_APP_KEY: appKey, TIKTOK_SHOP_APP_SECRET: appSecret } = config;
  if (!baseUrl || !authUrl || !servicesUrl || !serviceId || !appKey || !appSecret) return null;
  return createTikTokShop({
    baseUrl,
    authUrl,
    servicesUrl,
    serviceId,
    appKey,
    appSecret,
    ...shared,
  });
}
