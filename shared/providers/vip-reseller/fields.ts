import { z } from "zod";

export const PROVIDER = "vip-reseller";

/** Text as Postgres and JSON can hold it: no NUL, no half of a surrogate pair, no white space around, not endless. */
export const clean = (value: string, longest = 2_000) =>
  value.replaceAll("\0", "").toWellFormed().trim().slice(0, longest).toWellFormed();

/** A text that may be missing, null or a number, as PHP sends it. */
export const text = z
  .union([z.string(), z.number()])
  .nullish()
  .catch(null)
  .transform((value) => clean(String(value ?? "")));

/** An id: never empty, never long. */
export const code = z
  .union([z.string(), z.number().int()])
  .transform((value) => clean(String(value)))
  .pipe(z.string().min(1).max(100));

/**
 * A number, or text of one, that everybody reads alike. "10.764" is ten thousand to an Indonesian and eleven to PHP (which
 * may well send it as a number): with just three places after the point, below 1,000, it is neither. Nothing is bought,
 * sold or given back by a guess.
 */
export const written = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^-?\d+(\.\d+)?$/),
  ])
  .refine((value) => !/^-?[1-9]\d{0,2}\.\d{3}$/.test(String(value)));

/** Whole rupiah; a fraction is rounded up, so that what we pay is never taken for less. */
export const amountIdr = written
  .transform((value) => Math.ceil(Number(value)))
  .pipe(z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER));

/** A count that may be missing, or be something that is none. */
export const count = written
  .transform((value) => Math.trunc(Number(value)))
  .pipe(z.number().int().nonnegative().max(2_000_000_000))
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);
