/** The token of an `Authorization: Bearer <token>` header, the scheme in any case; null for anything else. */
export function bearerOf(header: string | null | undefined): string | null {
  return /^bearer +([^\s,]+) *$/i.exec(header ?? "")?.[1] ?? null;
}
