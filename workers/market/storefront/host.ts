import { isReservedLabel, isStoreSlug } from "../slugs.ts";

/** What stands before `.<STORE_DOMAIN>` in a host, or null where nothing does. */
function labelOf(hostname: string, storeDomain: string): string | null {
  const host = hostname.toLowerCase();
  const suffix = `.${storeDomain.toLowerCase()}`;
  return host.endsWith(suffix) ? host.slice(0, -suffix.length) : null;
}

/** Whether a host is one of stores: also one that can be no store's, whose visitor is told so on a page. */
export function isStoreHost(hostname: string, storeDomain: string): boolean {
  const label = labelOf(hostname, storeDomain);
  return label !== null && !isReservedLabel(label);
}

/** The store that a host names: `<slug>.<STORE_DOMAIN>`. Null for every other host and for reserved labels. */
export function storeSlugOf(hostname: string, storeDomain: string): string | null {
  const label = labelOf(hostname, storeDomain);
  return label !== null && isStoreSlug(label) ? label : null;
}
