import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type SettingsGiven, settingsSchema } from "../settings.ts";
import { startMachine } from "./machine.ts";
import { startMariadb } from "./mariadb.ts";

/**
 * A hosting server as a process of its own, for the demo and the whole-system tests, which share no code with the agent:
 * private nginx, PHP-FPM and MariaDB in folders of their own, and the settings of an agent that is to work on them. Says
 * where everything is in one line of JSON, and takes it all away when its input ends.
 */
export interface ServedMachine {
  settingsFile: string;
  httpPort: number;
  sitesRoot: string;
  backupsDir: string;
  mariadbSocket: string;
}

const machine = await startMachine({ php: true });
const mariadb = await startMariadb();
try {
  const served = prepare();
  console.log(JSON.stringify(served));
  process.stdin.resume();
  await new Promise<void>((resolve) => {
    process.stdin.once("end", resolve);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
} finally {
  await mariadb.stop();
  await machine.stop();
}
process.exit(0);

function prepare(): ServedMachine {
  const at = (...path: string[]) => join(machine.dir, ...path);
  const backups = { dir: at("backups"), scratchDir: at("scratch") };
  for (const folder of Object.values(backups)) mkdirSync(folder);
  const identityFile = at("operator.key");
  execFileSync("/usr/bin/age-keygen", ["-o", identityFile], { stdio: "ignore" });
  chmodSync(identityFile, 0o600);
  const recipient = /public key: (age1\S+)/.exec(readFileSync(identityFile, "utf8"))?.[1];
  const given: SettingsGiven = {
    ...machine.settings,
    keyFile: at("agent.key"),
    programDir: at("program"),
    mariadb: { socket: mariadb.socket, user: mariadb.user },
    backups: { ...backups, identityFile, reserveBytes: 0, ...(recipient ? { recipient } : {}) },
  };
  settingsSchema.parse(given);
  writeFileSync(machine.settingsFile, JSON.stringify(given), { mode: 0o600 });
  return {
    settingsFile: machine.settingsFile,
    httpPort: machine.settings.nginx.httpPort,
    sitesRoot: machine.settings.sitesRoot,
    backupsDir: backups.dir,
    mariadbSocket: mariadb.socket,
  };
}
