import { z } from "zod";

/**
 * An amount as the providers write it: `"10000.00"`, `"12000"` or a whole number. It becomes whole rupiah exactly;
 * a fraction, a sign, an exponent or more than a safe integer does not pass.
 */
export const wholeIdr = z
  .union([
    z.number().int(),
    z
      .string()
      .regex(/^\d{1,15}(\.0{1,4})?$/)
      .transform(Number),
  ])
  .pipe(z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER));
