import { createApi } from "../../shared/http/api.ts";
import { appRoutes } from "./routes/app.ts";
import { authRoutes } from "./routes/auth.ts";
import { logoutRoutes } from "./routes/logout.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { walletRoutes } from "./routes/wallet.ts";
import type { TellSignInEnded } from "./sessions.ts";

/** Users, sign-in, sessions, profile and public images. What a log-out ends elsewhere is given by who mounts them. */
export function identityRoutes({ signInEnded }: { signInEnded: TellSignInEnded }) {
  const routes = createApi();
  routes.route("/", authRoutes);
  routes.route("/", logoutRoutes(signInEnded));
  routes.route("/", appRoutes);
  routes.route("/", uploadRoutes);
  routes.route("/", walletRoutes);
  return routes;
}
