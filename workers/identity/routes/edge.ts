import type { Context } from "hono";
import type { z } from "zod";
import type { ApiEnv } from "../../../shared/http/api.ts";
import { AppError } from "../../../shared/http/errors.ts";

/** The platform's own name for who connects; no header that the caller chooses counts. */
export function callerAddress(c: Context<ApiEnv>): string {
  return c.req.header("cf-connecting-ip") ?? "unknown";
}

/** These contracts fix the words of a 400, so the schema's own words are the whole message. */
export function inContractWords(
  result: { success: true } | { success: false; error: z.core.$ZodError },
): undefined {
  if (result.success) return undefined;
  throw new AppError("invalid_input", result.error.issues[0]?.message ?? "Data tidak valid");
}
