import type { z } from "zod";

/**
 * A command changes the server: stored, ordered within its subject, acted on once. With `ask` it only reads: stored
 * nowhere, answered now or not at all.
 */
export interface CommandSpec {
  input: z.ZodType;
  result: z.ZodType;
  /** How long after its making the command may still begin or run. */
  deadlineMs: number;
  ask?: true;
}

export type CommandCatalogue = Record<string, CommandSpec>;
/** For a catalogue that keeps its questions apart. */
export type AskCatalogue = Record<string, CommandSpec & { ask: true }>;
