import { z } from "zod";

const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const percent = z.number().min(0).max(100);
const word = z.string().max(100);

/** Which agent speaks, and how its last update ended. */
export const agentBuild = z.object({
  version: word,
  commit: word,
  builtAt: word,
  /** What it runs on, such as "node v22.12.0". */
  runtime: word,
  lastUpdate: z
    .object({
      attempt: z.string().max(64),
      version: word,
      from: word,
      outcome: z.enum(["installed", "reverted", "refused"]),
      reason: z.string().max(300),
      at: z.iso.datetime(),
    })
    .nullable(),
});
export type AgentBuild = z.output<typeof agentBuild>;

const disk = z.object({
  mount: z.string().max(4096),
  totalBytes: bytes,
  usedBytes: bytes,
  usedPercent: percent,
});

/** Rates are null in an agent's first report: they need two readings. */
export const hostFigures = z.object({
  uptimeSeconds: z.number().min(0),
  cpuPercent: percent.nullable(),
  load: z.tuple([z.number().min(0), z.number().min(0), z.number().min(0)]),
  memory: z.object({
    totalBytes: bytes,
    availableBytes: bytes,
    swapTotalBytes: bytes,
    swapFreeBytes: bytes,
  }),
  disks: z.array(disk).max(64),
  network: z
    .object({ receivedBytesPerSecond: z.number().min(0), sentBytesPerSecond: z.number().min(0) })
    .nullable(),
});
export type HostFigures = z.output<typeof hostFigures>;

/** The words of `systemctl is-active`, and `unknown` where nothing could be learnt. */
export const SERVICE_STATUSES = [
  "active",
  "reloading",
  "inactive",
  "failed",
  "activating",
  "deactivating",
  "maintenance",
  "unknown",
] as const;

export const serviceState = z.object({
  name: z.string().min(1).max(100),
  status: z.enum(SERVICE_STATUSES),
  /** How often it fell and was started again by itself, as far as that is known: a count that only grows by falls. */
  restarts: z.number().int().min(0).optional(),
});
export type ServiceState = z.output<typeof serviceState>;

const certificateState = z.object({
  domain: z.string().min(1).max(253),
  notAfter: z.iso.datetime(),
});
export type CertificateState = z.output<typeof certificateState>;

export const MOST_SERVICES = 64;
export const MOST_CERTIFICATES = 500;

/** What an agent tells right after its hello and then once a minute; nobody answers it. */
export const reportBody = z.object({
  at: z.iso.datetime(),
  agent: agentBuild,
  host: hostFigures,
  services: z.array(serviceState).max(MOST_SERVICES),
  certificates: z.array(certificateState).max(MOST_CERTIFICATES),
});
export type MonitorReport = z.output<typeof reportBody>;

export const monitorCommands = {} as const;
export const monitorAsks = {} as const;
