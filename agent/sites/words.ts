import { CommandError } from "../command-error.ts";

/**
 * The last gate before a configuration file. Whatever was checked before, a word that is not made of these characters
 * alone is not written: nothing can end a directive, open a block, begin a comment or a line, or name a variable.
 */
const WORD = /^[A-Za-z0-9_./:-]{1,600}$/;

/** Writes a configuration from a template: every value in it goes through the gate. */
export function config(strings: TemplateStringsArray, ...values: (string | number)[]): string {
  return strings.reduce((text, part, index) => `${text}${word(values[index - 1] ?? "")}${part}`);
}

export function word(value: string | number): string {
  const text = String(value);
  if (!WORD.test(text))
    throw new CommandError("invalid", "a value cannot stand in a configuration");
  return text;
}

/** Several words with blanks between them. */
export const words = (values: readonly string[]): string => values.map(word).join(" ");
