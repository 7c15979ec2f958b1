import type { z } from "zod";
import { AppError } from "../../../shared/http/errors.ts";

/** The contract fixes the words of a 400, so the schema's own words are the whole message. */
export function inContractWords(
  result: { success: true } | { success: false; error: z.core.$ZodError },
): undefined {
  if (result.success) return undefined;
  throw new AppError("invalid_input", result.error.issues[0]?.message ?? "Data tidak valid");
}

/** The same, with the empty answer that the contract puts beside the words. */
export const inContractWordsWith =
  (meta: Record<string, unknown>) =>
  (result: { success: true } | { success: false; error: z.core.$ZodError }): undefined => {
    if (result.success) return undefined;
    const words = result.error.issues[0]?.message ?? "Data tidak valid";
    throw new AppError("invalid_input", words, { meta });
  };
