import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres } from "../../local/postgres.ts";
import { eventually, type Platform } from "../platform.ts";
import {
  booksAreRight,
  gather,
  give,
  hearAgain,
  openGiver,
  pause,
  type RoomOptions,
  seenOnce,
  signUp,
} from "./live.ts";

export interface PostgresReport {
  viewers: number;
  gifts: number;
  /** Gifts that were asked for again, under their key, because no answer came in time. */
  triedAgain: number;
  awayMs: number;
  /** From the server's return until a gift was answered again. */
  backAfterMs: number;
}

const CALM_MS = 1_000;

/**
 * A room full of viewers, some of whom give without a pause; the database goes away and comes back: its server itself is
 * stopped, and started again on its data, unless `goAway` does something else. Throws unless no socket was lost, the
 * room went on talking meanwhile, every gift that was given is in the books once and was seen once by everybody.
 */
export async function postgresStops(
  platform: Platform,
  { viewers, givers, lastsMs }: RoomOptions,
  goAway: (platform: Platform) => Promise<() => Promise<void>> = stopPostgres,
): Promise<PostgresReport> {
  const roomId = `tanpa-data-${viewers}-${Date.now()}`;
  const host = await signUp(platform);
  const crowd = await gather(platform, roomId, viewers);
  const people = await Promise.all(
    Array.from({ length: givers }, () => openGiver(platform, roomId)),
  );
  const all = [...crowd, ...people];
  try {
    const giving = { isOver: false };
    const work = Promise.all(people.map((giver) => give(giver, roomId, host.userId, giving)));
    const given = () => people.reduce((sum, { tries }) => sum + tries.length, 0);
    await pause(CALM_MS);
    const began = Date.now();
    const restart = await goAway(platform);
    await hearAgain(platform, roomId, all);
    const before = given();
    await pause(Math.max(0, lastsMs - (Date.now() - began)));
    const undecided = given() - before;
    if (undecided > 0) throw new Error(`${undecided} gifts were answered without a database`);
    const awayMs = Date.now() - began;
    await restart();
    const backAt = Date.now();
    await eventually("gifts to be answered again", async () => given() >= before + givers, 60_000);
    const backAfterMs = Date.now() - backAt;
    await pause(CALM_MS);
    giving.isOver = true;
    await work;
    await booksAreRight(platform, host.userId, people);
    const tries = people.flatMap((giver) => giver.tries);
    await eventually("everybody to see every gift", async () => seenOnce(crowd, people) === 0);
    const lost = all.filter(({ socket }) => socket.connects !== 1).length;
    if (lost > 0) throw new Error(`${lost} sockets were lost`);
    const triedAgain = tries.filter((times) => times > 1).length;
    return { viewers, gifts: tries.length, triedAgain, awayMs, backAfterMs };
  } finally {
    for (const { socket } of all) socket.close();
  }
}

/** Stops the server as an operator would, its sessions with it; the returned function starts it again where it was. */
async function stopPostgres({ database, replaced }: Platform): Promise<() => Promise<void>> {
  const { dataDir, port } = database.postgres;
  const [pid] = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
  process.kill(Number(pid), "SIGINT");
  await database.postgres.exited;
  return async () => replaced(await startPostgres({ dataDir, port }));
}

/** What is asked of it is taken, and done when it thaws, whether or not anybody still waits. */
export async function freezePostgres({ database }: Platform): Promise<() => Promise<void>> {
  database.endpoint.setOutage({ on: true, mode: "freeze" });
  return async () => void database.endpoint.setOutage({ on: false });
}
