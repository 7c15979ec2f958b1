import { existsSync } from "node:fs";
import { findProgram } from "../programs.ts";
import type { Settings } from "../settings.ts";
import type { Machine, Step } from "./machine.ts";
import { UNIT, UNIT_FILE } from "./unit.ts";

/** Only on the real machine, and where systemd runs it. */
const hasSystemd = (machine: Machine) =>
  machine.isReal && existsSync("/run/systemd/system") && findProgram("systemctl") !== null;

async function answers(machine: Machine, args: string[]): Promise<boolean> {
  return await machine.run("systemctl", args).then(
    () => true,
    () => false,
  );
}

/** The new unit is read, the web server takes the folder in, and the agent runs. */
export function serviceSteps(machine: Machine, settings: Settings): Step[] {
  if (!hasSystemd(machine)) return [];
  const enrolled = () => machine.stat(settings.keyFile) !== null;
  return [
    {
      what: `${UNIT} is what its file says`,
      isDone: async () => {
        const asked = ["show", "--property=NeedDaemonReload", "--value", UNIT];
        return (await machine.run("systemctl", asked).catch(() => "yes")).trim() === "no";
      },
      act: async () => void (await machine.run("systemctl", ["daemon-reload"])),
    },
    {
      what: `${UNIT} starts with the machine`,
      isDone: () => answers(machine, ["is-enabled", "--quiet", UNIT]),
      act: async () => void (await machine.run("systemctl", ["enable", "--quiet", UNIT])),
    },
    {
      what: `${UNIT} runs`,
      // Without a key there is nothing to run for yet.
      isDone: async () => !enrolled() || (await answers(machine, ["is-active", "--quiet", UNIT])),
      act: async () => void (await machine.run("systemctl", ["restart", UNIT])),
    },
  ];
}

export function stopSteps(machine: Machine): Step[] {
  if (!hasSystemd(machine)) return [];
  return [
    {
      what: `${UNIT} is stopped for good`,
      isDone: () => machine.stat(UNIT_FILE) === null,
      act: async () => void (await machine.run("systemctl", ["disable", "--now", "--quiet", UNIT])),
    },
  ];
}
