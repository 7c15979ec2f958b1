import { getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import type { Visit } from "./visit.ts";

const COOKIE = "lumbung_note";
/** Longer than a browser needs to follow a redirect. */
const MAX_AGE_SECONDS = 60;

/** What a page tells its visitor once, after a redirect: so that reloading it sends no form again. */
const Note = z.object({ words: z.string().min(1).max(300), quantity: z.number().int().min(1) });
export type Note = z.output<typeof Note>;

const optionsOf = (c: Visit, path: string) => {
  const secure = new URL(c.req.url).protocol === "https:";
  return { path, httpOnly: true, sameSite: "Lax", secure } as const;
};

/** Leads to a page of this store with a note that no other page is sent. */
export function redirectWithNote(c: Visit, path: string, note: Note): Response {
  const words = note.words.slice(0, 300);
  const value = JSON.stringify({ ...note, words });
  setCookie(c, COOKIE, value, { ...optionsOf(c, path), maxAge: MAX_AGE_SECONDS });
  return c.redirect(path, 303);
}

/** The note for this page, which it then has told. */
export function takeNote(c: Visit): Note | null {
  const value = getCookie(c, COOKIE);
  if (value === undefined) return null;
  setCookie(c, COOKIE, "", { ...optionsOf(c, c.req.path), maxAge: 0 });
  const parsed = Note.safeParse(readJson(value));
  return parsed.success ? parsed.data : null;
}

function readJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
