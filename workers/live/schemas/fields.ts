import { z } from "@hono/zod-openapi";
import { MAX_ROOM_ID } from "../rooms/names.ts";

const CONTROL = /[^\P{Cc}\t\n\r]/u;

/** Text as people type it: trimmed, whole characters, no control characters but tab and line ends. */
export const text = (
  words: string,
  max: number,
  min = 1,
  tooLong = `${words} (maksimal ${max} karakter)`,
) =>
  z
    .string(words)
    .trim()
    .min(min, words)
    .max(max, tooLong)
    .refine((value) => value.isWellFormed() && !CONTROL.test(value), words);

/** Text on one line that may be absent; a form sends it empty. */
export const optionalText = (words: string, max: number, tooLong?: string) =>
  z.preprocess(
    (value) => (value === "" || value === null ? undefined : value),
    text(words, max, 1, tooLong).optional(),
  );

const id = (words: string) => z.int(words).min(1, words);
const digits = (words: string) =>
  z
    .string(words)
    .regex(/^\d{1,16}$/, words)
    .transform(Number);

/** A number that the app sends as a number or, out of its lists of string ids, as digits. */
export const numericId = (words: string) =>
  z.union([z.number(), digits(words)], words).pipe(id(words));

/** An id in a path. */
export const idInPath = (words: string) => digits(words).pipe(id(words));

/** The same, where what is no number is as missing as the number of nothing. */
export const idOrNone = z
  .string()
  .transform((value) => (/^\d{1,15}$/.test(value) ? Number(value) : 0));

/** A room's name is any short text or number that its client chose; empty means none. */
export const roomId = z.preprocess(
  (value) => (typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value),
  optionalText("roomId tidak valid", MAX_ROOM_ID),
);

/** A moment as our SQL functions write it, as the app reads it. */
export const instant = z.string().transform((value) => new Date(value).toISOString());
