import { readFileSync } from "node:fs";

/** What a local Worker is told of: its database, and by their names the twins. */
interface Urls {
  databaseUrl: string;
  httpUrl: string;
  midtrans: string;
  kiriminaja: string;
  resend: string;
  ipaymu: string;
  vipReseller: string;
  aapanel: string;
  /** Without its address a marketplace is not connected. */
  shopee?: string;
  lazada?: string;
  tiktokShop?: string;
  replicate?: string;
  instagram?: string;
  anthropic?: string;
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
    MIDTRANS_CORE_URL: urls.midtrans,
    MIDTRANS_SNAP_URL: `${urls.midtrans}/snap/v1`,
    KIRIMINAJA_API_KEY: TWIN_KEYS.kiriminaja,
    KIRIMINAJA_URL: urls.kiriminaja,
    RESEND_API_KEY: TWIN_KEYS.resend,
    RESEND_URL: urls.resend,
    IPAYMU_VA: TWIN_KEYS.ipaymu.va,
    IPAYMU_API_KEY: TWIN_KEYS.ipaymu.apiKey,
    IPAYMU_URL: `${urls.ipaymu}/api/v2`,
    TOPUP_WEBHOOK_PRIVATE: "true",
    VIP_RESELLER_API_ID: TWIN_KEYS.vipReseller.apiId,
    VIP_RESELLER_API_KEY: TWIN_KEYS.vipReseller.apiKey,
    VIP_RESELLER_API_URL: `${urls.vipReseller}/api`,
    VIP_RESELLER_PACE_MS: "10",
    AAPANEL_URL: urls.aapanel,
    AAPANEL_API_KEY: TWIN_KEYS.aapanel.apiKey,
    PANEL_RELEASE_KEYS: LOCAL_RELEASE_KEY.publicKey,
    AAPANEL_WEB_ADDRESS: new URL(urls.aapanel).host,
    ...marketSettings(urls),
    ...photoSettings(urls),
  };
}

function photoSettings({ replicate, instagram, anthropic }: Urls): Record<string, string> {
  return {
    ...(replicate && {
      REPLICATE_URL: `${replicate}/v1`,
      REPLICATE_API_TOKEN: TWIN_KEYS.replicate.token,
      REPLICATE_WEBHOOK_SECRET: TWIN_KEYS.replicate.webhookSecret,
    }),
    ...(instagram && {
      INSTAGRAM_URL: instagram,
      INSTAGRAM_AUTH_URL: instagram,
      INSTAGRAM_TOKEN_URL: instagram,
      INSTAGRAM_APP_ID: TWIN_KEYS.instagram.appId,
      INSTAGRAM_APP_SECRET: TWIN_KEYS.instagram.appSecret,
    }),
    ...(anthropic && {
      ANTHROPIC_URL: anthropic,
      ANTHROPIC_API_KEY: TWIN_KEYS.anthropic.apiKey,
    }),
  };
}

function marketSettings({ shopee, lazada, tiktokShop }: Urls): Record<string, string> {
  const keys = TWIN_KEYS;
  return {
    ...(shopee && {
      SHOPEE_URL: shopee,
      SHOPEE_AUTH_URL: shopee,
      SHOPEE_PARTNER_ID: String(keys.shopee.partnerId),
      SHOPEE_PARTNER_KEY: keys.shopee.partnerKey,
      SHOPEE_PUSH_KEY: keys.shopee.pushKey,
    }),
    ...(lazada && {
      LAZADA_URL: `${lazada}/rest`,
      LAZADA_AUTH_URL: lazada,
      LAZADA_APP_KEY: keys.lazada.appKey,
      LAZADA_APP_SECRET: keys.lazada.appSecret,
    }),
    ...(tiktokShop && {
      TIKTOK_SHOP_URL: tiktokShop,
      TIKTOK_SHOP_AUTH_URL: tiktokShop,
      TIKTOK_SHOP_SERVICES_URL: tiktokShop,
      TIKTOK_SHOP_APP_KEY: keys.tiktokShop.appKey,
      TIKTOK_SHOP_APP_SECRET: keys.tiktokShop.appSecret,
      TIKTOK_SHOP_SERVICE_ID: keys.tiktokShop.serviceId,
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
