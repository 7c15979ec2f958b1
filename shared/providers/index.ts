import type { Config } from "../config/config.ts";
import { createIpaymu, type Ipaymu } from "./ipaymu.ts";
import { createKiriminAja, type KiriminAja } from "./kiriminaja.ts";
import { createMidtrans, type Midtrans } from "./midtrans.ts";
import { createResend, type Resend } from "./resend.ts";
import { createVipReseller, type Pace, type VipReseller } from "./vip-reseller.ts";

export interface Providers {
  midtrans: Midtrans;
  kiriminaja: KiriminAja;
  resend: Resend;
  ipaymu: Ipaymu;
  vipReseller: VipReseller;
}

const TIMEOUT_MS = 10_000;
/** The supplier is slow to take an order; giving up early would only make more orders doubtful. */
const SUPPLIER_TIMEOUT_MS = 30_000;
const made = new WeakMap<Config, Providers>();

/** What the clients need of the platform. */
export interface Paces {
  vipReseller: Pace;
}

/** The isolate's provider clients, made once per configuration. */
export function providersOf(config: Config, paces: Paces): Providers {
  const known = made.get(config);
  if (known) return known;
  const shared = {
    timeoutMs: TIMEOUT_MS,
    fetch: (input: string, init: RequestInit) => fetch(input, init),
  };
  const providers: Providers = {
    midtrans: createMidtrans({
      serverKey: config.MIDTRANS_SERVER_KEY,
      coreUrl: config.MIDTRANS_CORE_URL,
      snapUrl: config.MIDTRANS_SNAP_URL,
      ...shared,
    }),
    kiriminaja: createKiriminAja({
      apiKey: config.KIRIMINAJA_API_KEY,
      baseUrl: config.KIRIMINAJA_URL,
      ...shared,
    }),
    resend: createResend({
      apiKey: config.RESEND_API_KEY,
      baseUrl: config.RESEND_URL,
      ...shared,
    }),
    ipaymu: createIpaymu({
      va: config.IPAYMU_VA,
      apiKey: config.IPAYMU_API_KEY,
      baseUrl: config.IPAYMU_URL,
      ...shared,
    }),
    vipReseller: createVipReseller({
      apiId: config.VIP_RESELLER_API_ID,
      apiKey: config.VIP_RESELLER_API_KEY,
      baseUrl: config.VIP_RESELLER_API_URL,
      pace: paces.vipReseller,
      ...shared,
      timeoutMs: SUPPLIER_TIMEOUT_MS,
    }),
  };
  made.set(config, providers);
  return providers;
}
