import { handlers } from "./areas.ts";
import type { AgentCtx } from "./ctx.ts";
import { type Daemon, type DaemonOptions, startDaemon } from "./daemon.ts";

export type AgentOptions = Omit<DaemonOptions, "handlers" | "chores">;

/** The whole agent: the daemon with everything that it can do, and the sites that it runs itself where no systemd does. */
export async function startAgent(options: AgentOptions): Promise<Daemon> {
  const { settings } = options;
  const isSupervisor = settings.services === "direct";
  if (isSupervisor) await (await import("./sites/index.ts")).startSites(settings);
  const daemon = startDaemon({ ...options, handlers, chores: [endLastDays] });
  return {
    stop: async () => {
      await daemon.stop();
      if (isSupervisor) await (await import("./sites/index.ts")).stopSites(settings);
    },
  };
}

async function endLastDays(ctx: AgentCtx): Promise<void> {
  await (await import("./sites/index.ts")).endLastDays(ctx);
}
