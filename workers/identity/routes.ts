import { createApi } from "../../shared/http/api.ts";
import { appRoutes } from "./routes/app.ts";
import { authRoutes } from "./routes/auth.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { walletRoutes } from "./routes/wallet.ts";

/** Users, sign-in, sessions, profile and public images. */
export const identityRoutes = createApi();

identityRoutes.route("/", authRoutes);
identityRoutes.route("/", appRoutes);
identityRoutes.route("/", uploadRoutes);
identityRoutes.route("/", walletRoutes);
