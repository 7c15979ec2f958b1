import type { z } from "zod";
import { backupsCommands } from "./backups.ts";
import { certificatesCommands } from "./certificates.ts";
import { databasesCommands } from "./databases.ts";
import { filesCommands } from "./files.ts";
import { monitorCommands } from "./monitor.ts";
import { sitesCommands } from "./sites.ts";
import type { CommandCatalogue, CommandSpec } from "./spec.ts";
import { updateCommands } from "./update.ts";

/** Everything that an agent can be told (commands) or asked (`ask: true`): what goes in, what comes out, how long. */
export const COMMANDS = {
  ...sitesCommands,
  ...filesCommands,
  ...databasesCommands,
  ...certificatesCommands,
  ...backupsCommands,
  ...monitorCommands,
  ...updateCommands,
} satisfies CommandCatalogue;

type Commands = typeof COMMANDS;
type Asks = {
  [T in keyof Commands]: Commands[T] extends { ask: true } ? T : never;
}[keyof Commands];

/** What only reads, and is asked instead of ordered. */
export type AskType = Asks & string;
export type CommandType = Exclude<keyof Commands, AskType> & string;
export type AnyType = keyof Commands & string;

/** The input as a caller gives it (defaults may be left out), and as a handler gets it. */
export type GivenOf<T extends AnyType> = z.input<Commands[T]["input"]>;
export type InputOf<T extends AnyType> = z.output<Commands[T]["input"]>;
export type ResultOf<T extends AnyType> = z.output<Commands[T]["result"]>;
/** The result as a handler gives it. */
export type ResultGivenOf<T extends AnyType> = z.input<Commands[T]["result"]>;

const catalogue: Record<string, CommandSpec> = COMMANDS;

/** What is known of a command or question by the name that came over the wire; undefined where this side has none. */
export const specOf = (type: string): CommandSpec | undefined =>
  Object.hasOwn(catalogue, type) ? catalogue[type] : undefined;
