import { z } from "@hono/zod-openapi";

export interface Page {
  page: number;
  limit: number;
}

/** A whole number within bounds; anything that is no sensible number means the default. */
const within = (fallback: number, most: number) =>
  z.preprocess((value) => {
    const number = Math.trunc(Number(value));
    return Number.isFinite(number) && number >= 1 ? Math.min(number, most) : fallback;
  }, z.number().int());

/** `?page=1&limit=…` of a list that the app shows whole: long by default, and never longer than `most`. */
export const appPaging = (limit: number, most = 200) => ({
  page: within(1, 10_000),
  limit: within(limit, most),
});

/** A word of the query where a missing or too long one means the default. */
export const word = (fallback: string, most = 100) =>
  z.preprocess(
    (value) => (typeof value === "string" && value.length <= most ? value : fallback),
    z.string(),
  );

export const offsetOf = ({ page, limit }: Page) => (page - 1) * limit;
