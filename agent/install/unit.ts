import type { Settings } from "../settings.ts";

export const UNIT = "nusantarad.service";
export const UNIT_FILE = `/etc/systemd/system/${UNIT}`;

/**
 * What the privileged half may ever need, sites' users and services included. No right to load modules, to mount, to
 * change the network or to trace beyond what /proc tells.
 */
const CAPABILITIES = [
  ...["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID"],
  ...["CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"],
  ...["CAP_SYS_PTRACE", "CAP_SYS_RESOURCE"],
].join(" ");

/** An agent at rest gives back what it does not hold: the allocator by itself keeps several MiB. */
export const MEMORY_ENV = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "65536" } as const;

/**
 * The service. What systemd can only enforce through seccomp would set NoNewPrivileges for a user of its own, and then
 * sudo could not start the privileged half; so the walls are those of the file system, of capabilities and of numbers.
 */
export function unitText(
  { programDir, stateDir, sitesRoot }: Pick<Settings, "programDir" | "stateDir" | "sitesRoot">,
  node: string,
): string {
  const memory = Object.entries(MEMORY_ENV).map(([name, value]) => `Environment=${name}=${value}`);
  const isAtHome = sitesRoot.startsWith("/home/") || sitesRoot.startsWith("/root/");
  return `[Unit]
Description=Nusantara Panel agent
After=network-online.target nginx.service mariadb.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User=nusantarad
Group=nusantarad
ExecStart=/bin/sh ${programDir}/supervise.sh ${node} ${stateDir} ${programDir} run
WorkingDirectory=/
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=90
UMask=0027
OOMPolicy=continue
TasksMax=1024
LimitNOFILE=65536
LimitCORE=0
Environment=NODE_ENV=production
${memory.join("\n")}

ProtectSystem=strict
ReadWritePaths=/etc /var /run ${programDir} -${sitesRoot}
ProtectHome=${isAtHome ? "no" : "yes"}
ProtectControlGroups=yes
PrivateTmp=yes
PrivateMounts=yes
RemoveIPC=yes
KeyringMode=private
CapabilityBoundingSet=${CAPABILITIES}
DevicePolicy=closed

[Install]
WantedBy=multi-user.target
`;
}
