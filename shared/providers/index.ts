import type { Config } from "../config/config.ts";
import { type Aapanel, createAapanel } from "./aapanel.ts";
import { type Anthropic, createAnthropic } from "./anthropic.ts";
import type { Fetch } from "./http.ts";
import { createInstagram, type Instagram } from "./instagram.ts";
import { createIpaymu, type Ipaymu } from "./ipaymu.ts";
import { createKiriminAja, type KiriminAja } from "./kiriminaja.ts";
import { createMarketplaces } from "./marketplace/configured.ts";
import type { Marketplaces } from "./marketplace.ts";
import { createMidtrans, type Midtrans } from "./midtrans.ts";
import { throughRelay } from "./relay.ts";
import { createReplicate, type Replicate } from "./replicate.ts";
import { createResend, type Resend } from "./resend.ts";
import { createVipReseller, paceOf, type VipReseller } from "./vip-reseller.ts";

export interface Providers {
  midtrans: Midtrans;
  kiriminaja: KiriminAja;
  resend: Resend;
  ipaymu: Ipaymu;
  vipReseller: VipReseller;
  marketplaces: Marketplaces;
  /** Null where their keys are missing. */
  replicate: Replicate | null;
  instagram: Instagram | null;
  /** Null without its key. */
  anthropic: Anthropic | null;
  /** The panel of one hosting server. */
  aapanel(server: { baseUrl: string; apiKey: string }): Aapanel;
}

const TIMEOUT_MS = 10_000;
/** The supplier is slow to take an order; giving up early would only make more orders doubtful. */
const SUPPLIER_TIMEOUT_MS = 30_000;
/** Its web server may be reloading. */
const PANEL_TIMEOUT_MS = 20_000;
/** Creating a listing takes its time, and giving up early only makes more of them doubtful. */
const MARKETPLACE_TIMEOUT_MS = 20_000;
/** A container is answered for once Instagram has fetched the picture. */
const INSTAGRAM_TIMEOUT_MS = 20_000;
/** Until a model begins to answer, and between two pieces of its answer. */
const MODEL_TIMEOUT_MS = 30_000;
const MODEL_SILENCE_MS = 30_000;
/** No caller waits longer than this for its turn with the supplier. */
const LONGEST_TURN_MS = 20_000;
const made = new WeakMap<Config, Providers>();

/** The isolate's provider clients, made once per configuration. */
export function providersOf(config: Config, env: Env): Providers {
  const known = made.get(config);
  if (known) return known;
  // One gate for all isolates: the supplier wants a pause between any two requests of ours.
  const gate = () => env.SUPPLIER_GATE.getByName("vip-reseller");
  const shared = {
    timeoutMs: TIMEOUT_MS,
    fetch: sendOf(config),
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
      pace: paceOf(gate, { longestMs: LONGEST_TURN_MS }),
      ...shared,
      timeoutMs: SUPPLIER_TIMEOUT_MS,
    }),
    marketplaces: createMarketplaces(config, { ...shared, timeoutMs: MARKETPLACE_TIMEOUT_MS }),
    replicate: replicateOf(config, shared),
    instagram: instagramOf(config, shared),
    anthropic: anthropicOf(config, shared.fetch),
    aapanel: (server) => createAapanel({ ...server, ...shared, timeoutMs: PANEL_TIMEOUT_MS }),
  };
  made.set(config, providers);
  return providers;
}

interface Line {
  timeoutMs: number;
  fetch: Fetch;
}

function replicateOf(config: Config, line: Line): Replicate | null {
  const { REPLICATE_URL: baseUrl, REPLICATE_API_TOKEN: token } = config;
  const { REPLICATE_WEBHOOK_SECRET: webhookSecret, REPLICATE_MODEL_VERSION: version } = config;
  if (!baseUrl || !token || !webhookSecret) return null;
  return createReplicate({ baseUrl, token, webhookSecret, version, ...line });
}

function instagramOf(config: Config, line: Line): Instagram | null {
  const {
    INSTAGRAM_URL: baseUrl,
    INSTAGRAM_APP_ID: appId,
    INSTAGRAM_APP_SECRET: appSecret,
  } = config;
  if (!baseUrl || !appId || !appSecret) return null;
  return createInstagram({
    baseUrl,
    appId,
    appSecret,
    authUrl: config.INSTAGRAM_AUTH_URL ?? baseUrl,
    tokenUrl: config.INSTAGRAM_TOKEN_URL ?? baseUrl,
    version: config.INSTAGRAM_VERSION,
    ...line,
    timeoutMs: INSTAGRAM_TIMEOUT_MS,
  });
}

function anthropicOf(config: Config, send: Fetch): Anthropic | null {
  const { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_URL: baseUrl, ANTHROPIC_MODEL: model } = config;
  if (!apiKey) return null;
  const patience = { timeoutMs: MODEL_TIMEOUT_MS, silenceMs: MODEL_SILENCE_MS };
  return createAnthropic({ apiKey, baseUrl, model, ...patience, fetch: send });
}

/** `fetch`, with the calls to the listed hosts through the relay where there is one. */
function sendOf({ RELAY_URL: url, RELAY_KEY: key, RELAY_HOSTS: hosts }: Config): Fetch {
  const direct: Fetch = (input, init) => fetch(input, init);
  return url && key ? throughRelay({ url, key, hosts, fetch: direct }) : direct;
}
