import { relayCommand } from "./relay/command.ts";

const usage = `nusantarad <command>
  relay [--config FILE]   passes signed calls on to a closed list of hosts, from this machine's address`;

/** The process on a hosting server: one command per mode. */
const commands: Record<string, (args: string[]) => Promise<void>> = { relay: relayCommand };

const [name = "", ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command) {
  try {
    await command(args);
  } catch (error) {
    console.error(`nusantarad ${name}: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
} else {
  console.error(usage);
  process.exitCode = 2;
}
