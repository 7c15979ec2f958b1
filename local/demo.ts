import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Addresses } from "./cloud.ts";
import { beAlone } from "./demo/alone.ts";
import { sellHosting } from "./demo/hosting/hosting.ts";
import { goLive } from "./demo/live/live.ts";
import { runMarket } from "./demo/market/market.ts";
import { createNarrator } from "./demo/narrator.ts";
import { runPanel } from "./demo/panel/panel.ts";
import { makeSale } from "./demo/sale/sale.ts";
import { buyTopups } from "./demo/topup/topup.ts";

const DEMOS = {
  sale: makeSale,
  live: goLive,
  topup: buyTopups,
  hosting: sellHosting,
  market: runMarket,
  panel: runPanel,
};

const USAGE = `npm run demo -- [${Object.keys(DEMOS).join(" | ")}] [options]
  --state .lumbung   as given to npm run dev`;

/** Any number of it at once; the others turn dials that are one for all, or sum up what all have done. */
const SIDE_BY_SIDE = makeSale;

/** Which demo, and where the running platform keeps its state; null: its reader wants to know what there is. */
function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        state: { type: "string", default: ".lumbung" },
        help: { type: "boolean", short: "h", default: false },
      },
      allowPositionals: true,
    });
    if (values.help) return null;
    const [name = "sale"] = positionals;
    const demo = Object.entries(DEMOS).find(([known]) => known === name)?.[1];
    if (!demo) throw new Error(`There is no demo ${name}`);
    return { name, demo, state: values.state };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function readAddresses(state: string): Addresses | null {
  try {
    return JSON.parse(readFileSync(join(state, "addresses.json"), "utf8")) as Addresses;
  } catch {
    return null;
  }
}

/** `npm run demo`: a story against a running `npm run dev`, step by step; one real sale unless another is named. */
async function run(): Promise<void> {
  const options = readOptions();
  if (!options) return console.log(USAGE);
  const { name, demo, state } = options;
  const addresses = readAddresses(state);
  const runs = addresses && (await fetch(`${addresses.app}/openapi.json`).catch(() => null));
  if (!addresses || !runs) throw new Error("Start the platform first: npm run dev");
  if (demo !== SIDE_BY_SIDE) beAlone(name, join(state, `demo-${name}.pid`));
  await demo(createNarrator(addresses));
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
