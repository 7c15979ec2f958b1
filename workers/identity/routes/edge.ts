import type { z } from "zod";
import { AppError } from "../../../shared/http/errors.ts";

/** These contracts fix the words of a 400, so the schema's own words are the whole message. */
export function inContractWords(
  result: { success: true } | { success: false; error: z.core.$ZodError },
): undefined {
  if (result.success) return undefined;
  throw new AppError("invalid_input", result.error.issues[0]?.message ?? "Data tidak valid");
}
