import { createApi } from "../../shared/http/api.ts";
import { adminRoutes } from "./routes/admin.ts";
import { adminMarginRoutes } from "./routes/admin-margins.ts";
import { adminOrderRoutes } from "./routes/admin-orders.ts";
import { adminServiceRoutes } from "./routes/admin-services.ts";
import { callbackRoutes } from "./routes/callbacks.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { keyRoutes } from "./routes/keys.ts";
import { orderRoutes } from "./routes/orders.ts";
import { serviceRoutes } from "./routes/services.ts";
import { smmRoutes } from "./routes/smm.ts";
import { syncRoutes } from "./routes/sync.ts";

/** All HTTP routes of the top-up domain, a file per URL family. */
export const topupRoutes = createApi();

for (const family of [
  orderRoutes,
  callbackRoutes,
  serviceRoutes,
  syncRoutes,
  keyRoutes,
  deliveryRoutes,
  smmRoutes,
  adminOrderRoutes,
  adminMarginRoutes,
  adminServiceRoutes,
  adminRoutes,
]) {
  topupRoutes.route("/", family);
}
