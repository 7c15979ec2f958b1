import type { Addresses } from "../cloud.ts";

export interface Tell extends Addresses {
  /** Prints one thing that happened, with what proves it. */
  step(what: string, proof?: string): void;
  end(orderNumber: string): void;
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
    end(orderNumber) {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`\nOrder ${orderNumber} was sold, paid, shipped and paid out in ${seconds} s.`);
    },
  };
}

export const rupiah = (amount: number) => `Rp ${amount.toLocaleString("id-ID")}`;
