import { OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "zod";
import type { ApiEnv } from "../../shared/http/api.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { issueWords } from "../../shared/http/language.ts";

/** Not the JSON that was asked for, rather than a value of it that is wrong. */
const MISSHAPEN = ["unrecognized_keys", "invalid_type", "invalid_union", "invalid_key"];

/**
 * A router of the panel. Its contract words each refusal: a body with an unknown or missing field, or one of another
 * type, is "invalid json body"; any other issue's message is the whole answer, so schemas bring the contract's words.
 */
export function createPanelApi(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const words = result.error.issues[0]?.message ?? "";
      // An id that can be nobody's is as unknown as any other.
      if (result.target === "param" && words.endsWith(" not found")) throw notFound(words);
      throw panelInputError(result.error);
    },
  });
}

export function panelInputError(error: z.core.$ZodError): AppError {
  const misshapen = error.issues.some(({ code }) => MISSHAPEN.includes(code));
  if (misshapen) return new AppError("invalid_json", "");
  const [first] = error.issues;
  return new AppError("invalid_input", first ? issueWords(first, "en") : "invalid input");
}
