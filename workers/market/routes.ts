import { createApi } from "../../shared/http/api.ts";
import { adminBannerRoutes } from "./routes/admin-banners.ts";
import { adminDashboardRoutes } from "./routes/admin-dashboard.ts";
import { adminPayoutRoutes } from "./routes/admin-payouts.ts";
import { adminProductRoutes } from "./routes/admin-products.ts";
import { adminPromoRoutes } from "./routes/admin-promo.ts";
import { adminStoreRoutes } from "./routes/admin-stores.ts";
import { assistantRoutes } from "./routes/assistant.ts";
import { buyerCartRoutes } from "./routes/buyer-cart.ts";
import { buyerOrderRoutes } from "./routes/buyer-orders.ts";
import { buyerProductRoutes } from "./routes/buyer-products.ts";
import { buyerShippingRoutes } from "./routes/buyer-shipping.ts";
import { marketplaceWebhookRoutes } from "./routes/marketplace-webhooks.ts";
import { photoWebhookRoutes } from "./routes/photo-webhook.ts";
import { sellerInstagramRoutes } from "./routes/seller-instagram.ts";
import { sellerMarketplaceRoutes } from "./routes/seller-marketplace.ts";
import { sellerOrderRoutes } from "./routes/seller-orders.ts";
import { sellerPayoutRoutes } from "./routes/seller-payouts.ts";
import { sellerPhotoRoutes } from "./routes/seller-photos.ts";
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
  sellerMarketplaceRoutes,
  sellerPhotoRoutes,
  sellerInstagramRoutes,
  sellerPayoutRoutes,
  adminDashboardRoutes,
  adminStoreRoutes,
  adminProductRoutes,
  adminPromoRoutes,
  adminBannerRoutes,
  adminPayoutRoutes,
  buyerProductRoutes,
  buyerCartRoutes,
  buyerShippingRoutes,
  buyerOrderRoutes,
  assistantRoutes,
  webhookRoutes,
  marketplaceWebhookRoutes,
  photoWebhookRoutes,
]) {
  marketRoutes.route("/", family);
}
