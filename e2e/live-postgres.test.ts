import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { freezePostgres, postgresStops } from "./faults/live-postgres.ts";
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

test("Postgres frozen for longer than it is waited for: the same", async () => {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
  const options = { viewers: 40, givers: 4, lastsMs: 12_000 };
  const report = await postgresStops(platform, options, freezePostgres);
  expect(report.triedAgain).toBeGreaterThan(0);
  expect(platform.workerLog()).toContain("gifts wait for the database");
}, 240_000);
