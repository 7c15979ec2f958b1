import {
  type Aim,
  fire,
  type Load,
  type Measured,
  median,
  pause,
  send,
  type Target,
} from "./load.ts";

/** A server under test, and the dial for its distance to the database. */
export interface Side extends Target {
  setLatency(ms: number): Promise<void>;
  /** Round trips to the database since the last call, where something counts them. */
  takeTrips?(): Promise<number>;
}

export type Pair<T> = { worker: T; peer: T };

export const both = async <T, R>({ worker, peer }: Pair<T>, ask: (side: T) => Promise<R>) => ({
  worker: await ask(worker),
  peer: await ask(peer),
});

/** Counts up over both servers, so that no e-mail and no order is used twice. */
let turn = 0;
const next = (aim: Aim) => () => aim(turn++);

/** Asks once and gives the refusal, or null when the route is there and answers well. */
export async function refusal(side: Side, aim: Aim): Promise<string | null> {
  const { status, text } = await send(side.port, next(aim)());
  return status < 400 ? null : `${status} ${text.slice(0, 200)}`;
}

const SLOW_MS = 200;

export interface Trips {
  before: number;
  behind: number;
}

/**
 * Round trips of one request. Before the answer: how many times a slow database's delay fits into the time that the
 * answer took. Behind it: what the endpoint counted beyond that, until nothing more comes.
 */
export async function countTrips(side: Side, aim: Aim): Promise<Trips> {
  await side.setLatency(SLOW_MS);
  await side.takeTrips?.();
  const start = performance.now();
  await send(side.port, next(aim)());
  const before = Math.floor((performance.now() - start) / SLOW_MS);
  let total = 0;
  if (side.takeTrips) {
    for (let more = 1; more > 0; total += more) {
      await pause(SLOW_MS * 1.5);
      more = await side.takeTrips();
    }
  }
  await side.setLatency(0);
  if (!side.takeTrips) return { before, behind: 0 };
  // A busy machine may make one wait look like two; there are never more than were counted.
  const waited = Math.min(before, total);
  return { before: waited, behind: total - waited };
}

/** Runs both servers in turns, A B A B, and takes the median of the rounds. */
export async function compare(
  sides: Pair<Side>,
  aim: Aim,
  { latencyMs, rounds, ...load }: Load & { latencyMs: number; rounds: number },
): Promise<Pair<Measured>> {
  const measured: Pair<Measured[]> = { worker: [], peer: [] };
  await both(sides, (side) => side.setLatency(latencyMs));
  for (let round = 0; round < rounds; round++) {
    measured.worker.push(await fire(sides.worker, next(aim), load));
    measured.peer.push(await fire(sides.peer, next(aim), load));
  }
  await both(sides, (side) => side.setLatency(0));
  return { worker: middle(measured.worker), peer: middle(measured.peer) };
}

function middle(rounds: Measured[]): Measured {
  const of = (key: keyof Measured) => median(rounds.map((round) => round[key]));
  const failures = rounds.reduce((sum, round) => sum + round.failures, 0);
  return { p50Ms: of("p50Ms"), p99Ms: of("p99Ms"), cpuUs: of("cpuUs"), failures };
}

export async function warm(sides: Pair<Side>, aim: Aim, load: Load): Promise<void> {
  await both(sides, (side) => fire(side, next(aim), load));
}
