import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import {
  fromBase64Url,
  hmacSha256Base64Url,
  timingSafeEqual,
  toBase64Url,
  utf8,
} from "../../../shared/crypto/index.ts";
import { AppError } from "../../../shared/http/errors.ts";

/** How long a shown rate may be ordered at. */
export const QUOTE_MS = 2 * 60 * 60 * 1000;

/** A rate that we showed: for which parcel, from where to where, at what price. */
const Quote = z.object({
  storeId: z.string(),
  originAreaId: z.string(),
  destinationAreaId: z.string(),
  weightGram: z.number().int(),
  priceIdr: z.number().int().nonnegative(),
  courierCode: z.string(),
  courierName: z.string(),
  serviceCode: z.string(),
  serviceName: z.string(),
  duration: z.string(),
  type: z.string(),
});
export type Quote = z.output<typeof Quote>;

const Signed = Quote.extend({ expiresAt: z.number() });
export type SignedQuote = z.output<typeof Signed>;

/**
 * A rate's `id`: the rate itself under our signature. A checkout needs neither a look-up nor the courier again, and
 * a price that a caller made up does not verify (TB-2).
 */
export async function signQuote(ctx: Ctx, quote: Quote): Promise<string> {
  const signed = { ...quote, expiresAt: ctx.now().getTime() + QUOTE_MS };
  const body = toBase64Url(utf8(JSON.stringify(signed)));
  return `${body}.${await signature(ctx, body)}`;
}

/** The rate that an `id` stands for. Throws `invalid_input` for one that is not ours, `changed` where it has run out. */
export async function readQuote(ctx: Ctx, id: string): Promise<Quote> {
  const quote = await readSignedQuote(ctx, id);
  if (quote.expiresAt < ctx.now().getTime()) throw new AppError("changed", OUTDATED);
  return quote;
}

/** The same, also where it has run out: for a checkout, which may be the repeat of one that was in time. */
export async function readSignedQuote(ctx: Ctx, id: string): Promise<SignedQuote> {
  const [body = "", given = ""] = id.split(".");
  const bytes = fromBase64Url(body);
  const valid = bytes !== null && (await timingSafeEqual(given, await signature(ctx, body)));
  if (!valid) throw new AppError("invalid_input", "courier: pilihan kurir tidak dikenal");
  const quote = Signed.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  // Signed by us, so by an older release.
  if (!quote.success) throw new AppError("changed", OUTDATED);
  return quote.data;
}

const OUTDATED = "Ongkos kirim sudah kedaluwarsa. Silakan hitung ulang.";

function signature(ctx: Ctx, body: string): Promise<string> {
  return hmacSha256Base64Url(ctx.config.SIGNING_KEY, `market.quote.${body}`);
}
