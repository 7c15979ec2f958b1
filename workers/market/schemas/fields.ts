import { z } from "@hono/zod-openapi";
import { isReadable, UNREADABLE } from "../../../shared/http/readable.ts";

/** Control characters but tab and line ends: nobody types them, and Postgres refuses the first of them. */
const CONTROL = /[^\P{Cc}\t\n\r]/u;

/** Text as people type it: trimmed, whole characters, no control characters. Stored as it is, escaped when shown. */
export const text = (min: number, max: number) =>
  z
    .string()
    .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "Berisi karakter terlarang")
    .trim()
    .min(min)
    .max(max);

/** What a person or a thing is called: text that shows something. */
export const title = (min: number, max: number) => text(min, max).refine(isReadable, UNREADABLE);

/** Text that may be absent: null and an empty string both clear it. */
export const optionalText = (max: number) =>
  text(0, max)
    .nullable()
    .transform((value) => value || null);

/** A courier's district id: a number, kept in one form however it is written (`01141` is `1141`). */
export const districtId = (min: number, max: number) =>
  text(min, max).transform((id) => (/^\d+$/.test(id) ? id.replace(/^0+(?=\d)/, "") : id));

/** An amount in whole rupiah. The bound keeps every sum of a cart a safe integer. */
export const MAX_IDR = 10_000_000_000;
export const rupiah = () => z.number().int().positive().max(MAX_IDR);

/** A query parameter that a form sends empty when it was left open. */
export const optionalParameter = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

/** What was typed into a search box, cut to words that can be looked for. */
export const searchParameter = z
  .string()
  .transform((value) => {
    const plain = value.toWellFormed().replace(/\p{Cc}/gu, " ");
    return plain
      .split(/\s+/u)
      .filter(Boolean)
      .slice(0, 8)
      .map((word) => word.slice(0, 50));
  })
  .optional();

/** An id in a path. What is no id at all is as missing as an id of nothing. */
export const idParameters = z.object({ id: z.string().max(100) });

const givenId = z.object({ id: z.string().max(100).optional() });

/** The input of a route whose id may stand in the query or in the body. */
export const idInQueryOrBody = {
  query: givenId,
  body: { content: { "application/json": { schema: givenId } } },
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (value: string) => UUID.test(value);
