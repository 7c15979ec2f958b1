/**
 * One number in one spelling, for accounts, sign-ins and parcels alike: `+62x`, `62x` and a mobile number without its 0
 * (the mobile app sends it so) are `0x`, and what people or their phones put between digits goes. Text that is no
 * number stays as it was typed. Source: contract/chatme.md, phone normalisation.
 */
export function normalisePhone(typed: string): string {
  const plain = typed.replace(BETWEEN, "").replace(/^\+(?=0)/, "");
  const digits = plain.replace(/^00(?=[1-9])/, "+");
  if (!/^\+?\d+$/.test(digits)) return typed.trim();
  return digits.replace(/^\+?620*/, "0").replace(/^(?=8\d{5})/, "0");
}

/** Spaces, dashes, dots and brackets; invisible marks come with a number that was copied from an address book. */
const BETWEEN = /[\s().\p{Pd}\p{Cf}]/gu;
