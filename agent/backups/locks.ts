import { CommandError } from "../command-error.ts";

const held = new Set<string>();

/** One command at a time works on a backup: a removal does not overtake a restore of another subject. */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (held.has(name)) {
    throw new CommandError("conflict", "this backup is being worked on", { retryable: true });
  }
  held.add(name);
  try {
    return await work();
  } finally {
    held.delete(name);
  }
}

export const isHeld = (name: string): boolean => held.has(name);
