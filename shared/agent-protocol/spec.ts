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
  /** A result with less in it, for one that fits no frame; null: nothing can be left out of it. */
  shorten?: (value: never) => unknown;
}

/** For `shorten`: a list without its last quarter, at least without its last entry. */
export const withoutTail = <T>(list: readonly T[]): T[] =>
  list.slice(0, Math.min(list.length - 1, Math.floor(list.length * 0.75)));

export type CommandCatalogue = Record<string, CommandSpec>;
/** For a catalogue that keeps its questions apart. */
export type AskCatalogue = Record<string, CommandSpec & { ask: true }>;
