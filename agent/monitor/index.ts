import {
  type CertificateState,
  MOST_CERTIFICATES,
  MOST_SERVICES,
  type MonitorReport,
} from "../../shared/agent-protocol/index.ts";
import { BUILD } from "../build.ts";
import type { AgentCtx } from "../ctx.ts";
import { lastUpdate } from "../update/state.ts";
import { type Reading, readHost } from "./host.ts";
import { serviceReader } from "./services.ts";

export { readFacts } from "./facts.ts";

export interface Monitor {
  report(): Promise<MonitorReport>;
}

export interface MonitorSources {
  /** The certificates of this server; by default those that the agent keeps. */
  certificates?: (ctx: AgentCtx) => Promise<CertificateState[]>;
}

/** Looks at this machine once per report, and keeps the last reading for what is a rate. */
export function createMonitor(
  ctx: AgentCtx,
  { certificates = heldCertificates }: MonitorSources = {},
): Monitor {
  let last: Reading | null = null;
  const readServices = serviceReader();
  return {
    async report() {
      const [{ figures, reading }, services, held] = await Promise.all([
        readHost(last, ctx.now().getTime()),
        readServices(ctx),
        // A certificate that cannot be read costs its own line, never the report.
        certificates(ctx).catch(() => []),
      ]);
      last = reading;
      return {
        at: ctx.now().toISOString(),
        agent: {
          ...BUILD,
          runtime: `node ${process.version}`,
          lastUpdate: lastUpdate(ctx.settings.stateDir),
        },
        host: figures,
        services: services.slice(0, MOST_SERVICES),
        // A report that is too long is none: of more, those that end first are told of.
        certificates: held
          .sort((one, other) => (one.notAfter < other.notAfter ? -1 : 1))
          .slice(0, MOST_CERTIFICATES),
      };
    },
  };
}

/** One from the authority's test system alarms nobody when it ends: no visitor trusts it anyway. */
async function heldCertificates(ctx: AgentCtx): Promise<CertificateState[]> {
  const { listCertificates } = await import("../certificates/index.ts");
  const held = await listCertificates(ctx);
  return held
    .filter(({ staging }) => !staging)
    .map(({ domain, notAfter }) => ({ domain, notAfter }));
}
