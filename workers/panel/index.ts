export { hourlyChores as panelHourlyChores, minuteChores as panelMinuteChores } from "./chores.ts";
export { type CommandView, type Link, linkOf } from "./link/link-client.ts";
export { panelMails } from "./mails.ts";
export { sitesRootOf } from "./servers.ts";

import { panelCommand } from "./commands.ts";
import { revokeJob } from "./link/agents.ts";

/** What runs on the queue for the panel. */
export const panelJobs = [panelCommand(), revokeJob];
