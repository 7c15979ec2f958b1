import { readdirSync, rmdirSync } from "node:fs";
import { SSHD_FILE } from "../files/sshd.ts";
import { namelessFile } from "../root/nameless.ts";
import { SUDOERS_FILE } from "../root/sudoers.ts";
import { SETTINGS_FILE, type Settings } from "../settings.ts";
import { AGENT_USER, type Machine, type Step } from "./machine.ts";
import { removeAccountsOfMariadb } from "./mariadb.ts";
import { LOGROTATE_FILE, NGINX_FILE } from "./plan.ts";
import { stopSteps } from "./services.ts";
import { gone } from "./steps.ts";
import { UNIT_FILE } from "./unit.ts";

/** The agent goes; what sites need stays as long as there is one: who serves them, and who keeps their logs short. */
export function uninstallSteps(machine: Machine, settings: Settings): Step[] {
  const { certificates, stateDir, programDir, keyFile, nginx, backups, sites } = settings;
  const left = hasSites(machine, settings)
    ? []
    : [
        ...[NGINX_FILE, LOGROTATE_FILE, SSHD_FILE, namelessFile(settings)],
        `${sites.dataDir}/.lock`,
      ].map((path) => gone(machine, path));
  return [
    ...stopSteps(machine),
    ...[UNIT_FILE, SUDOERS_FILE, "/usr/local/bin/nusantarad"].map((path) => gone(machine, path)),
    ...removeAccountsOfMariadb(machine, settings),
    ...[programDir, stateDir, keyFile].map((path) => gone(machine, path)),
    ...left,
    toRoot(machine, certificates.dir),
    // Late: a run that was broken off is to know where everything is.
    gone(machine, SETTINGS_FILE),
    ...[nginx.sitesDir, sites.dataDir, certificates.dir, "/etc/nusantarad", backups.dir].map(
      (path) => goneIfEmpty(machine, path),
    ),
    userGone(machine),
  ];
}

/** Whoever wrote it: a file that nginx includes may be somebody's site. Without our settings nobody knows where they lie. */
export function hasSites(machine: Machine, settings: Settings): boolean {
  if (machine.stat(SETTINGS_FILE) === null) return true;
  const nameless = namelessFile(settings);
  const { sitesDir } = settings.nginx;
  return entriesOf(machine, sitesDir).some((name) => `${sitesDir}/${name}` !== nameless);
}

function entriesOf(machine: Machine, path: string): string[] {
  return machine.stat(path)?.isDirectory() ? readdirSync(machine.at(path)) : [];
}

function goneIfEmpty(machine: Machine, path: string): Step {
  return {
    what: `remove ${path}, where nothing is left in it`,
    isDone: () => machine.stat(path) === null || entriesOf(machine, path).length > 0,
    act: () => rmdirSync(machine.at(path)),
  };
}

function toRoot(machine: Machine, path: string): Step {
  return {
    what: `give ${path} to root`,
    isDone: () => (machine.stat(path)?.uid ?? 0) === 0,
    act: async () => void (await machine.run("chown", ["-R", "-h", "root:root", machine.at(path)])),
  };
}

function userGone(machine: Machine): Step {
  const prefix = machine.isReal ? [] : ["--prefix", machine.root];
  return {
    what: `remove user ${AGENT_USER}`,
    isDone: () => machine.account() === null,
    act: async () => void (await machine.run("userdel", [...prefix, AGENT_USER])),
  };
}
