import type { z } from "zod";
import { htmlOf, type MailPage, textOf } from "./layout.ts";

/** One kind of mail. The same data must always give the same mail: a repeat under the same key depends on it. */
export interface MailTemplate<T> {
  name: string;
  schema: z.ZodType<T>;
  subject(data: T): string;
  html(data: T): string;
  text(data: T): string;
}

/** A template whose both forms come from one page of plain text, so that nothing is ever left unescaped. */
export function mailTemplate<T>(template: {
  name: string;
  schema: z.ZodType<T>;
  subject(data: T): string;
  page(data: T): MailPage;
}): MailTemplate<T> {
  const { name, schema, subject, page } = template;
  return {
    name,
    schema,
    subject,
    html: (data) => htmlOf(page(data)),
    text: (data) => textOf(page(data)),
  };
}
