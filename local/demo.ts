import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Addresses } from "./cloud.ts";
import { goLive } from "./demo/live/live.ts";
import { createNarrator } from "./demo/narrator.ts";
import { makeSale } from "./demo/sale/sale.ts";
import { buyTopups } from "./demo/topup/topup.ts";

/**
 * `npm run demo` makes one real sale against a running `npm run dev`, step by step; `npm run demo -- live` another of
 * these. `--state` as given to `npm run dev`.
 */
const DEMOS = { sale: makeSale, live: goLive, topup: buyTopups };

const { values, positionals } = parseArgs({
  options: { state: { type: "string", default: ".lumbung" } },
  allowPositionals: true,
});

function readAddresses(): Addresses | null {
  try {
    return JSON.parse(readFileSync(join(values.state, "addresses.json"), "utf8")) as Addresses;
  } catch {
    return null;
  }
}

async function run(): Promise<void> {
  const [name = "sale"] = positionals;
  const demo = Object.entries(DEMOS).find(([known]) => known === name)?.[1];
  if (!demo) throw new Error(`No demo ${name}; there are: ${Object.keys(DEMOS).join(", ")}`);
  const addresses = readAddresses();
  const runs = addresses && (await fetch(`${addresses.app}/openapi.json`).catch(() => null));
  if (!addresses || !runs) throw new Error("Start the platform first: npm run dev");
  await demo(createNarrator(addresses));
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
