import type { z } from "zod";
import { AppError } from "../../../shared/http/errors.ts";
import { languageOf } from "../../../shared/http/families.ts";
import { issueWords } from "../../../shared/http/language.ts";

type Result = { success: true } | { success: false; error: z.core.$ZodError };
type Asked = { req: { path: string } };

/** The contract fixes the words of a 400, so the schema's own words are the whole message. */
export const inContractWords = (result: Result, asked: Asked): undefined =>
  refuse(result, asked, {});

/** The same, with the empty answer that the contract puts beside the words. */
export const inContractWordsWith =
  (meta: Record<string, unknown>) =>
  (result: Result, asked: Asked): undefined =>
    refuse(result, asked, meta);

function refuse(result: Result, { req }: Asked, meta: Record<string, unknown>): undefined {
  if (result.success) return undefined;
  const [first] = result.error.issues;
  const words = first ? issueWords(first, languageOf(req.path)) : "Data tidak valid";
  throw new AppError("invalid_input", words, { meta });
}
