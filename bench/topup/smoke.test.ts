import { mkdtempSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { localSettings, secretsFrom } from "../../local/settings.ts";
import { workerConfig } from "../capnp.ts";
import { send } from "../load.ts";
import { type StandIns, startStandIns } from "../stand-ins.ts";
import { bundleWorker, dropBundle, freePort, type Running, startWorkerd } from "../workerd.ts";
import { callbackShot, topupRoutes } from "./routes.ts";
import { seedTopup, type TopupSeeds } from "./seed.ts";

/** A little of what the bench does, so that it does not stop working unseen; no figure is looked at. */
const stops: (() => Promise<unknown>)[] = [];
let standIns: StandIns;
let seeds: TopupSeeds;
let worker: Running;
let driver: number;

beforeAll(async () => {
  standIns = await startStandIns();
  stops.push(standIns.stop);
  const secrets = secretsFrom();
  seeds = await seedTopup(standIns.adminUrl, secrets.JWT_KEYS);
  const settings = localSettings(standIns, secrets);
  const bundle = bundleWorker(settings);
  stops.push(async () => dropBundle(bundle));
  driver = await freePort();
  const objects = mkdtempSync(join(bundle.folder, "objects-"));
  const config = (port: number) => workerConfig(port, settings, objects, driver);
  worker = await startWorkerd({ ...bundle, config });
  stops.push(worker.stop);
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

describe("the bench of top-ups", () => {
  it("has customers and services whose orders are taken", async () => {
    for (const [n, { name, aim }] of topupRoutes(seeds).entries()) {
      const { status, text } = await send(worker.port, aim(n));
      expect(status, `${name}: ${text}`).toBeLessThan(400);
    }
  });

  it("has its callbacks taken in while Postgres is away", async () => {
    await outage(true);
    try {
      expect(await send(worker.port, callbackShot(0))).toMatchObject({ status: 200 });
    } finally {
      await outage(false);
    }
  });

  it("can hand the Worker the messages of every queue that it consumes", async () => {
    const config = resolve(import.meta.dirname, "../../wrangler.toml");
    const { queues } = unstable_readConfig({ config }, { hideWarnings: true });
    const consumers: { queue: string }[] = queues.consumers ?? [];
    expect(consumers.length).toBeGreaterThan(0);
    for (const { queue } of consumers) {
      const body = JSON.stringify({ queue, messages: [] });
      const { status, text } = await send(driver, { method: "POST", path: "/", body });
      expect(status, `${queue}: ${text}`).toBe(200);
      // What a consumer throws is told in an answer that is fine by itself.
      expect(JSON.parse(text), queue).toMatchObject({ outcome: "ok" });
    }
  });
});

async function outage(on: boolean): Promise<void> {
  const body = JSON.stringify({ on, mode: "destroy" });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${standIns.httpUrl}/_outage`, { method: "PUT", headers, body });
  expect(answer.ok).toBe(true);
}
