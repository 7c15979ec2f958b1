import { parseArgs } from "node:util";
import { workerKilled } from "./faults/kills.ts";
import { roomBreaks } from "./faults/live.ts";
import { freezePostgres, postgresStops } from "./faults/live-postgres.ts";
import { joinStorm } from "./faults/live-storm.ts";
import { noticesGoWrong } from "./faults/notices.ts";
import { databaseAway } from "./faults/outage.ts";
import {
  courierAndMailFail,
  paymentProviderFails,
  paymentProviderHangs,
} from "./faults/providers.ts";
import { type Market, openMarket } from "./market.ts";
import { type Platform, startPlatform } from "./platform.ts";

/**
 * `npm run faults`: what `npm test` proves about faults, with the database away for whole minutes and the Worker killed
 * many times. `npm run faults -- kills --seed 7` runs one of them.
 */
const { values, positionals } = readOptions();
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const lastsMs = Number(values.seconds) * 1000;

type Fault = (platform: Platform, market: Market) => Promise<unknown>;

const away =
  (mode: "destroy" | "503" | "lose-answer"): Fault =>
  (platform, market) =>
    databaseAway(platform, market, { notices: 20, lastsMs, tries: 2, mode });

const FAULTS: Record<string, Fault> = {
  outage: away("destroy"),
  "outage-503": away("503"),
  "outage-lost-answers": away("lose-answer"),
  notices: noticesGoWrong,
  payment: paymentProviderFails,
  hang: paymentProviderHangs,
  courier: courierAndMailFail,
  kills: (platform, market) =>
    workerKilled(platform, market, {
      customers: 100,
      atOnce: 4,
      kills: Number(values.kills),
      seed,
    }),
  live: (platform) =>
    roomBreaks(platform, {
      viewers: Number(values.viewers),
      givers: 8,
      lastsMs: Math.min(lastsMs, 30_000),
    }),
  "live-postgres": (platform) =>
    postgresStops(platform, {
      viewers: Number(values.viewers),
      givers: 8,
      lastsMs: Math.min(lastsMs, 30_000),
    }),
  "live-frozen": (platform) =>
    postgresStops(
      platform,
      { viewers: Number(values.viewers), givers: 8, lastsMs: Math.min(lastsMs, 30_000) },
      freezePostgres,
    ),
  "live-storm": (platform) => joinStorm(platform, { sockets: 200 }),
};

async function run(names: string[]): Promise<boolean> {
  let allHeld = true;
  const platform = await startPlatform();
  try {
    const market = await openMarket(platform, 4);
    for (const name of names) {
      const began = Date.now();
      const outcome = await FAULTS[name]?.(platform, market).catch((error: Error) => error);
      const held = !(outcome instanceof Error);
      allHeld &&= held;
      console.log(`\n${held ? "held  " : "BROKE "} ${name} (${seconds(Date.now() - began)})`);
      console.log(outcome instanceof Error ? outcome.message : (outcome ?? ""));
      if (!held) console.log(platform.workerLog().slice(-4_000));
    }
  } finally {
    await platform.stop();
  }
  return allHeld;
}

function readOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seed: { type: "string" },
        kills: { type: "string", default: "25" },
        seconds: { type: "string", default: "60" },
        viewers: { type: "string", default: "500" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const names = positionals.length > 0 ? positionals : Object.keys(FAULTS);
const unknown = names.filter((name) => !(name in FAULTS));
if (values.help) {
  console.log(`npm run faults -- [${Object.keys(FAULTS).join(" | ")} …] [options]
  --seconds 60    how long the database is away, at most 30 for live
  --kills 25      how often the Worker is killed
  --viewers 500   of the live room
  --seed N        repeats a run of kills`);
} else if (unknown.length > 0) {
  console.error(`No fault ${unknown.join(", ")}; there are: ${Object.keys(FAULTS).join(", ")}`);
  process.exitCode = 1;
} else if (!(await run(names))) {
  process.exitCode = 1;
}
