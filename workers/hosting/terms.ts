import type { Config } from "../../shared/config/config.ts";
import type { OrderTerms } from "./tables/orders.ts";

/** What an order freezes of today's configuration, for the invoice that follows it. */
export const orderTerms = (config: Config): OrderTerms => ({
  ppn_percent: config.HOSTING_PPN_PERCENT,
  seller: {
    name: config.HOSTING_SELLER_NAME,
    address: config.HOSTING_SELLER_ADDRESS,
    tax_id: config.HOSTING_SELLER_TAX_ID,
  },
});
