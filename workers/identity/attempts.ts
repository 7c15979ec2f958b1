import type { Ctx } from "../../shared/context.ts";
import { hmacSha256Base64Url } from "../../shared/crypto/index.ts";
import { AppError } from "../../shared/http/errors.ts";

/** One counter in Postgres (`identity_count_attempt`): so many attempts, then a wait. */
export interface Limit {
  key: string;
  allowed: number;
  seconds: number;
}

const MINUTE_S = 60;
/** Failures of one address on one account, then the pair waits. */
const PER_PAIR = { allowed: 5, seconds: 5 * MINUTE_S };
/** Failures on one account from anywhere, so that many addresses do not add up to many guesses. */
const PER_ACCOUNT = { allowed: 20, seconds: 15 * MINUTE_S };
/** Failures of one address on any accounts: generous, because a mobile network shares few addresses. */
const PER_ADDRESS = { allowed: 200, seconds: 15 * MINUTE_S };
const REGISTRATIONS = { allowed: 20, seconds: 60 * MINUTE_S };

const MAX_REMEMBERED = 5_000;

/** Addresses that Postgres has refused here: another registration in vain costs no query and no password hash. */
const refusedUntil = new Map<string, number>();

/** In the order in which they are counted: pair, account, address. */
export async function signInLimits(
  ctx: Ctx,
  account: string,
  address: string,
): Promise<[Limit, Limit, Limit]> {
  const network = networkOf(address);
  const [pair, name, from] = await Promise.all([
    keyOf(ctx, "pair", `${network}/${account}`),
    keyOf(ctx, "account", account),
    keyOf(ctx, "address", network),
  ]);
  const generous = PER_ADDRESS.allowed * ctx.config.RATE_LIMIT_FACTOR;
  return [
    { key: pair, ...PER_PAIR },
    { key: name, ...PER_ACCOUNT },
    { key: from, ...PER_ADDRESS, allowed: generous },
  ];
}

export async function registerLimit(ctx: Ctx, address: string): Promise<Limit> {
  const key = await keyOf(ctx, "register", networkOf(address));
  return { key, ...REGISTRATIONS, allowed: REGISTRATIONS.allowed * ctx.config.RATE_LIMIT_FACTOR };
}

/** Throws while this isolate knows that the limit is used up. */
export function refuseKnown(ctx: Ctx, limit: Limit): void {
  const until = refusedUntil.get(limit.key) ?? 0;
  const seconds = Math.ceil((until - ctx.now().getTime()) / 1000);
  if (seconds > 0) throw tooManyRegistrations(seconds);
}

export function rememberRefusal(ctx: Ctx, limit: Limit, seconds: number): AppError {
  if (refusedUntil.size >= MAX_REMEMBERED) refusedUntil.clear();
  refusedUntil.set(limit.key, ctx.now().getTime() + seconds * 1000);
  return tooManyRegistrations(seconds);
}

export function lockedOut(seconds: number, words?: string): AppError {
  const usual = `Terlalu banyak percobaan masuk yang gagal. Coba lagi dalam ${inWords(seconds)}.`;
  return new AppError("locked_out", words ?? usual, { meta: { retry_after: seconds } });
}

function tooManyRegistrations(seconds: number): AppError {
  return new AppError(
    "rate_limited",
    `Terlalu banyak pendaftaran dari jaringan ini. Coba lagi dalam ${inWords(seconds)}.`,
    { meta: { retry_after: seconds } },
  );
}

function inWords(seconds: number): string {
  return seconds < MINUTE_S ? `${seconds} detik` : `${Math.ceil(seconds / MINUTE_S)} menit`;
}

function keyOf(ctx: Ctx, kind: string, text: string): Promise<string> {
  return hmacSha256Base64Url(ctx.config.SIGNING_KEY, `identity-attempts/${kind}/${text}`);
}

/** Who is one party: an IPv4 address, or the /64 of an IPv6 one, whose holder may use any address in it. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [left = "", right] = address.toLowerCase().split("::");
  const groups = left.split(":").filter(Boolean);
  const tail = right?.split(":").filter(Boolean) ?? [];
  while (right !== undefined && groups.length + tail.length < 8) groups.push("0");
  return [...groups, ...tail]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
