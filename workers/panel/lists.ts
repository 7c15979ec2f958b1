import { z } from "@hono/zod-openapi";

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 500;

/** `?limit=`: 200 unless a number of 1 or more is given, and never above 500; nothing here is an error. */
export const listLimit = z
  .preprocess((value) => {
    const text = typeof value === "string" ? value.trim() : "";
    const number = /^[+-]?\d+$/.test(text) ? Number(text) : 0;
    return number >= 1 ? Math.min(number, MAX_LIMIT) : DEFAULT_LIMIT;
  }, z.number().int())
  .openapi({ type: "integer", example: DEFAULT_LIMIT });

export const listQuery = z.object({ limit: listLimit });
