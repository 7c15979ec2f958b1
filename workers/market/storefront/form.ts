import { AppError } from "../../../shared/http/errors.ts";
import type { Visit } from "./visit.ts";

/** The form that was sent. Throws `invalid_input` for a body that is none. */
export async function sentForm(c: Visit): Promise<FormData> {
  try {
    return await c.req.formData();
  } catch (cause) {
    // A body that is no form is a TypeError; one over the limit is told by who bounds it.
    if (!(cause instanceof TypeError)) throw cause;
    const words = "Formulir ini tidak dapat dibaca. Muat ulang halamannya, lalu coba lagi.";
    throw new AppError("invalid_input", words, { cause });
  }
}

/** Its text fields; of several with one name the last. */
export async function sentFields(c: Visit): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const [name, value] of await sentForm(c)) {
    if (typeof value === "string") fields[name] = value;
  }
  return fields;
}
