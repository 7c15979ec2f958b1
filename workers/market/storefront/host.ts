import { isStoreSlug } from "../slugs.ts";

/** The store that a host names: `<slug>.<STORE_DOMAIN>`. Null for every other host and for reserved labels. */
export function storeSlugOf(hostname: string, storeDomain: string): string | null {
  const host = hostname.toLowerCase();
  const suffix = `.${storeDomain.toLowerCase()}`;
  if (!host.endsWith(suffix)) return null;
  const label = host.slice(0, -suffix.length);
  return isStoreSlug(label) ? label : null;
}
