import { compare, getRounds, hash } from "bcryptjs";
import type { Config } from "../../shared/config/config.ts";

/** What bcrypt reads of a password; it ignores the rest without a word, so longer ones are refused. */
export const BCRYPT_MAX_BYTES = 72;

type Cost = Pick<Config, "PASSWORD_COST">;

/**
 * Of a random text that nobody has: an unknown account costs the same work as a wrong password. After a change of the
 * cost that holds for the accounts whose owners have signed in since (`isOutdated`); those that have not still cost what
 * they did, which tells whoever measures that such an account is there.
 */
export const nobodysHash = ({ PASSWORD_COST }: Cost) =>
  `$2b$${String(PASSWORD_COST).padStart(2, "0")}$h61MgyBAXbUoeAGWGBN8fuOA6PiP0owVbkAjWwQpZfWYaPsl5upwS`;

export function hashPassword(config: Cost, password: string): Promise<string> {
  return hash(password, config.PASSWORD_COST);
}

/** Whether the hash was made at another cost than is asked for now: it is made anew when its password is at hand. */
export const isOutdated = ({ PASSWORD_COST }: Cost, passwordHash: string): boolean =>
  getRounds(passwordHash) !== PASSWORD_COST;

/** Compares in the same time whether or not there is a hash; a password that bcrypt would cut never matches. */
export async function passwordMatches(
  config: Cost,
  password: string,
  passwordHash: string | undefined,
): Promise<boolean> {
  const fits = new TextEncoder().encode(password).byteLength <= BCRYPT_MAX_BYTES;
  const matched = await compare(fits ? password : "", passwordHash ?? nobodysHash(config));
  return matched && fits && passwordHash !== undefined;
}
