import { z } from "zod";
import { AppError } from "../../../../shared/http/errors.ts";

/** What a panel may send, by any of its names; everything is text. */
export type PanelFields = Record<string, string>;

/** What the dialect answers to whatever it cannot read. */
export const incorrectRequest = () => new AppError("invalid_input", "Incorrect request");

/**
 * The fields of a call: panels post forms, some multipart, some JSON. A list (`orders[]=1&orders[]=2`, `[1,2]`) is
 * read as the same numbers separated by commas.
 */
export async function readFields(request: Request): Promise<PanelFields> {
  const type = request.headers.get("content-type")?.toLowerCase() ?? "";
  try {
    if (type.includes("json")) return fieldsOfJson(await request.json());
    if (type.startsWith("multipart/form-data")) return fieldsOfPairs(await request.formData());
    // As bytes: workerd warns of a form that is read as text.
    const text = new TextDecoder().decode(await request.arrayBuffer());
    return fieldsOfPairs(new URLSearchParams(text));
  } catch (error) {
    // Too large a body is refused by the limit on its way in, which throws one of ours.
    throw error instanceof AppError ? error : incorrectRequest();
  }
}

function fieldsOfPairs(pairs: Iterable<[string, unknown]>): PanelFields {
  const fields = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (typeof value !== "string") continue;
    const list = /^(.+)\[\d*\]$/.exec(name)?.[1];
    const before = list === undefined ? undefined : fields.get(list);
    fields.set(list ?? name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(fields);
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const Json = z.record(z.string(), z.union([scalar, z.array(scalar), z.null()]));

function fieldsOfJson(value: unknown): PanelFields {
  const fields = Object.entries(Json.parse(value)).filter(([, inner]) => inner !== null);
  return Object.fromEntries(fields.map(([name, inner]) => [name, String(inner)]));
}

/** How programs write that they have nothing for a field, where they do not leave it out. */
const NOTHING = /^\s*(?:undefined|null|none|nil)?\s*$/i;

/** Whether a field tells anything: clients post all that they know of, at times as their language's word for nothing. */
export const isSaid = (text: string | undefined): text is string =>
  text !== undefined && !NOTHING.test(text);

const wholeNumber = /^\s*\d{1,15}\s*$/;

/** A number as panels write it, or null. */
export const numberOf = (text: string | undefined): number | null =>
  text !== undefined && wholeNumber.test(text) ? Number(text) : null;
