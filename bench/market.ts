import { benchAssistant } from "./market/assistant.ts";
import { benchCheckout } from "./market/checkout.ts";
import { benchSearch } from "./market/search.ts";
import { benchSync } from "./market/sync.ts";

/**
 * Checkouts by many at once beside Express, the chat's first word, search over much, and a thousand products brought to
 * three marketplaces at the pace that they allow.
 */
export async function benchMarket(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const missed: string[] = [];
  for (const part of [benchCheckout, benchAssistant, benchSync, benchSearch]) {
    const stops: (() => Promise<unknown>)[] = [];
    // What one part started must not cost the next one time; if it ends early, the whole is stopped all the same.
    keep(async () => {
      for (const stop of stops.splice(0).reverse()) await stop();
    });
    missed.push(...(await part((stop) => stops.push(stop))));
    for (const stop of stops.splice(0).reverse()) await stop();
  }
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}
