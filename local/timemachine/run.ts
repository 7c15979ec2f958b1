import type { LocalDatabase } from "../database.ts";
import { DAY, dayOf, HOUR, startOfDay } from "./calendar.ts";
import { differences, factsOf, wrongSums } from "./facts.ts";
import { simulate, type World } from "./model.ts";
import { peopleOf } from "./people.ts";
import { Replay, runsOf } from "./replay.ts";

export interface Options {
  seed: number;
  people: number;
  days: number;
  /** The first day, in Jakarta. */
  from: string;
}

export interface Outcome {
  lines: string[];
  /** Empty: every charge, mail, suspension and deletion happened as it should, and as often. */
  wrong: string[];
  replayMs: number;
  batches: number;
}

/** Lets the time run over a fresh database and compares with what the model says. */
export async function timeTravel(
  database: LocalDatabase,
  { seed, people: count, days, from: firstDate }: Options,
  tell: (day: number) => void = () => undefined,
): Promise<Outcome> {
  const firstDay = dayOf(Date.parse(`${firstDate}T00:00:00+07:00`));
  const from = startOfDay(firstDay);
  const people = peopleOf(seed, count, from, days);
  const world: World = {
    seed,
    from,
    runs: runsOf(firstDay, days),
    monthlyPrices: { starter: 15_000, business: 30_000, enterprise: 70_000, "vps-basic": 50_000 },
    change: { plan: "business", at: from + Math.floor(days / 2) * DAY + 5 * HOUR, price: 35_000 },
  };
  const name = `timemachine_${crypto.randomUUID().replaceAll("-", "")}`;
  const replay = await Replay.open(database, name, people, world);
  try {
    const began = performance.now();
    await replay.run(tell);
    const replayMs = performance.now() - began;
    const lines = await factsOf(replay.client);
    const expected = people.flatMap((person) => simulate(person, world));
    const wrong = [...differences(expected, lines), ...(await wrongSums(replay.client))];
    return { lines, wrong, replayMs, batches: replay.batches };
  } finally {
    await replay.close();
    await database.dropDatabase(name);
  }
}
