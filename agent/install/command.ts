import { chownSync, existsSync, readFileSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BUILD, SUPERVISOR } from "../build.ts";
import { enrol } from "../enrol.ts";
import { enrolmentToken, tokenOptions } from "../enrolment-token.ts";
import { SETTINGS_FILE, type Settings, settingsSchema } from "../settings.ts";
import { Machine, type Step, takeSteps } from "./machine.ts";
import { accountsOfMariadb } from "./mariadb.ts";
import {
  type Build,
  folderSteps,
  programSteps,
  settingsStep,
  systemSteps,
  userStep,
} from "./plan.ts";
import { recipientSteps } from "./recipient.ts";
import { serviceSteps } from "./services.ts";
import { hasSites, uninstallSteps } from "./uninstall.ts";

const OLDEST_NODE = 20;

const common = {
  root: { type: "string", default: "/" },
  "dry-run": { type: "boolean", default: false },
} as const;

/** `nusantarad version`: what the privileged half asks a release before it trusts it. */
export async function versionCommand(): Promise<void> {
  console.log(`${BUILD.version} ${BUILD.commit} ${BUILD.builtAt}`);
}

/** `nusantarad install`: everything that the agent needs on this server. Running it again mends and changes nothing else. */
export async function installCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      ...{ ...common, ...tokenOptions, url: { type: "string" } },
      "backups-recipient": { type: "string" },
    },
  });
  const machine = machineOf(values);
  const build = ownBuild();
  const settings = settingsOf(machine);
  machine.say(
    `nusantarad ${build.version}: ${machine.dryRun ? "what would be done" : "installing"}`,
  );
  const node = realpathSync(process.execPath);
  const changed = await takeSteps(machine, [
    userStep(machine, settings),
    ...folderSteps(machine, settings),
    settingsStep(machine),
    ...recipientSteps(machine, values["backups-recipient"]),
    ...programSteps(machine, settings, build, node),
    ...systemSteps(machine, settings, node),
    ...accountsOfMariadb(machine, settings),
    enrolStep(machine, settings, values),
    ...serviceSteps(machine, settings),
  ]);
  machine.say(changed === 0 ? "Everything was in place." : closing(machine));
}

/** `nusantarad uninstall`: takes the agent away. Sites go on as they are: their files, users, vhosts and certificates stay. */
export async function uninstallCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: common });
  const machine = machineOf(values);
  const settings = settingsOf(machine);
  machine.say(`nusantarad: ${machine.dryRun ? "what would be done" : "uninstalling"}`);
  const areSites = hasSites(machine, settings);
  await takeSteps(machine, uninstallSteps(machine, settings));
  const left = areSites
    ? "Left as they are: sites and their users, the web server's files for them, the turning of their logs, certificates,\n" +
      "databases, backups, and the rule that confines sites' SFTP users.\n"
    : "Left as they are, where there are any: certificates, databases and backups.\n";
  machine.say(`${left}Forget the server in the panel, so that its key is nobody's.`);
}

function machineOf(values: { root: string; "dry-run": boolean }): Machine {
  const root = resolve(values.root);
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE) throw new Error(`Node ${OLDEST_NODE} or newer is needed`);
  if (process.getuid?.() !== 0) throw new Error("only root can do this");
  if (!existsSync(join(root, "etc/passwd"))) throw new Error(`${root} has no etc/passwd`);
  return new Machine({ root, dryRun: values["dry-run"], say: (line) => console.log(line) });
}

/** Only a built file can install itself: sources need their folder. */
function ownBuild(): Build {
  if (SUPERVISOR === null) throw new Error("install from the built file (npm run build:agent)");
  const agent = readFileSync(realpathSync(process.argv[1] ?? ""), "utf8");
  return { version: BUILD.version, agent, supervisor: SUPERVISOR };
}

/** The settings that stand there, else those that a fresh server has. */
function settingsOf(machine: Machine): Settings {
  const text = machine.text(SETTINGS_FILE);
  const given: unknown = text === null ? {} : JSON.parse(text);
  const unknown = { url: "http://127.0.0.1", serverId: "-" };
  return settingsSchema.parse({ ...unknown, ...(given as Record<string, unknown>) });
}

/** Trades the token once; a server that is enrolled stays so, whatever is given. */
function enrolStep(
  machine: Machine,
  settings: Settings,
  given: { url?: string; token?: string; "token-file": string },
): Step {
  const { url } = given;
  return {
    what: url
      ? `enrol at ${url}`
      : "enrol: give --url and, on standard input, the token that the panel shows",
    isDone: () => settings.serverId !== "-" && machine.stat(settings.keyFile) !== null,
    act: async () => {
      if (!url) return;
      const token = await enrolmentToken(given);
      const file = machine.at(SETTINGS_FILE);
      const { serverId, serverName } = await enrol({ url, token, file, root: machine.root });
      const ids = machine.account();
      if (ids) chownSync(machine.at(settings.keyFile), ids.uid, ids.gid);
      machine.say(`          this server is now "${serverName}" (${serverId})`);
    },
  };
}

function closing(machine: Machine): string {
  if (machine.dryRun) return "Nothing was touched.";
  return machine.isReal ? "Installed." : `Installed below ${machine.root}; no service was started.`;
}
