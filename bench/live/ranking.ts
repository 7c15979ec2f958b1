import pg from "pg";
import type { Ctx } from "../../shared/context.ts";
import type { Statement } from "../../shared/db/statement.ts";
import { rankFans, rankHosts } from "../../workers/live/ranking.ts";
import { percentile } from "../load.ts";
import type { StandIns } from "../stand-ins.ts";
import { line, milliseconds } from "../table.ts";
import { type Crowd, seedPeople, seedTotals } from "./seed.ts";

const GIFTS = 10_000_000;
const DAYS = 30;
const ASKED = 1_000;
const GOAL_MS = 20;
const HOUR_MS = 3_600_000;
const PERIODS = ["hourly", "daily", "weekly", "all"] as const;

/** Rankings over the totals of ten million gifts: the verbs' own statements, straight to Postgres. */
export async function benchRanking({ adminUrl }: StandIns): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const crowd = await seedPeople(client, 2_000, 200_000);
    await seedTotals(client, crowd, { gifts: GIFTS, days: DAYS });
    const ctx = contextOn(client);
    const head = ["p50 ms", "p99 ms"].map((text) => text.padStart(8));
    console.log(line("rankings of ten million gifts", head));
    const missed: string[] = [];
    for (const period of PERIODS) {
      missed.push(
        ...(await measure(`fans, ${period}`, () => rankFans(ctx, hostOf(crowd), period))),
      );
      missed.push(...(await measure(`hosts, ${period}`, () => rankHosts(ctx, period))));
    }
    // Before the cron of a new hour has come to anybody's week.
    const turned = contextOn(client, HOUR_MS);
    const late = "weekly, the hour turned";
    missed.push(
      ...(await measure(`fans, ${late}`, () => rankFans(turned, hostOf(crowd), "weekly"))),
    );
    missed.push(...(await measure(`hosts, ${late}`, () => rankHosts(turned, "weekly"))));
    return missed;
  } finally {
    await client.end();
  }
}

/** Hosts are looked at as they are given to: the first of 2,000 every twelfth time. */
const hostOf = ({ firstHost, hosts }: Crowd) => firstHost + Math.floor(hosts * Math.random() ** 3);

async function measure(name: string, ask: () => Promise<unknown[]>): Promise<string[]> {
  for (let i = 0; i < 50; i += 1) await ask();
  const times: number[] = [];
  for (let i = 0; i < ASKED; i += 1) {
    const began = performance.now();
    await ask();
    times.push(performance.now() - began);
  }
  const p99Ms = percentile(times, 0.99);
  const cells = [percentile(times, 0.5), p99Ms].map((ms) => milliseconds(ms).padStart(8));
  console.log(line(name, cells));
  return p99Ms > GOAL_MS ? [`${name}: p99 is ${milliseconds(p99Ms)} ms, its goal ${GOAL_MS}`] : [];
}

/** As much of a context as the verbs need, its statements going over one connection, its clock ahead by so much. */
function contextOn(client: pg.Client, aheadMs = 0): Ctx {
  const run = async <T>({ sql, params, arrayMode, map }: Statement<T>): Promise<T> => {
    const query = { text: sql, values: params };
    const result = arrayMode
      ? await client.query({ ...query, rowMode: "array" })
      : await client.query(query);
    return map(result as unknown as Parameters<typeof map>[0]);
  };
  const config = { APP_URL: "https://api.bench.example" };
  return { db: { run }, config, now: () => new Date(Date.now() + aheadMs) } as unknown as Ctx;
}
