import type { z } from "zod";
import type { Config } from "../config/config.ts";
import { htmlOf, type MailPage, textOf } from "./layout.ts";

/** One kind of mail. The same data must always give the same mail: a repeat under the same key depends on it. */
export interface MailTemplate<T> {
  name: string;
  schema: z.ZodType<T>;
  subject(data: T): string;
  /** The configuration is for links: its addresses differ from one installation to the next. */
  html(data: T, config: Config): string;
  text(data: T, config: Config): string;
}

/** A template whose both forms come from one page of plain text, so that nothing is ever left unescaped. */
export function mailTemplate<T>(template: {
  name: string;
  schema: z.ZodType<T>;
  subject(data: T): string;
  page(data: T, config: Config): MailPage;
}): MailTemplate<T> {
  const { name, schema, subject, page } = template;
  return {
    name,
    schema,
    subject,
    html: (data, config) => htmlOf(page(data, config)),
    text: (data, config) => textOf(page(data, config)),
  };
}
