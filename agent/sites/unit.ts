import { dirname } from "node:path";
import { CommandError } from "../command-error.ts";
import { findProgram } from "../programs.ts";
import type { Settings } from "../settings.ts";
import type { SiteRecord } from "./record.ts";
import { config } from "./words.ts";

export const unitName = (user: string): string => `nusantara-${user}.service`;

/** In a folder that the site's user and the web server enter, and nobody else: no other site reaches or replaces it. */
export const socketFile = ({ sites }: Settings, user: string): string =>
  `${sites.dataDir}/${user}/run/site.sock`;

/** The web server opens the socket by its group. */
export const SERVICE_UMASK = 0o002;

/** How the process of a `node` or `python` site is started, whoever does it. */
export interface Service {
  program: "nodejs" | "python3";
  file: string;
  socket: string;
  cwd: string;
  env: Record<string, string>;
}

export function serviceOf(settings: Settings, record: SiteRecord): Service | null {
  const { runtime, entry, rootPath, unixUser, suspended } = record;
  if (suspended || (runtime !== "node" && runtime !== "python")) return null;
  const socket = socketFile(settings, unixUser);
  return {
    program: runtime === "node" ? "nodejs" : "python3",
    file: `${rootPath}/${entry ?? defaultEntry(runtime)}`,
    socket,
    cwd: rootPath,
    env: {
      // Most servers of both languages take a path where they take a port.
      PORT: socket,
      SOCKET: socket,
      HOME: rootPath,
      TMPDIR: `${settings.sites.dataDir}/${unixUser}/tmp`,
      NODE_ENV: "production",
      PYTHONUNBUFFERED: "1",
    },
  };
}

export const defaultEntry = (runtime: "node" | "python"): string =>
  runtime === "node" ? "server.js" : "app.py";

/** The unit of a site's process: its own user, nothing writable but its folder, bounded, started again when it ends. */
export function renderUnit(settings: Settings, record: SiteRecord): string {
  const service = serviceOf(settings, record);
  if (!service) throw new CommandError("invalid", "the site has no process");
  const program = findProgram(service.program);
  if (program === null) {
    throw new CommandError("unavailable", `${service.program} is not installed`);
  }
  const tmp = `${settings.sites.dataDir}/${record.unixUser}/tmp`;
  const env = Object.entries(service.env).map(([name, value]) => `Environment=${name}=${value}`);
  return `${config`# Written by nusantarad; changes made here by hand are lost.
[Unit]
Description=Site ${record.domain}
After=network.target
StartLimitIntervalSec=0

[Service]
User=${record.unixUser}
Group=${record.unixUser}
WorkingDirectory=${service.cwd}
ExecStartPre=/bin/rm -f ${service.socket}
ExecStart=${program} ${service.file}
`}${env.map((line) => `${line}\n`).join("")}Restart=always
RestartSec=1
RestartSteps=6
RestartMaxDelaySec=60
UMask=0002
MemoryMax=512M
TasksMax=128
LimitNOFILE=4096
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallFilter=@system-service
${config`ReadWritePaths=${record.rootPath} ${tmp} ${dirname(service.socket)}
`}
[Install]
WantedBy=multi-user.target
`;
}
