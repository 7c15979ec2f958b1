import { parseArgs } from "node:util";
import { startDatabase } from "./database.ts";
import { tableOf } from "./timemachine/report.ts";
import { timeTravel } from "./timemachine/run.ts";

const USAGE = `npm run timemachine -- [options]
  --days 365           how long the time runs
  --people 10000       subscriptions on the first day
  --from 2027-01-01    the first day
  --seed 1             another seed, other customers; the same seed, the same year`;

/**
 * `npm run timemachine`: a year of renewals in less than a minute. The nightly run of the Worker and the platform's
 * settlement act on a moved clock; a model that shares no code with them says what should have come of it. Ends with 1
 * when a charge, a mail, a suspension or a deletion is missing or too many.
 */
async function run(): Promise<boolean> {
  const options = readOptions();
  const database = await startDatabase();
  const stop = () => void database.stop().then(() => process.exit(130));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    console.log(
      `${options.people.toLocaleString("en")} subscriptions, ${options.days} days from ${options.from}, seed ${options.seed}\n`,
    );
    const { lines, wrong, replayMs, batches } = await timeTravel(database, options);
    console.log(tableOf(lines));
    console.log(
      `\n${(replayMs / 1000).toFixed(1)} s for ${options.days} days; ${batches} batches of the nightly run; ${lines.length.toLocaleString("en")} facts compared.`,
    );
    for (const line of wrong.slice(0, 20)) console.log(`  ${line}`);
    console.log(
      wrong.length === 0
        ? "Nothing is missing and nothing happened twice."
        : `NOT AS IT SHOULD BE: ${wrong.length} differences.`,
    );
    return wrong.length === 0;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await database.stop();
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      days: { type: "string", default: "365" },
      people: { type: "string", default: "10000" },
      from: { type: "string", default: "2027-01-01" },
      seed: { type: "string", default: "1" },
    },
  });
  const [days, people, seed] = [values.days, values.people, values.seed].map(Number);
  const isDate = /^\d{4}-\d\d-\d\d$/.test(values.from) && !Number.isNaN(Date.parse(values.from));
  if (!days || !people || seed === undefined || !isDate) throw new Error(USAGE);
  if (![days, people, seed].every((value) => Number.isInteger(value) && value >= 0))
    throw new Error(USAGE);
  return { days, people, seed, from: values.from };
}

try {
  if (!(await run())) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
