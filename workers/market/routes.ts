import { createApi } from "../../shared/http/api.ts";
import { buyerCartRoutes } from "./routes/buyer-cart.ts";
import { buyerProductRoutes } from "./routes/buyer-products.ts";
import { sellerProductRoutes } from "./routes/seller-products.ts";
import { sellerPromoRoutes } from "./routes/seller-promo.ts";
import { sellerStoreRoutes } from "./routes/seller-store.ts";
import { sellerUploadRoutes } from "./routes/seller-uploads.ts";

/** All HTTP routes of the market, a file per URL family. */
export const marketRoutes = createApi();

for (const family of [
  sellerStoreRoutes,
  sellerProductRoutes,
  sellerUploadRoutes,
  sellerPromoRoutes,
  buyerProductRoutes,
  buyerCartRoutes,
]) {
  marketRoutes.route("/", family);
}
