import { AppError } from "../../../../shared/http/errors.ts";

/** The dialect's own words for what can go wrong with an order; its clients compare them. */
export const WORDS = {
  service: "Incorrect service ID",
  order: "Incorrect order ID",
  link: "neworder.error.link",
  refill: "Refill not found",
  duplicate: "neworder.error.link_duplicate",
  minimum: "neworder.error.min_quantity",
  maximum: "neworder.error.max_quantity",
  funds: "neworder.error.not_enough_funds",
} as const;

export const panelError = (words: string) => new AppError("invalid_input", words);

/**
 * A failure of placing an order in the dialect's words; what it has no words for keeps its own: a service that is listed
 * and cannot be had at this moment is out of stock or not available, but its number is right. Panels strike what is not.
 */
export function inPanelWords(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  // How often the key may call is a status of its own; how much its owner may order is an answer like any other.
  if (error.code === "rate_limited" && !error.meta.retry_after) {
    return new AppError("conflict", error.message, { cause: error });
  }
  const words = wordsOf(error);
  if (words === null) return error;
  // What is wrong with a link the dialect's word does not tell, and its caller cannot guess.
  const told = words === WORDS.link ? { words: error.message } : {};
  return new AppError(error.code, words, { meta: { ...error.meta, ...told }, cause: error });
}

function wordsOf(error: AppError): string | null {
  if (error.code === "insufficient_balance") return WORDS.funds;
  if (error.code === "conflict" && error.meta.orderNumber) return WORDS.duplicate;
  if (error.code === "invalid_input") return WORDS.link;
  return null;
}
