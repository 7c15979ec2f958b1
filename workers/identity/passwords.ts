import { compare, hash } from "bcryptjs";

/** What bcrypt reads of a password; it ignores the rest without a word, so longer ones are refused. */
export const BCRYPT_MAX_BYTES = 72;
const COST = 10;

/** Of a random text that nobody has: an unknown account costs the same work as a wrong password. */
export const NOBODYS_HASH = "$2b$10$h61MgyBAXbUoeAGWGBN8fuOA6PiP0owVbkAjWwQpZfWYaPsl5upwS";

export function hashPassword(password: string): Promise<string> {
  return hash(password, COST);
}

/** Compares in the same time whether or not there is a hash; a password that bcrypt would cut never matches. */
export async function passwordMatches(
  password: string,
  passwordHash: string | undefined,
): Promise<boolean> {
  const fits = new TextEncoder().encode(password).byteLength <= BCRYPT_MAX_BYTES;
  const matched = await compare(fits ? password : "", passwordHash ?? NOBODYS_HASH);
  return matched && fits && passwordHash !== undefined;
}
