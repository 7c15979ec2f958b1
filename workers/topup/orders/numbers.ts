import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";

const PREFIXES: Record<SupplierFamily, string> = {
  prepaid: "PRE",
  social: "SMO",
  game: "ORD-GAME",
};
const SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LENGTH = 5;
/** The largest multiple of 36 in a byte: what lies above would favour the first symbols. */
const FAIR_BELOW = 252;
const CANDIDATES = 5;

/** A few order numbers, of which the first free one is taken: `PRE-1724589876-ABC12` (the specification's form). */
export function orderNumbers(family: SupplierFamily, now: Date): string[] {
  const seconds = String(Math.floor(now.getTime() / 1000)).padStart(10, "0");
  return Array.from({ length: CANDIDATES }, () => `${PREFIXES[family]}-${seconds}-${suffix()}`);
}

function suffix(): string {
  let text = "";
  while (text.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(2 * LENGTH))) {
      if (byte < FAIR_BELOW && text.length < LENGTH) text += SYMBOLS.charAt(byte % SYMBOLS.length);
    }
  }
  return text;
}
