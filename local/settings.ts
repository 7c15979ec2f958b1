import { readFileSync } from "node:fs";

interface Urls {
  databaseUrl: string;
  httpUrl: string;
  midtransUrl: string;
  kiriminajaUrl: string;
  resendUrl: string;
  ipaymuUrl: string;
  vipResellerUrl: string;
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
