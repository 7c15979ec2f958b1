import { readFileSync } from "node:fs";

interface Urls {
  databaseUrl: string;
  httpUrl: string;
  midtransUrl: string;
  kiriminajaUrl: string;
  resendUrl: string;
  ipaymuUrl: string;
  vipResellerUrl: string;
  aapanelUrl: string;
  /** Without its address a marketplace is not connected. */
  shopeeUrl?: string;
  lazadaUrl?: string;
  tiktokShopUrl?: string;
  replicateUrl?: string;
  instagramUrl?: string;
  anthropicUrl?: string;
  /** Port of the Worker. */
  port?: number;
  /** How many times 100 requests a minute one address may make (demos, benchmarks). */
  rateLimitFactor?: number;
}

/** Keys that the twins share with the Worker; they open nothing outside this machine. */
export const TWIN_KEYS = {
  midtrans: "SB-Mid-server-local-0001",
  kiriminaja: "local-kiriminaja-key-0001",
  resend: "re_local_0001",
  ipaymu: { va: "0000001234567890", apiKey: "local-ipaymu-key-0001" },
  vipReseller: { apiId: "LOCALID1", apiKey: "local-vip-reseller-key-0001" },
  aapanel: { apiKey: "local-aapanel-key-0001" },
  shopee: {
    partnerId: 2_001_887,
    partnerKey: "local-shopee-partner-key-0001",
    pushKey: "local-shopee-push-key-0001",
  },
  lazada: { appKey: "123456", appSecret: "local-lazada-secret-0001" },
  tiktokShop: {
    appKey: "6local0001",
    appSecret: "local-tiktok-shop-secret-0001",
    serviceId: "7000000000000000001",
  },
  replicate: {
    token: "r8_local_0001",
    webhookSecret: "whsec_bG9jYWwtcmVwbGljYXRlLXNpZ25pbmcta2V5LTAwMDE=",
  },
  instagram: { appId: "990602627938098", appSecret: "local-instagram-secret-0001" },
  anthropic: { apiKey: "sk-ant-local-0001" },
} as const;

/** Signs agent releases on this machine alone: no Worker elsewhere, and no agent, takes what it signed. */
export const LOCAL_RELEASE_KEY = {
  publicKey: "X81zifj3ZyyyVmqnu5HuzKU08gPS_citrA-avYFMISg",
  pkcs8: "MC4CAQAwBQYDK2VwBCIEIMfH6rvUNmPy9uoILglEDwR8O2YvZ_vM_21ldCtLuhkz",
} as const;

/**
 * Everything that a local Worker needs as variables. Two keys are made anew by the caller's process, so that no
 * secret has a default: see `secrets`.
 */
export function localSettings(urls: Urls, secrets: Secrets): Record<string, string> {
  return {
    DATABASE_URL: urls.databaseUrl,
    DATABASE_HTTP_URL: urls.httpUrl,
    JWT_KEYS: secrets.JWT_KEYS,
    SIGNING_KEY: secrets.SIGNING_KEY,
    SEALING_KEYS: secrets.SEALING_KEYS,
    APP_URL: `http://localhost:${urls.port ?? 8787}`,
    STORE_DOMAIN: "localhost",
    RATE_LIMIT_FACTOR: String(urls.rateLimitFactor ?? 1),
    MIDTRANS_SERVER_KEY: TWIN_KEYS.midtrans,
    MIDTRANS_CORE_URL: urls.midtransUrl,
    MIDTRANS_SNAP_URL: `${urls.midtransUrl}/snap/v1`,
    KIRIMINAJA_API_KEY: TWIN_KEYS.kiriminaja,
    KIRIMINAJA_URL: urls.kiriminajaUrl,
    RESEND_API_KEY: TWIN_KEYS.resend,
    RESEND_URL: urls.resendUrl,
    IPAYMU_VA: TWIN_KEYS.ipaymu.va,
    IPAYMU_API_KEY: TWIN_KEYS.ipaymu.apiKey,
    IPAYMU_URL: `${urls.ipaymuUrl}/api/v2`,
    TOPUP_WEBHOOK_PRIVATE: "true",
    VIP_RESELLER_API_ID: TWIN_KEYS.vipReseller.apiId,
    VIP_RESELLER_API_KEY: TWIN_KEYS.vipReseller.apiKey,
    VIP_RESELLER_API_URL: `${urls.vipResellerUrl}/api`,
    VIP_RESELLER_PACE_MS: "10",
    AAPANEL_URL: urls.aapanelUrl,
    AAPANEL_API_KEY: TWIN_KEYS.aapanel.apiKey,
    PANEL_RELEASE_KEYS: LOCAL_RELEASE_KEY.publicKey,
    AAPANEL_WEB_ADDRESS: new URL(urls.aapanelUrl).host,
    ...marketSettings(urls),
    ...photoSettings(urls),
  };
}

