/** Without what agents may tell and Postgres does not keep: NUL, and halves of surrogate pairs. */
export function storable<T>(value: T): T {
  return JSON.parse(JSON.stringify(value ?? null), (_key, part: unknown) =>
    typeof part === "string" ? storableText(part) : part,
  );
}

export const storableText = (text: string): string => text.replaceAll("\0", "").toWellFormed();
