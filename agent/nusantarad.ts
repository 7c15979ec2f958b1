import { z } from "zod";

// Its compiled checks are memory that an agent at rest does better without.
z.config({ jitless: true });

const usage = `nusantarad <command>
  install [--url URL [--token-file FILE]] [--backups-recipient AGE1…] [--root DIR] [--dry-run]
                                      makes this server ready, enrols it and starts the agent; the panel's token
                                      comes on standard input, never as an argument
  uninstall [--root DIR] [--dry-run]  takes all that away again; sites and databases stay
  version                             which build this is
  run [--settings FILE] [--dry-run]   the agent: keeps a connection to the panel and does what it asks
  enrol --url URL [--token-file FILE] makes this server's key and gives the panel its public half
  root                                one privileged verb, read from standard input
  relay [--config FILE]               passes signed calls on to a closed list of hosts, from this machine's address`;

export type Command = (args: string[]) => Promise<void>;

/** The process on a hosting server: one command per mode, each loaded when it is the one. */
const commands: Record<string, () => Promise<Command>> = {
  install: async () => (await import("./install/command.ts")).installCommand,
  uninstall: async () => (await import("./install/command.ts")).uninstallCommand,
  version: async () => (await import("./install/command.ts")).versionCommand,
  run: async () => (await import("./run.ts")).runCommand,
  enrol: async () => (await import("./enrol.ts")).enrolCommand,
  root: async () => (await import("./root/command.ts")).rootCommand,
  digest: async () => (await import("./backups/digest-command.ts")).digestCommand,
  relay: async () => (await import("./relay/command.ts")).relayCommand,
};

const [name = "", ...args] = process.argv.slice(2);
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (load) {
  try {
    const command = await load();
    await command(args);
  } catch (error) {
    console.error(`nusantarad ${name}: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
} else {
  console.error(usage);
  process.exitCode = 2;
}
