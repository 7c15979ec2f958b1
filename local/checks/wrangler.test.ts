import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";

const config = resolve(import.meta.dirname, "../../wrangler.toml");
const local = unstable_readConfig({ config }, { hideWarnings: true });
const production = unstable_readConfig({ config, env: "production" }, { hideWarnings: true });
const environments = [
  ["default", local],
  ["production", production],
] as const;

interface Consumer {
  queue: string;
  dead_letter_queue?: string;
  max_retries?: number;
}

const SECRETS = [
  "DATABASE_URL",
  "JWT_KEYS",
  "SIGNING_KEY",
  "MIDTRANS_SERVER_KEY",
  "KIRIMINAJA_API_KEY",
  "RESEND_API_KEY",
  "IPAYMU_API_KEY",
  "IPAYMU_VA",
  "IPAYMU_API_KEY",
];

describe("wrangler.toml", () => {
  it("gives production the same objects, queues, buckets, limits, crons and flags as the laptop", () => {
    for (const key of [
      "main",
      "compatibility_date",
      "compatibility_flags",
      "durable_objects",
      "migrations",
      "queues",
      "r2_buckets",
      "ratelimits",
      "triggers",
      "observability",
      "workers_dev",
    ] as const) {
      expect(production[key], key).toEqual(local[key]);
    }
  });

  it("has no other kind of binding that production would lack", () => {
    const kinds = ["kv_namespaces", "d1_databases", "services", "hyperdrive", "vectorize"] as const;
    for (const kind of kinds) expect(production[kind], kind).toEqual(local[kind]);
  });

  it("sets the same variables in both environments", () => {
    expect(Object.keys(production.vars).sort()).toEqual(Object.keys(local.vars).sort());
  });

  it("routes the domain and every store of it in production, and nothing by default", () => {
    const domain = String(production.vars.STORE_DOMAIN);
    const patterns = (production.routes ?? []).map((route: string | { pattern: string }) =>
      typeof route === "string" ? route : route.pattern,
    );
    expect(patterns).toEqual([`${domain}/*`, `*.${domain}/*`]);
    expect(local.routes ?? []).toEqual([]);
    expect(local.route).toBeUndefined();
    expect(local.workers_dev).toBe(false);
  });

  it.each(environments)("%s: drains every queue, and every dead letter too", (_, { queues }) => {
    const consumers: Consumer[] = queues.consumers ?? [];
    const drained = consumers.map((consumer) => consumer.queue);
    const working = consumers.filter((consumer) => !consumer.queue.endsWith("-dead"));
    for (const { queue } of queues.producers ?? []) expect(drained).toContain(queue);
    for (const { queue, dead_letter_queue, max_retries } of working) {
      expect(dead_letter_queue).toBe(`${queue}-dead`);
      expect(drained).toContain(dead_letter_queue);
      expect(max_retries).toBeGreaterThan(0);
    }
    expect(new Set(drained).size).toBe(drained.length);
  });

  it.each(environments)(
    "%s: limits an address to 100 requests a minute, and elsewhere per route",
    (_, { ratelimits }) => {
      expect(ratelimits).toEqual([
        { name: "API_LIMIT", namespace_id: "1001", simple: { limit: 100, period: 60 } },
        { name: "ROUTE_LIMIT", namespace_id: "1002", simple: { limit: 1500, period: 60 } },
      ]);
    },
  );

  it.each(environments)("%s: holds no secret", (_, { vars }) => {
    expect(Object.keys(vars).filter((name) => SECRETS.includes(name))).toEqual([]);
    const secretLooking = /server-|whsec_|^re_|sk-|:\/\/[^/]*:[^/]*@|[0-9a-f]{32}/i;
    expect(Object.values(vars).filter((value) => secretLooking.test(String(value)))).toEqual([]);
  });

  it("sends production to the real providers, over TLS", () => {
    for (const [name, value] of Object.entries(production.vars)) {
      if (name.endsWith("_URL")) expect(String(value), name).toMatch(/^https:\/\/(?!.*sandbox)/);
    }
  });

  it("keeps every object in SQLite", () => {
    const steps: { new_classes?: string[]; new_sqlite_classes?: string[] }[] = local.migrations;
    const bindings: { class_name: string }[] = local.durable_objects.bindings;
    const sqlite = steps.flatMap((step) => step.new_sqlite_classes ?? []);
    expect(sqlite.sort()).toEqual(bindings.map((binding) => binding.class_name).sort());
    expect(steps.flatMap((step) => step.new_classes ?? [])).toEqual([]);
  });
});
