import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startCloud } from "../../local/cloud.ts";
import { startWorker } from "../../local/dev/worker.ts";
import { median, pause } from "../load.ts";
import { type Bundle, freePort } from "../workerd.ts";
import { type Customer, seedTopup } from "./seed.ts";

/** Taken by the supplier, which then never answers. */
const TAKEN = 36;
/** Never taken: the connection breaks before. */
const LOST = 6;
const EVERY_MS = 1_000;
const PACE_MS = 500;
/** The twin lives in this process, and hears of a request when that has a moment. */
const HEARD_LATE_MS = 25;
const TIMED_OUT_MS = 30_000;
const PATIENCE_MS = 120_000;
/** Of what is left then: silence is believed 5 minutes after something newer shows (topup_orders_silence.sql). */
const LOST_PATIENCE_MS = 480_000;
/** An order that is placed so long after another was surely made after its attempt's lease of 75 s. */
const NEWER_MS = 80_000;
/** A history reaches back to an attempt when it shows a purchase that was over by so long before. */
const HISTORY_MS = 6_000;

export interface Settling {
  /** Settled by the history, which shows the purchase; and how far apart all requests came to the supplier meanwhile. */
  taken(): Promise<string[]>;
  /** Settled by the history, which shows nothing for 5 minutes beside a purchase that was made later. */
  lost(): Promise<string[]>;
}

interface Place {
  app: string;
  twin: string;
  client: pg.Client;
  customers: Customer[];
}

/**
 * How long an order in doubt stays so: the bundle in the local runtime with real queues and crons, at the pace that the
 * supplier asks for. Orders arrive one a second, and the supplier answers none of them.
 */
export async function startSettling(
  bundle: Bundle,
  keep: (stop: () => Promise<unknown>) => void,
): Promise<Settling> {
  const place = await startPlace(bundle, keep);
  const lost = Array.from({ length: LOST }, (_, n) => targetOf(90 + n));
  const taken = Array.from({ length: TAKEN }, (_, n) => targetOf(n));
  await order(place, lost.length + taken.length, targetOf(99));
  await pause(HISTORY_MS);
  for (const target of lost) await dial(place, target, { down: { count: 1 } });
  for (const target of taken) await dial(place, target, { timeOut: { count: 1 } });
  const placed: Promise<void>[] = [];
  const began = performance.now();
  for (const [n, target] of [...lost, ...taken].entries()) {
    placed.push(order(place, n, target));
    await pause(EVERY_MS);
  }
  await Promise.all(placed);
  const lostAt = began + LOST * EVERY_MS;
  return {
    taken: async () => {
      const times = await settled(place, taken, "processing", PATIENCE_MS);
      await pause(Math.max(lostAt + NEWER_MS - performance.now(), 0));
      await order(place, lost.length + taken.length, targetOf(98));
      tell(
        `${TAKEN} orders taken and never answered, each given up after ${TIMED_OUT_MS / 1000} s`,
        times,
      );
      const tooClose = await tellArrivals(place);
      return times.length === TAKEN
        ? tooClose
        : [...tooClose, `only ${times.length} of ${TAKEN} were settled`];
    },
    lost: async () => {
      const times = await settled(place, lost, "failed", LOST_PATIENCE_MS);
      tell(
        `${LOST} orders that never arrived, refunded; the next one is bought ${NEWER_MS / 1000} s later`,
        times,
      );
      return times.length === LOST ? [] : [`only ${times.length} of ${LOST} were refunded`];
    },
  };
}

const targetOf = (n: number) => `0812${70_000_000 + n}`;

async function startPlace(
  bundle: Bundle,
  keep: (stop: () => Promise<unknown>) => void,
): Promise<Place> {
  const stateDir = mkdtempSync(join(tmpdir(), "lumbung-bench-settle-"));
  keep(async () => rmSync(stateDir, { recursive: true, force: true }));
  const any = { midtrans: 0, kiriminaja: 0, resend: 0, ipaymu: 0, vipReseller: 0, aapanel: 0 };
  const markets = { shopee: 0, lazada: 0, tiktokShop: 0, replicate: 0, instagram: 0, anthropic: 0 };
  const ports = { ...any, ...markets, postgres: 0, endpoint: 0, worker: await freePort() };
  const cloud = await startCloud({ ports, stateDir, durable: false, rateLimitFactor: 1000 });
  keep(() => cloud.stop());
  const { adminUrl } = cloud.database;
  const { customers } = await seedTopup(adminUrl, cloud.worker.settings.JWT_KEYS ?? "");
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  keep(() => client.end());
  const settings = { ...cloud.worker.settings, VIP_RESELLER_PACE_MS: String(PACE_MS) };
  const script = join(bundle.folder, "index.js");
  const worker = await startWorker({ ...cloud.worker, settings, script, logFile: "worker.log" });
  keep(() => worker.stop());
  return { app: cloud.addresses.app, twin: cloud.addresses.vipReseller, client, customers };
}

async function dial({ twin }: Place, match: string, dials: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ...dials, match });
  const answer = await fetch(`${twin}/_dials`, { method: "PUT", headers, body });
  if (!answer.ok) throw new Error(`the twin's dials answered ${answer.status}`);
}

/** One order of its own customer; it must be answered as being processed, however little we know. */
async function order({ app, customers }: Place, n: number, target: string): Promise<void> {
  const answer = await fetch(`${app}/api/orders/prepaid`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${customers[n]?.token}`,
    },
    body: JSON.stringify({ service: "S5", phoneNumber: target }),
  });
  if (!answer.ok) throw new Error(`an order answered ${answer.status}: ${await answer.text()}`);
}

/** Seconds from the doubt to its end, for each order that came to `end`; by the database's own clock. */
async function settled(
  { client }: Place,
  targets: string[],
  end: string,
  patienceMs: number,
): Promise<number[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ seconds: number }>(
      `select extract(epoch from n.at - u.at)::float8 as seconds
        from topup_orders o
        join topup_order_events u on u.order_id = o.id and u.state = 'unknown'
        join topup_order_events n on n.order_id = o.id and n.state = $2 and n.seq > u.seq
        where o.target = any($1)`,
      [targets, end],
    );
    if (rows.length >= targets.length || performance.now() > deadline) {
      return rows.map(({ seconds }) => seconds);
    }
    await pause(500);
  }
}

/** The pace as the supplier sees it: the gaps between the arrivals of our requests. */
async function tellArrivals({ twin }: Place): Promise<string[]> {
  const answer = await fetch(`${twin}/_arrivals`);
  const arrivals = (await answer.json()) as number[];
  const gaps = arrivals.slice(1).map((at, n) => at - (arrivals[n] ?? 0));
  const least = Math.min(...gaps);
  console.log(
    `gaps between the ${arrivals.length} requests at the supplier: p0 ${least.toFixed(0)} ms, p50 ${median(gaps).toFixed(0)} ms (at least ${PACE_MS})`,
  );
  return least >= PACE_MS - HEARD_LATE_MS ? [] : [`two requests came ${least.toFixed(0)} ms apart`];
}

function tell(what: string, times: number[]): void {
  const worst = Math.max(...times);
  console.log(
    `settle time of unknown, ${what}: median ${median(times).toFixed(1)} s, worst ${worst.toFixed(1)} s`,
  );
}
