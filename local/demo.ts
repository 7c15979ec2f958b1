import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Addresses } from "./cloud.ts";
import { createNarrator } from "./demo/narrator.ts";
import { makeSale } from "./demo/sale.ts";

/**
 * `npm run demo`: one real sale against a running `npm run dev`, step by step. `--state` as given to that.
 */
const { values } = parseArgs({ options: { state: { type: "string", default: ".lumbung" } } });

function readAddresses(): Addresses | null {
  try {
    return JSON.parse(readFileSync(join(values.state, "addresses.json"), "utf8")) as Addresses;
  } catch {
    return null;
  }
}

async function run(): Promise<void> {
  const addresses = readAddresses();
  const runs = addresses && (await fetch(`${addresses.app}/openapi.json`).catch(() => null));
  if (!addresses || !runs) throw new Error("Start the platform first: npm run dev");
  await makeSale(createNarrator(addresses));
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
