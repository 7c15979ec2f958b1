import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { workerKilled } from "./faults/kills.ts";
import { noticesGoWrong } from "./faults/notices.ts";
import { databaseAway } from "./faults/outage.ts";
import {
  courierAndMailFail,
  paymentProviderFails,
  paymentProviderHangs,
} from "./faults/providers.ts";
import { type Market, openMarket } from "./market.ts";
import { type Platform, startPlatform } from "./platform.ts";

/** The real Worker process, real queues, real Postgres. `npm run faults` runs the same with longer outages. */
let platform: Platform;
let market: Market;

beforeAll(async () => {
  platform = await startPlatform();
  market = await openMarket(platform, 4);
}, 120_000);

afterAll(async () => {
  await platform?.stop();
});

const PATIENCE_MS = 240_000;

function tellOnFailure(): void {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
}

test(
  "20 paid notices that come while the database is away are all answered 200, and each order is settled once when it is back",
  async () => {
    tellOnFailure();
    const outage = { notices: 20, lastsMs: 0, tries: 2, mode: "destroy" } as const;
    expect(await databaseAway(platform, market, outage)).toMatchObject({ answered200: 20 });
  },
  PATIENCE_MS,
);

test(
  "notices whose statements run but whose answers are lost settle each order once",
  async () => {
    tellOnFailure();
    const outage = { notices: 10, lastsMs: 0, tries: 1, mode: "lose-answer" } as const;
    expect(await databaseAway(platform, market, outage)).toMatchObject({ answered200: 10 });
  },
  PATIENCE_MS,
);

test(
  "notices that are lost, repeated, forged, late, reordered or untrue leave paid orders paid once and unpaid ones unpaid",
  async () => {
    tellOnFailure();
    await noticesGoWrong(platform, market);
  },
  PATIENCE_MS,
);

test(
  "whatever the payment provider does during checkouts, each is answered with an order or an honest 503, and kept orders can be paid later",
  async () => {
    tellOnFailure();
    const [report, hungMs] = await Promise.all([
      paymentProviderFails(platform, market),
      paymentProviderHangs(platform, market),
    ]);
    expect(report.answers).toMatchObject({
      "is slow": { 201: 3 },
      "fails once": { 201: 3 },
      "sends no code": { 201: 3 },
    });
    expect(hungMs).toBeGreaterThan(1_000);
  },
  PATIENCE_MS,
);

test(
  "whatever the courier and the mail provider do, a paid order has one parcel, and each reader gets each mail once",
  async () => {
    tellOnFailure();
    await courierAndMailFail(platform, market);
  },
  PATIENCE_MS,
);

test(
  "a Worker that is killed at random moments under load leaves every order unpaid or paid once, and all books in agreement",
  async () => {
    tellOnFailure();
    const seed = Math.floor(Math.random() * 1e6);
    onTestFailed(() => console.error(`node e2e/faults.ts kills --seed ${seed}`));
    const report = await workerKilled(platform, market, {
      customers: 24,
      atOnce: 4,
      kills: 4,
      seed,
    });
    expect(report.kills).toBe(4);
  },
  PATIENCE_MS,
);
