import type { Config } from "../../../shared/config/config.ts";

/** `https://<slug>.<STORE_DOMAIN>`, with the scheme and port of the API's own address. */
export function storeUrl(config: Config, slug: string, path = "/"): string {
  const app = new URL(config.APP_URL);
  const port = app.port ? `:${app.port}` : "";
  return `${app.protocol}//${slug}.${config.STORE_DOMAIN}${port}${path}`;
}

/** The page where an order is paid and followed. */
export const orderUrl = (config: Config, slug: string, orderId: string) =>
  storeUrl(config, slug, `/pesanan/${orderId}`);
