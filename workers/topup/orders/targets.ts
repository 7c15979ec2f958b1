import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";

/** What an order for a phone number has as its target; the supplier may write the number in other ways. */
const PHONE = /^08[1-9]\d{7,10}$/;

/**
 * Whether the supplier's purchase is for the order's target: letter by letter, but for the case of a host or of an
 * account's name; only a phone number may have another country code or grouping. As SQL function `topup_is_for`.
 */
export function isSameTarget(
  { family, target }: { family: SupplierFamily; target: string },
  theirs: string,
): boolean {
  if (exact(family, theirs) === exact(family, target)) return true;
  return family === "prepaid" && PHONE.test(target) && nationalPhone(theirs) === target;
}

function exact(family: SupplierFamily, target: string): string {
  const plain = target.trim();
  if (family !== "social") return plain;
  const host = /^https?:\/\/[^/?#]*/i.exec(plain)?.[0];
  return host === undefined ? plain.toLowerCase() : host.toLowerCase() + plain.slice(host.length);
}

/** "+62 812-…", "62812…", "812…" as "0812…"; what is no number stays. */
const nationalPhone = (number: string) =>
  /^\+?[\d .()-]+$/.test(number.trim())
    ? number.replace(/\D/g, "").replace(/^(?:62|0+)?/, "0")
    : number;
