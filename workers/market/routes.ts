import { createApi } from "../../shared/http/api.ts";
import { buyerCartRoutes } from "./routes/buyer-cart.ts";
import { buyerOrderRoutes } from "./routes/buyer-orders.ts";
import { buyerProductRoutes } from "./routes/buyer-products.ts";
import { buyerShippingRoutes } from "./routes/buyer-shipping.ts";
import { sellerOrderRoutes } from "./routes/seller-orders.ts";
import { sellerProductRoutes } from "./routes/seller-products.ts";
import { sellerPromoRoutes } from "./routes/seller-promo.ts";
import { sellerStoreRoutes } from "./routes/seller-store.ts";
import { sellerUploadRoutes } from "./routes/seller-uploads.ts";
import { webhookRoutes } from "./routes/webhooks.ts";

/** All HTTP routes of the market, a file per URL family. */
export const marketRoutes = createApi();

for (const family of [
  sellerStoreRoutes,
  sellerProductRoutes,
  sellerUploadRoutes,
  sellerPromoRoutes,
  sellerOrderRoutes,
  buyerProductRoutes,
  buyerCartRoutes,
  buyerShippingRoutes,
  buyerOrderRoutes,
  webhookRoutes,
]) {
  marketRoutes.route("/", family);
}
