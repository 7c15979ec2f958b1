import { createApi } from "../../shared/http/api.ts";
import { deployRoutes } from "./routes/deploys.ts";
import { invoiceRoutes } from "./routes/invoices.tsx";
import { orderRoutes } from "./routes/orders.tsx";
import { paymentRoutes } from "./routes/payment.ts";
import { planRoutes } from "./routes/plans.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { websiteRoutes } from "./routes/websites.ts";

/** All HTTP routes of hosting. */
export const hostingRoutes = createApi();

hostingRoutes.route("/", planRoutes);
hostingRoutes.route("/", paymentRoutes);
hostingRoutes.route("/", orderRoutes);
hostingRoutes.route("/", invoiceRoutes);
hostingRoutes.route("/", websiteRoutes);
hostingRoutes.route("/", uploadRoutes);
hostingRoutes.route("/", deployRoutes);
