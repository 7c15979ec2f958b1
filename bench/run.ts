import { readFileSync } from "node:fs";
import { cpus, loadavg, platform, totalmem } from "node:os";
import { join } from "node:path";
import { benchHosting } from "./hosting.ts";
import { benchLive } from "./live.ts";
import { benchMarket } from "./market.ts";
import { benchPanel } from "./panel.ts";
import { benchSale } from "./sale.ts";
import { benchTopup } from "./topup.ts";
import { ROOT } from "./workerd.ts";

/**
 * `npm run bench` runs every benchmark, `npm run bench -- sale` one of them. Each prints its table; nothing here
 * decides whether a figure is good enough, save for the goals that it names.
 */
const BENCHES = {
  sale: benchSale,
  live: benchLive,
  topup: benchTopup,
  hosting: benchHosting,
  market: benchMarket,
  panel: benchPanel,
};
/** For each of them. */
const LONGEST_MS = 6 * 60_000;
/** A thousand products at three calls a second take their time, and a million rows to search in must be made first; so
 * do the nights of 100,000 subscriptions on a machine that does other things, too. */
const LONGER_MS: Record<string, number> = {
  market: 20 * 60_000,
  hosting: 25 * 60_000,
  live: 15 * 60_000,
  // An order that never arrived is believed to be lost after minutes only.
  topup: 15 * 60_000,
  panel: 15 * 60_000,
};

/** For each thing that a benchmark has started. */
const STOP_MS = 60_000;

const stops: (() => Promise<unknown>)[] = [];
const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in BENCHES));

async function run(): Promise<void> {
  describeMachine();
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`\n${name}`);
    const began = performance.now();
    const longest = LONGER_MS[name] ?? LONGEST_MS;
    const watch = setTimeout(() => void giveUp(`${name} took too long, gave up`), longest);
    await bench((stop) => stops.push(stop)).finally(() => clearTimeout(watch));
    console.log(`(${((performance.now() - began) / 1000).toFixed(0)} s)`);
    await stopAll();
  }
}

/** The last started first; each stops by its own process. One that does not is left: the figures are there. */
async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0).reverse()) {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      console.error("something that the bench started does not stop");
      late.resolve();
    }, STOP_MS);
    await Promise.race([stop().catch(console.error), late.promise]);
    clearTimeout(timer);
  }
}

function describeMachine(): void {
  const [cpu] = cpus();
  const workerd = join(ROOT, "node_modules", "workerd", "package.json");
  const { version } = JSON.parse(readFileSync(workerd, "utf8")) as { version: string };
  const gib = Math.round(totalmem() / 2 ** 30);
  console.log(`${platform()}, ${cpus().length} cores (${cpu?.model.trim()}), ${gib} GiB`);
  console.log(`Node ${process.version}, workerd ${version}, PostgreSQL 18 on the same machine`);
  console.log(`Load of the machine before: ${loadavg()[0]?.toFixed(1)}`);
}

let ending: Promise<void> | undefined;

async function giveUp(why: string): Promise<void> {
  console.error(why);
  ending ??= stopAll();
  await ending;
  process.exit(1);
}

if (unknown.length > 0) {
  console.error(
    `No benchmark ${unknown.join(", ")}; there are: ${Object.keys(BENCHES).join(", ")}`,
  );
  process.exit(1);
}
process.once("SIGINT", () => void giveUp("stopped"));
process.once("SIGTERM", () => void giveUp("stopped"));
try {
  await run();
} catch (error) {
  // While everything is being stopped, requests under way fail.
  if (!ending) throw error;
} finally {
  await (ending ?? stopAll());
}
// Whatever still holds this process open has nothing more to say.
process.exit();
