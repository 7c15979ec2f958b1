import { createApi } from "../../shared/http/api.ts";
import type { TellSignInEnded } from "../identity/index.ts";
import { agentRoutes } from "./routes/agent.ts";
import { agentBackupRoutes } from "./routes/agent-backups.ts";
import { auditRoutes } from "./routes/audit.ts";
import { panelAuthRoutes } from "./routes/auth.ts";
import { backupRoutes } from "./routes/backups.ts";
import { certificateRoutes } from "./routes/certificates.ts";
import { databaseRoutes } from "./routes/databases.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { monitorRoutes } from "./routes/monitor.ts";
import { releaseRoutes } from "./routes/releases.ts";
import { serverRoutes } from "./routes/servers.ts";
import { siteRoutes } from "./routes/sites.ts";
import { systemRoutes } from "./routes/system.ts";
import { updateRoutes } from "./routes/update.ts";

/** Route files of the panel, one per URL family. */
const FAMILIES = [
  systemRoutes,
  serverRoutes,
  agentRoutes,
  auditRoutes,
  monitorRoutes,
  updateRoutes,
  releaseRoutes,
  siteRoutes,
  jobRoutes,
  databaseRoutes,
  certificateRoutes,
  backupRoutes,
];

/** All HTTP routes of the panel. What a log-out ends elsewhere is given by who mounts them. */
export function panelRoutes({ signInEnded }: { signInEnded: TellSignInEnded }) {
  const routes = createApi();
  routes.route("/", panelAuthRoutes(signInEnded));
  for (const family of FAMILIES) routes.route("/", family);
  routes.route("/", agentBackupRoutes);
  return routes;
}
