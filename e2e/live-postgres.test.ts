import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { postgresStops } from "./faults/live-postgres.ts";
import { type Platform, startPlatform } from "./platform.ts";

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 240_000);

afterAll(async () => {
  await platform?.stop();
});

/** `npm run faults -- live-postgres` does the same for 30 s in a room of 500. */
test("Postgres stopped in the middle of a room: no socket lost, no gift lost or doubled, all goes on by itself", async () => {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
  const report = await postgresStops(platform, { viewers: 40, givers: 4, lastsMs: 4_000 });
  expect(report.gifts).toBeGreaterThanOrEqual(8);
  expect(report.triedAgain).toBeGreaterThan(0);
  // A timer may ring a little early.
  expect(report.awayMs).toBeGreaterThan(3_900);
}, 240_000);