function photoSettings({ replicateUrl, instagramUrl, anthropicUrl }: Urls): Record<string, string> {
  return {
    ...(replicateUrl && {
      REPLICATE_URL: `${replicateUrl}/v1`,
      REPLICATE_API_TOKEN: TWIN_KEYS.replicate.token,
      REPLICATE_WEBHOOK_SECRET: TWIN_KEYS.replicate.webhookSecret,
    }),
    ...(instagramUrl && {
      INSTAGRAM_URL: instagramUrl,
      INSTAGRAM_AUTH_URL: instagramUrl,
      INSTAGRAM_TOKEN_URL: instagramUrl,
      INSTAGRAM_APP_ID: TWIN_KEYS.instagram.appId,
      INSTAGRAM_APP_SECRET: TWIN_KEYS.instagram.appSecret,
    }),
    ...(anthropicUrl && {
      ANTHROPIC_URL: anthropicUrl,
      ANTHROPIC_API_KEY: TWIN_KEYS.anthropic.apiKey,
    }),
  };
}

function marketSettings({ shopeeUrl, lazadaUrl, tiktokShopUrl }: Urls): Record<string, string> {
  const { shopee, lazada, tiktokShop } = TWIN_KEYS;
  return {
    ...(shopeeUrl && {
      SHOPEE_URL: shopeeUrl,
      SHOPEE_AUTH_URL: shopeeUrl,
      SHOPEE_PARTNER_ID: String(shopee.partnerId),
      SHOPEE_PARTNER_KEY: shopee.partnerKey,
      SHOPEE_PUSH_KEY: shopee.pushKey,
    }),
    ...(lazadaUrl && {
      LAZADA_URL: `${lazadaUrl}/rest`,
      LAZADA_AUTH_URL: lazadaUrl,
      LAZADA_APP_KEY: lazada.appKey,
      LAZADA_APP_SECRET: lazada.appSecret,
    }),
    ...(tiktokShopUrl && {
      TIKTOK_SHOP_URL: tiktokShopUrl,
      TIKTOK_SHOP_AUTH_URL: tiktokShopUrl,
      TIKTOK_SHOP_SERVICES_URL: tiktokShopUrl,
      TIKTOK_SHOP_APP_KEY: tiktokShop.appKey,
      TIKTOK_SHOP_APP_SECRET: tiktokShop.appSecret,
      TIKTOK_SHOP_SERVICE_ID: tiktokShop.serviceId,
    }),
  };
}

export interface Secrets {
  JWT_KEYS: string;
  SIGNING_KEY: string;
  SEALING_KEYS: string;
}

/** Fresh secrets, or those that an earlier run left in `file`, so that sign-ins outlive a restart. */
export function secretsFrom(file?: string): Secrets {
  const fresh = {
    JWT_KEYS: `local:${randomHex(32)}`,
    SIGNING_KEY: randomHex(32),
    SEALING_KEYS: `local:${randomHex(32)}`,
  };
  if (file) {
    try {
      return { ...fresh, ...(JSON.parse(readFileSync(file, "utf8")) as Partial<Secrets>) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return fresh;
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
