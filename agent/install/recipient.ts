import { findProgram } from "../programs.ts";
import { SETTINGS_FILE } from "../settings.ts";
import { settingsIn, writeSettings } from "../settings-file.ts";
import type { Machine, Step } from "./machine.ts";

const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
const PAIR =
  /^# public key: (?<recipient>age1[02-9ac-hj-np-z]{58})\n(?<identity>AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58})$/m;

/**
 * For whom backups are encrypted, so that they work from the first day: the operator's own recipient where one is given,
 * else that of a pair which is made here. The half that opens backups is shown once and kept nowhere: on this server it
 * would go up in the same fire.
 */
export function recipientSteps(machine: Machine, given: string | undefined): Step[] {
  if (given !== undefined && !RECIPIENT.test(given)) {
    throw new Error("--backups-recipient is no age public key (age1…)");
  }
  const file = machine.at(SETTINGS_FILE);
  const known = () => backupsIn(file).recipient;
  const missing = ["age", "age-keygen", "zstd"].filter((name) => findProgram(name) === null);
  if (missing.length > 0 && known() === undefined) {
    machine.say(
      `  note    ${missing.join(", ")} not found: install age and zstd, then run this again for backups`,
    );
    if (given === undefined) return [];
  }
  return [
    {
      what: `backups are encrypted for ${given ?? "a new key pair, whose private half is shown once"}`,
      isDone: () => (given === undefined ? known() !== undefined : known() === given),
      act: async () => {
        const recipient = given ?? (await newRecipient(machine));
        const settings = settingsIn(file);
        writeSettings(file, { ...settings, backups: { ...backupsIn(file), recipient } });
      },
    },
  ];
}

function backupsIn(file: string): Record<string, unknown> {
  const { backups } = settingsIn(file);
  return typeof backups === "object" && backups !== null ? { ...backups } : {};
}

/** Shown before anything is encrypted for it: a pair whose private half nobody saw would open nothing. */
async function newRecipient(machine: Machine): Promise<string> {
  const { recipient, identity } = PAIR.exec(await machine.run("age-keygen", []))?.groups ?? {};
  if (!recipient || !identity) throw new Error("age-keygen made no key pair");
  machine.say(
    [
      "",
      "  ---- KEEP THIS KEY, AND NOT ON THIS SERVER: it is shown once and stored nowhere. ----",
      `  ${identity}`,
      "  It opens this server's backups (age -d) when the server is gone; who has it can read them.",
      "",
    ].join("\n"),
  );
  return recipient;
}
