import type { Addresses } from "../cloud.ts";

export interface Tell extends Addresses {
  /** Prints one thing that happened, with what proves it. */
  step(what: string, proof?: string): void;
  /** Prints what all of it came to, and how long it took. */
  end(summary: string): void;
}

export function createNarrator(addresses: Addresses): Tell {
  let count = 0;
  const started = Date.now();
  return {
    ...addresses,
    step(what, proof) {
      count += 1;
      console.log(`${String(count).padStart(2)}. ${what}${proof ? `\n    ${proof}` : ""}`);
    },
    end(summary) {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`\n${summary} (${seconds} s)`);
    },
  };
}

export const rupiah = (amount: number) => `Rp ${amount.toLocaleString("id-ID")}`;
export const coins = (amount: number) => `${amount.toLocaleString("id-ID")} koin`;

/** The demos end at the first thing that is not as it should be. */
export function check(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return;
  throw new Error(`${what}: ${String(actual)}, expected ${String(expected)}`);
}
