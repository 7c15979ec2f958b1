import { z } from "zod";
import { isStorable } from "../storable.ts";

/** An id as text that can be kept, however the platform writes it. */
export const id = z
  .union([z.string(), z.number().int()])
  .transform((value) => String(value).trim())
  .pipe(z.string().min(1).max(100).refine(isStorable));

/**
 * Rows of an answer that stand each for itself: one that cannot be read is left out and holds up no other. Where that is
 * so of all of several, it is the answer that cannot be read: the platform has changed, and none of them may be passed by.
 */
export const readable = <T>(row: z.ZodType<T>) =>
  z.array(z.unknown()).transform((given, check) => {
    const read = given.flatMap((one) => {
      const { success, data } = row.safeParse(one);
      return success ? [data] : [];
    });
    if (read.length > 0 || given.length < 2) return read;
    check.addIssue({ code: "custom", message: "no row can be read" });
    return z.NEVER;
  });

/** A text that may be missing, without characters that Postgres cannot keep. */
export const text = z
  .union([z.string(), z.number()])
  .nullish()
  .catch(null)
  .transform((value) =>
    String(value ?? "")
      .replaceAll("\0", "")
      .toWellFormed()
      .trim()
      .slice(0, 2_000)
      .toWellFormed(),
  );

/** Whole rupiah out of a number or a text, also one with decimals of zero; null where it is none. */
export const amountIdr = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,15}(\.\d{1,4})?$/)
      .transform(Number),
  ])
  .transform(Math.round)
  .pipe(z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER))
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);

export const count = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,12}$/)
      .transform(Number),
  ])
  .pipe(z.number().int().nonnegative())
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);

/** Beyond it lies no order, and soon no date that can be written down. */
const LATEST_SECONDS = 100_000_000_000;

/** Seconds since 1970; null where there is no time, or none that can be. */
export const seconds = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{9,11}$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null)
  .transform((value) =>
    value && value > 0 && value < LATEST_SECONDS ? new Date(value * 1000) : null,
  );
