import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SSHD_FILE, sshdSnippet } from "../files/sshd.ts";
import { findProgram } from "../programs.ts";
import { INSTALLED } from "../root/call.ts";
import { SUDOERS, SUDOERS_FILE } from "../root/sudoers.ts";
import { SETTINGS_FILE, type Settings } from "../settings.ts";
import { currentLink, PROGRAM, privilegedLink, releaseDir, releaseFile } from "../update/layout.ts";
import { AGENT_USER, type Machine, type Step } from "./machine.ts";
import { file, folder, link } from "./steps.ts";
import { UNIT_FILE, unitText } from "./unit.ts";

export interface Build {
  version: string;
  /** The agent's own file and the supervisor's, as text. */
  agent: string;
  supervisor: string;
}

/** The versions of PHP-FPM that are installed, and the services that are here to be watched. */
export function foundSettings(machine: Machine): Record<string, unknown> {
  const versions = list(machine.at("/etc/php"))
    .filter(
      (name) => /^\d\.\d$/.test(name) && existsSync(machine.at(`/etc/php/${name}/fpm/pool.d`)),
    )
    .sort();
  return {
    phpFpm: versions.map((version) => ({
      version,
      poolDir: `/etc/php/${version}/fpm/pool.d`,
      pidFile: `/run/php/php${version}-fpm.pid`,
    })),
    mariadb: { user: AGENT_USER },
    watch: ["nginx", ...versions.map((version) => `php${version}-fpm`), "mariadb"],
  };
}

function list(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

/** The account that the agent runs as: no password, no shell, no home but its state. */
export function userStep(machine: Machine, { stateDir }: Settings): Step {
  const prefix = machine.isReal ? [] : ["--prefix", machine.root];
  return {
    what: `user ${AGENT_USER} (system, no shell)`,
    isDone: () => machine.account() !== null,
    act: async () => {
      const home = ["--no-create-home", "--home-dir", stateDir, "--shell", "/usr/sbin/nologin"];
      const words = ["--comment", "Nusantara Panel agent"];
      await machine.run("useradd", [
        ...prefix,
        "--system",
        "--user-group",
        ...home,
        ...words,
        AGENT_USER,
      ]);
      if (!machine.account()) throw new Error("useradd made no user");
    },
  };
}

export function folderSteps(machine: Machine, settings: Settings): Step[] {
  const { stateDir, programDir, sitesRoot, sites, nginx, backups, certificates } = settings;
  return [
    folder(machine, "/etc/nusantarad", { mode: 0o755, owner: "root" }),
    folder(machine, certificates.dir, { mode: 0o700, owner: "agent" }),
    // Entered by all, for the web server's workers read challenges below it; listed by nobody.
    folder(machine, stateDir, { mode: 0o711, owner: "agent" }),
    folder(machine, certificates.challengeDir, { mode: 0o755, owner: "agent" }),
    folder(machine, backups.dir, { mode: 0o700, owner: "agent" }),
    folder(machine, sites.dataDir, { mode: 0o755, owner: "root" }),
    folder(machine, sitesRoot, { mode: 0o755, owner: "root", shared: true }),
    folder(machine, nginx.sitesDir, { mode: 0o755, owner: "root" }),
    folder(machine, programDir, { mode: 0o755, owner: "root" }),
    folder(machine, join(programDir, "releases"), { mode: 0o755, owner: "root" }),
  ];
}

/**
 * The agent's files. The privileged half and the supervisor are root's; the link that says which release the agent
 * itself runs is the agent's, and on a server that has updated itself since it stays where it is.
 */
export function programSteps(
  machine: Machine,
  settings: Settings,
  build: Build,
  node: string,
): Step[] {
  const target = releaseDir(settings, build.version);
  const here = [
    folder(machine, target, { mode: 0o755, owner: "root" }),
    file(machine, releaseFile(settings, build.version), build.agent, { mode: 0o644 }),
    file(machine, join(settings.programDir, "supervise.sh"), build.supervisor, { mode: 0o644 }),
  ];
  const entry = `#!${node}\nimport("${privilegedLink(settings)}/${PROGRAM}");\n`;
  return [
    ...here,
    link(machine, privilegedLink(settings), target, "root"),
    link(machine, currentLink(settings), target, "agent"),
    file(machine, INSTALLED, entry, { mode: 0o755 }),
  ];
}

export const NGINX_FILE = "/etc/nginx/conf.d/nusantara.conf";
export const LOGROTATE_FILE = "/etc/logrotate.d/nusantarad";
const HASH_SIZE = "server_names_hash_bucket_size";

/** Names of sites may have 253 letters, which nginx has no room for by itself; it refuses to be told so twice. */
function nginxText(machine: Machine, sitesDir: string): string {
  const others = [
    "/etc/nginx/nginx.conf",
    ...list(machine.at("/etc/nginx/conf.d")).map((name) => join("/etc/nginx/conf.d", name)),
  ];
  const isSet = others.some(
    (path) =>
      path !== NGINX_FILE && new RegExp(`^\\s*${HASH_SIZE}\\s`, "m").test(machine.text(path) ?? ""),
  );
  return `${isSet ? "" : `${HASH_SIZE} 512;\n`}include ${sitesDir}/*.conf;\n`;
}

/** A site that is visited fills no disk. nginx is told to open its logs anew, and the files stay root's. */
const logrotateText = ({ sites, nginx }: Settings) => `${sites.dataDir}/*/log/*.log {
  weekly
  maxsize 50M
  rotate 5
  compress
  delaycompress
  missingok
  notifempty
  su root root
  create 0644 root root
  sharedscripts
  postrotate
    [ ! -f ${nginx.pidFile} ] || kill -USR1 "$(cat ${nginx.pidFile})"
  endscript
}
`;

/** What other programs read: each is checked by that program itself before it takes its place. */
export function systemSteps(machine: Machine, settings: Settings, node: string): Step[] {
  const { sitesDir } = settings.nginx;
  return [
    file(machine, SUDOERS_FILE, SUDOERS, {
      mode: 0o440,
      check: (draft) => checked(machine, "visudo", ["-c", "-q", "-f", draft]),
    }),
    ...(machine.stat("/etc/nginx/conf.d")
      ? [file(machine, NGINX_FILE, nginxText(machine, sitesDir), { mode: 0o644 })]
      : []),
    ...(machine.stat("/etc/logrotate.d")
      ? [file(machine, LOGROTATE_FILE, logrotateText(settings), { mode: 0o644 })]
      : []),
    ...(machine.stat("/etc/ssh/sshd_config.d")
      ? [
          file(machine, SSHD_FILE, sshdSnippet(settings), {
            mode: 0o644,
            check: (draft) => {
              // Without it sshd refuses to look at all, and it is not there before sshd's first start since boot.
              if (machine.isReal) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
              return checked(machine, "sshd", ["-t", "-f", draft]);
            },
          }),
        ]
      : []),
    file(machine, UNIT_FILE, unitText(settings, node), { mode: 0o644 }),
  ];
}

/** A file that its reader refuses is not installed; where the reader is missing there is nobody to ask. */
async function checked(machine: Machine, program: string, args: string[]): Promise<void> {
  if (findProgram(program) === null) return;
  await machine.run(program, args);
}

/** Settings of this server that nobody has written yet; the enrolment adds whose server it is. */
export const settingsStep = (machine: Machine): Step =>
  file(machine, SETTINGS_FILE, `${JSON.stringify(foundSettings(machine), null, 2)}\n`, {
    mode: 0o644,
    once: true,
  });
