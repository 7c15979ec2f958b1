import { z } from "@hono/zod-openapi";
import { pagingQuery } from "../../../shared/http/answers.ts";

const CONTROL = /\p{Cc}/u;

/** Text without characters that show nothing or cannot be kept. */
export const clean = (words = "Contains control characters") =>
  z.string().refine((value) => !CONTROL.test(value) && value.isWellFormed(), words);

/** What an admin gives as his reason: it stands in the audit for good. */
export const Reason = clean().trim().min(3).max(300);

/** A query parameter that a form sends empty when it was left open. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

export const AdminPage = {
  cursor: z.string().max(100).optional(),
  limit: pagingQuery.limit,
};

export const DayParameter = z.object({ day: z.string().max(100) });
export const IdParameter = z.object({ id: z.string().max(100) });
