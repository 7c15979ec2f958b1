import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import type { TargetKind } from "../tables/catalogue.ts";

/** What an order was placed for; `targetKind` is what its service took then. */
export interface Aim {
  family: SupplierFamily;
  target: string;
  targetKind: TargetKind | null;
}

/**
 * Whether the supplier's purchase is for the order's target: letter by letter, but for the case of a host or of an
 * account's name; only where a phone number was ordered for may it have another country code or grouping. As SQL function
 * `topup_is_for`.
 */
export function isSameTarget({ family, target, targetKind }: Aim, theirs: string): boolean {
  if (exact(family, theirs) === exact(family, target)) return true;
  return targetKind === "phone" && nationalPhone(theirs) === target;
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
