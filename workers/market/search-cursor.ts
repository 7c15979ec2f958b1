import { z } from "zod";
import { fromBase64Url, toBase64Url, utf8 } from "../../shared/crypto/index.ts";
import { AppError } from "../../shared/http/errors.ts";
import type { ProductQuery } from "./schemas/products.ts";

/** A time that Postgres takes as well: it knows no year 0, and no zone as far off as ISO 8601 can write. */
const moment = z.iso
  .datetime({ offset: true })
  .refine((text) => !text.startsWith("0000") && !/[+-](1[5-9]|2\d):\d\d$/.test(text));

/** Where a page ended, and what its first page counted. It holds nothing secret and opens nothing. */
const Cursor = z.object({
  sort: z.enum(["newest", "cheapest", "dearest"]),
  value: z.union([moment, z.number().int().nonnegative()]),
  id: z.uuid(),
  total: z.number().int().min(0).max(1000),
  capped: z.boolean(),
});
export type Cursor = z.output<typeof Cursor>;
type Position = Omit<Cursor, "sort" | "value"> & { value: string | number };

/** The order of a search, also where its asker names none. */
export function sortOf(query: ProductQuery) {
  const hasWords = (query.q ?? query.search ?? []).length > 0;
  if (query.sort === "relevance" || query.sort === undefined) {
    return hasWords ? "relevance" : "newest";
  }
  return query.sort;
}

/** The order that a cursor can go on in; by relevance there is none beyond the pages with a number. */
function sortFor(query: ProductQuery): Cursor["sort"] | null {
  const sort = sortOf(query);
  return sort === "relevance" ? null : sort;
}

export function writeCursor(query: ProductQuery, position: Position): string | null {
  const sort = sortFor(query);
  return sort && toBase64Url(utf8(JSON.stringify({ sort, ...position })));
}

/** The position that the query goes on from, if any. Throws `invalid_input` for one of another order, or none at all. */
export function readCursor(query: ProductQuery): Cursor | null {
  if (query.cursor === undefined) return null;
  const cursor = decode(query.cursor);
  const isTime = typeof cursor?.value === "string";
  if (!cursor || cursor.sort !== sortFor(query) || isTime !== (cursor.sort === "newest")) {
    throw new AppError("invalid_input", "cursor: tidak berlaku untuk pencarian ini");
  }
  return cursor;
}

function decode(text: string): Cursor | null {
  const bytes = fromBase64Url(text);
  if (!bytes) return null;
  try {
    return Cursor.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}
