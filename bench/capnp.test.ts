import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { workerConfig } from "./capnp.ts";

const config = resolve(import.meta.dirname, "../wrangler.toml");
const production = unstable_readConfig({ config, env: "production" }, { hideWarnings: true });
/** What these keys hold is bound by `name`; every other kind of binding calls it `binding`. */
const BY_NAME = ["durable_objects", "ratelimits", "send_email", "unsafe"];

/** Every name that the production Worker finds in its environment, of whatever kind. */
function boundNames(): string[] {
  const found = Object.keys(production.vars);
  const collect = (value: unknown, key: "binding" | "name"): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [inner, below] of Object.entries(value)) {
      if (inner === key && typeof below === "string") found.push(below);
      else collect(below, key);
    }
  };
  for (const [key, value] of Object.entries(production)) {
    if (key !== "vars") collect(value, BY_NAME.includes(key) ? "name" : "binding");
  }
  return found;
}

describe("the Worker on bare workerd", () => {
  const text = workerConfig(1, { DATABASE_URL: "postgres://here" }, "/tmp/objects");

  it("has every binding that wrangler.toml gives it in production, once", () => {
    const names = boundNames();
    // One of each kind, lest none of it be found.
    for (const name of ["APP_URL", "ROOM", "ASSETS_BUCKET", "API_LIMIT", "TOPUP_CALLBACKS_QUEUE"]) {
      expect(names).toContain(name);
    }
    const times = (name: string) => text.split(`(name = "${name}",`).length - 1;
    for (const name of [...names, "DATABASE_URL"]) expect(times(name), name).toBe(1);
  });

  it("runs under the date and the flags of production", () => {
    expect(text).toContain(`compatibilityDate = "${production.compatibility_date}"`);
    const given = production.compatibility_flags.filter((flag: string) => flag !== "nodejs_compat");
    expect(given).not.toHaveLength(0);
    expect(text).toContain(`compatibilityFlags = ${JSON.stringify(given)}`);
  });
});
