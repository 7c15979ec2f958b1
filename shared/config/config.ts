import { z } from "zod";

const url = z.url().transform((value) => value.replace(/\/+$/, ""));
/** A key of ours: long, and not one character repeated (CM-20: default and weak secrets are refused). */
const strongKey = z
  .string()
  .min(32)
  .refine((value) => new Set(value).size >= 8);
const secret = z.string().min(16);
const list = z
  .string()
  .default("")
  .transform((value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean),
  );

/** A key of a service that a server can do without; an empty one is as good as none. */
const optionalKey = z
  .string()
  .optional()
  .transform((value) => value?.trim() || undefined);

/** `kid:secret[,kid:secret]`: the first signs, all verify, so that a key can be replaced without signing anyone out. */
const keys = z
  .string()
  .transform((value) => value.split(",").map((pair) => pair.trim().split(":")))
  .pipe(z.array(z.tuple([z.string().min(1), strongKey])).min(1));

const Config = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//),
  DATABASE_HTTP_URL: url.optional(),
  /** How long a request waits for Postgres; ten times as long is waited for it behind requests. */
  DATABASE_PATIENCE_MS: z.coerce.number().int().min(100).max(11_000).default(10_000),
  JWT_KEYS: keys,
  SIGNING_KEY: strongKey,
  SEALING_KEYS: keys,
  APP_URL: url,
  STORE_DOMAIN: z.string().min(1),
  CORS_ORIGINS: list,
  RATE_LIMIT_FACTOR: z.coerce.number().int().min(1).default(1),
  MIDTRANS_SERVER_KEY: secret,
  MIDTRANS_CORE_URL: url,
  MIDTRANS_SNAP_URL: url,
  KIRIMINAJA_API_KEY: secret,
  KIRIMINAJA_URL: url,
  RESEND_API_KEY: z.string().min(8),
  RESEND_URL: url,
  IPAYMU_VA: z.string().regex(/^\d{8,20}$/),
  IPAYMU_API_KEY: secret,
  IPAYMU_URL: url,
  VIP_RESELLER_API_ID: z.string().min(4),
  VIP_RESELLER_API_KEY: secret,
  VIP_RESELLER_API_URL: url,
  VIP_RESELLER_PACE_MS: z.coerce.number().int().min(0).max(10_000).default(500),
  /** A marketplace whose keys are missing is answered for with 503; everything else serves. */
  SHOPEE_URL: url.optional(),
  SHOPEE_AUTH_URL: url.optional(),
  /** Which form of the page for sellers is used; `signed` is the older one. */
  SHOPEE_AUTH_LINK: z.enum(["current", "signed"]).default("current"),
  SHOPEE_PARTNER_ID: optionalKey,
  SHOPEE_PARTNER_KEY: optionalKey,
  SHOPEE_PUSH_KEY: optionalKey,
  /** The address registered in Shopee's console, to the letter; by default the one below `APP_URL`. */
  SHOPEE_PUSH_URL: z.url().optional(),
  LAZADA_URL: url.optional(),
  LAZADA_AUTH_URL: url.optional(),
  LAZADA_APP_KEY: optionalKey,
  LAZADA_APP_SECRET: optionalKey,
  TIKTOK_SHOP_URL: url.optional(),
  TIKTOK_SHOP_AUTH_URL: url.optional(),
  TIKTOK_SHOP_SERVICES_URL: url.optional(),
  TIKTOK_SHOP_APP_KEY: optionalKey,
  TIKTOK_SHOP_APP_SECRET: optionalKey,
  TIKTOK_SHOP_SERVICE_ID: optionalKey,
  /** Better photos and posts: without their keys these two answer 503, and everything else serves. */
  REPLICATE_URL: url.optional(),
  REPLICATE_API_TOKEN: optionalKey,
  REPLICATE_WEBHOOK_SECRET: optionalKey,
  /** A version of nightmareai/real-esrgan: GET /models/nightmareai/real-esrgan names the latest. */
  REPLICATE_MODEL_VERSION: z
    .string()
    .min(1)
    .default("42fed1c4974146d4d4414e2be2c5277c7fcf05fde3b22e94cee859b8a4a39d44"),
  /** What a second of that model costs, in millionths of a dollar: for the note of what photos cost. */
  REPLICATE_MICRO_USD_PER_SECOND: z.coerce.number().int().min(0).default(225),
  MARKET_PHOTOS_PER_DAY: z.coerce.number().int().min(0).max(10_000).default(20),
  INSTAGRAM_URL: url.optional(),
  /** The page of the sign-in and the host of its code; by default those of `INSTAGRAM_URL`. */
  INSTAGRAM_AUTH_URL: url.optional(),
  INSTAGRAM_TOKEN_URL: url.optional(),
  INSTAGRAM_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/)
    .default("v25.0"),
  INSTAGRAM_APP_ID: optionalKey,
  INSTAGRAM_APP_SECRET: optionalKey,
  /** The assistant answers 503 without its key. */
  ANTHROPIC_API_KEY: optionalKey,
  ANTHROPIC_URL: url.default("https://api.anthropic.com"),
  ANTHROPIC_MODEL: z.string().min(1).default("claude-sonnet-4-6"),
  /** What one person may use of the assistant on one day in Jakarta: tokens of all kinds, and millionths of a US dollar. */
  ASSISTANT_DAILY_TOKENS: z.coerce.number().int().min(0).default(400_000),
  ASSISTANT_DAILY_MICRO_USD: z.coerce.number().int().min(0).default(1_000_000),
  /** US dollars for a million tokens of the model, in and out. */
  ASSISTANT_USD_IN: z.coerce.number().min(0).default(3),
  ASSISTANT_USD_OUT: z.coerce.number().min(0).default(15),
  /** The hosting server of the configuration; others are rows of their own. Without any, no site can be made. */
  AAPANEL_URL: url.optional(),
  AAPANEL_API_KEY: secret.optional(),
  /** `host[:port]` where visitors reach its web server, and where customers' FTP programs go: else the panel's host. */
  AAPANEL_WEB_ADDRESS: z.string().min(3).optional(),
  AAPANEL_FTP_HOST: z.string().min(3).optional(),
  AAPANEL_SITES_PATH: z.string().startsWith("/").default("/www/wwwroot"),
  /** As the panel names it ("82"); "00": static files only. */
  AAPANEL_PHP_VERSION: z
    .string()
    .regex(/^\d{2}$/)
    .default("82"),
  AAPANEL_CAPACITY: z.coerce.number().int().min(0).default(200),
  /** How long the answer waits for a site that is being made. */
  HOSTING_CREATE_WAIT_MS: z.coerce.number().int().min(0).max(10_000).default(3_000),
  /** Providers that admit only listed addresses are called through a relay (docs/relay.md). */
  RELAY_URL: url.optional(),
  RELAY_KEY: strongKey.optional(),
  RELAY_HOSTS: list,
  MAIL_FROM: z.string().min(3),
  ALERT_EMAIL: z.email(),
  PAYMENT_EXPIRY_MINUTES: z.coerce.number().int().min(1).max(1440).default(15),
  /** How long a hosting order may be paid: bank transfers and shop counters take their day. */
  HOSTING_PAYMENT_EXPIRY_MINUTES: z.coerce.number().int().min(1).max(10_080).default(1440),
  /** The PPN that hosting's prices include and its invoices show; 0: no PPN. */
  HOSTING_PPN_PERCENT: z.coerce.number().int().min(0).max(50).default(0),
  HOSTING_SELLER_NAME: z.string().min(1).default("LumiCloud"),
  HOSTING_SELLER_ADDRESS: z.string().default(""),
  /** NPWP of the seller, as it stands on invoices. */
  HOSTING_SELLER_TAX_ID: z.string().default(""),
  MARKET_COMMISSION_PERCENT: z.coerce.number().int().min(0).max(50).default(5),
  /** Whether PPh 22 is withheld of what sellers sell from now on (PMK 37/2025). */
  MARKET_PPH22: z.enum(["on", "off"]).default("off"),
  MARKET_PAYOUT_MINIMUM: z.coerce.number().int().min(1).default(50_000),
  /** A payout of more than this needs two admins. */
  MARKET_TWO_PERSON_ABOVE: z.coerce.number().int().min(0).default(5_000_000),
  /** Handling an order of more than this by hand needs two admins. */
  TOPUP_TWO_PERSON_ABOVE: z.coerce.number().int().min(0).default(500_000),
  /** A supplier's price that falls by more than this per cent at once must stand in two lists before it sells. */
  TOPUP_MOST_DROP_PERCENT: z.coerce.number().int().min(1).max(100).default(50),
  /** Below this supplier balance no new orders are taken. */
  TOPUP_BALANCE_FLOOR: z.coerce.number().int().min(0).default(100_000),
  /** Whether resellers' webhooks may go to this machine and without TLS: on a laptop alone. */
  TOPUP_WEBHOOK_PRIVATE: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true"),
  /** How long the panel's audit trail is kept. */
  PANEL_AUDIT_DAYS: z.coerce.number().int().min(1).max(3650).default(365),
  /** Public Ed25519 keys of agent releases, base64url; without one no update is offered. */
  PANEL_RELEASE_KEYS: list.pipe(z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/))),
  LIVE_SHARDS: z.coerce.number().int().min(1).max(1024).default(8),
  LIVE_GUEST_CHAT: z.enum(["on", "off"]).default("on"),
  /** Whether a gift is shown with the drawing that its sender's app put in. */
  LIVE_GIFT_DRAWINGS: z.enum(["on", "off"]).default("on"),
  /** Of bcrypt, for passwords; less than 10 is refused but where `APP_URL` is this machine. */
  PASSWORD_COST: z.coerce.number().int().min(4).max(14).default(10),
});

