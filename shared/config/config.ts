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

/** `kid:secret[,kid:secret]`: the first signs, all verify, so that a key can be replaced without signing anyone out. */
const keys = z
  .string()
  .transform((value) => value.split(",").map((pair) => pair.trim().split(":")))
  .pipe(z.array(z.tuple([z.string().min(1), strongKey])).min(1));

const Config = z.object({
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//),
  DATABASE_HTTP_URL: url.optional(),
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
  MAIL_FROM: z.string().min(3),
  ALERT_EMAIL: z.email(),
  PAYMENT_EXPIRY_MINUTES: z.coerce.number().int().min(1).max(1440).default(15),
  MARKET_COMMISSION_PERCENT: z.coerce.number().int().min(0).max(50).default(5),
  /** Handling an order of more than this by hand needs two admins. */
  TOPUP_TWO_PERSON_ABOVE: z.coerce.number().int().min(0).default(500_000),
  /** Below this supplier balance no new orders are taken. */
  TOPUP_BALANCE_FLOOR: z.coerce.number().int().min(0).default(100_000),
  /** Whether resellers' webhooks may go to this machine and without TLS: on a laptop alone. */
  TOPUP_WEBHOOK_PRIVATE: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true"),
  LIVE_SHARDS: z.coerce.number().int().min(1).max(1024).default(8),
  LIVE_GUEST_CHAT: z.enum(["on", "off"]).default("on"),
});

export type Config = z.output<typeof Config>;

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
  const result = Config.safeParse(env);
  if (!result.success) {
    throw new ConfigError([...new Set(result.error.issues.map((issue) => String(issue.path[0])))]);
  }
  parsed.set(env, result.data);
  return result.data;
}