export type Config = z.output<typeof Config>;

/** A laptop or a test, whose accounts are all made up. */
const isThisMachine = (address: string): boolean =>
  URL.canParse(address) &&
  /^(127\.0\.0\.1|\[::1\]|(.+\.)?localhost)$/.test(new URL(address).hostname);

/** Settings that mean something only together. */
const Whole = Config.refine((config) => !config.AAPANEL_URL === !config.AAPANEL_API_KEY, {
  path: ["AAPANEL_API_KEY"],
})
  .refine((config) => !config.RELAY_URL === !config.RELAY_KEY, { path: ["RELAY_KEY"] })
  .refine(
    (config) => config.PASSWORD_COST >= 10 || !config.APP_URL || isThisMachine(config.APP_URL),
    {
      path: ["PASSWORD_COST"],
    },
  );

/** The Worker lacks a variable or has a wrong one; its names are safe to log, its values never are. */
export class ConfigError extends Error {
  readonly variables: string[];

  constructor(variables: string[]) {
    super(`missing or invalid configuration: ${variables.join(", ")}`);
    this.name = "ConfigError";
    this.variables = variables;
  }
}

const parsed = new WeakMap<object, Config>();

/** The configuration, checked once per isolate. Throws `ConfigError` naming every variable that is wrong. */
export function loadConfig(env: object): Config {
  const known = parsed.get(env);
  if (known) return known;
  const result = Whole.safeParse(env);
  if (!result.success) {
    throw new ConfigError([...new Set(result.error.issues.map((issue) => String(issue.path[0])))]);
  }
  parsed.set(env, result.data);
  return result.data;
}
