import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "./config.ts";

/** The variables of the Worker under test with some changed; undefined takes one away. */
function settings(changes: Record<string, string | undefined>): Record<string, unknown> {
  const variables: Record<string, unknown> = { ...env, ...changes };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete variables[name];
  }
  return variables;
}

/** The variables that are complained about. */
function refused(changes: Record<string, string | undefined>): string[] {
  try {
    loadConfig(settings(changes));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.variables;
    throw error;
  }
}

const STRONG = "0123456789abcdefghijklmnopqrstuv";

describe("the configuration", () => {
  it.each([
    "DATABASE_URL",
    "JWT_KEYS",
    "SIGNING_KEY",
    "MIDTRANS_SERVER_KEY",
    "KIRIMINAJA_API_KEY",
    "RESEND_API_KEY",
    "IPAYMU_VA",
    "IPAYMU_API_KEY",
    "VIP_RESELLER_API_ID",
    "VIP_RESELLER_API_KEY",
    "VIP_RESELLER_API_URL",
    "SEALING_KEYS",
    "APP_URL",
    "STORE_DOMAIN",
    "MAIL_FROM",
    "ALERT_EMAIL",
  ])("has no default for %s", (name) => {
    expect(refused({ [name]: undefined })).toEqual([name]);
    expect(refused({ [name]: "" })).toEqual([name]);
  });

  it("takes cheap passwords on this machine alone", () => {
    for (const APP_URL of ["http://localhost:8787", "http://127.0.0.1:9", "http://a.localhost"]) {
      expect(refused({ APP_URL, PASSWORD_COST: "4" })).toEqual([]);
    }
    for (const APP_URL of ["https://lumbung.example", "https://localhost.example"]) {
      expect(refused({ APP_URL, PASSWORD_COST: "9" })).toEqual(["PASSWORD_COST"]);
      expect(refused({ APP_URL, PASSWORD_COST: "10" })).toEqual([]);
      expect(refused({ APP_URL, PASSWORD_COST: undefined })).toEqual([]);
    }
  });

  it("names all that is wrong at once", () => {
    expect(refused({ JWT_KEYS: undefined, SIGNING_KEY: "x", DATABASE_URL: "mysql://a" })).toEqual([
      "DATABASE_URL",
      "JWT_KEYS",
      "SIGNING_KEY",
    ]);
  });

  it.each([
    ["a key without a name", STRONG],
    ["a short key", "a:chatme_secret_key"],
    ["one letter repeated", `a:${"x".repeat(64)}`],
    ["a nameless key", `:${STRONG}`],
    ["a weak key beside a strong one", `a:${STRONG},b:short`],
    ["a third part", `a:${STRONG}:b`],
    ["an empty place", `a:${STRONG},`],
  ])("refuses %s as JWT_KEYS", (_, value) => {
    expect(refused({ JWT_KEYS: value })).toEqual(["JWT_KEYS"]);
  });

  it("takes several signing keys, the first first", () => {
    const { JWT_KEYS } = loadConfig(settings({ JWT_KEYS: `b:${STRONG}, a:${STRONG}1` }));
    expect(JWT_KEYS).toEqual([
      ["b", STRONG],
      ["a", `${STRONG}1`],
    ]);
  });

  it.each([
    ["SIGNING_KEY", "short"],
    ["SIGNING_KEY", "0".repeat(64)],
    ["MIDTRANS_SERVER_KEY", "change-me"],
    ["KIRIMINAJA_API_KEY", "secret"],
    ["RESEND_API_KEY", "re_"],
    ["RATE_LIMIT_FACTOR", "0"],
    ["RATE_LIMIT_FACTOR", "many"],
    ["MARKET_COMMISSION_PERCENT", "101"],
    ["PAYMENT_EXPIRY_MINUTES", "-1"],
    ["MIDTRANS_CORE_URL", "not a url"],
  ])("refuses the %s %j", (name, value) => {
    expect(refused({ [name]: value })).toEqual([name]);
  });

  it("says in its error which variables are wrong and never what they hold", () => {
    const value = "hunter2-hunter2";
    try {
      loadConfig(settings({ JWT_KEYS: value, SIGNING_KEY: value }));
      expect.unreachable();
    } catch (error) {
      expect(String(error)).toContain("JWT_KEYS, SIGNING_KEY");
      expect(JSON.stringify(error) + String(error)).not.toContain("hunter2");
    }
  });

  it("reads the allow-list of origins as a list and ends no address in a slash", () => {
    const config = loadConfig(
      settings({
        CORS_ORIGINS: " https://a.example, ,https://b.example",
        APP_URL: "https://x.example//",
        PASSWORD_COST: "10",
      }),
    );
    expect(config.CORS_ORIGINS).toEqual(["https://a.example", "https://b.example"]);
    expect(config.APP_URL).toBe("https://x.example");
  });

  it.each([
    [{ AAPANEL_API_KEY: undefined }, ["AAPANEL_API_KEY"]],
    [{ AAPANEL_URL: undefined }, ["AAPANEL_API_KEY"]],
    [{ AAPANEL_URL: undefined, AAPANEL_API_KEY: undefined }, []],
    [{ RELAY_URL: "https://relay.example" }, ["RELAY_KEY"]],
    [{ RELAY_KEY: STRONG }, ["RELAY_KEY"]],
    [{ RELAY_URL: "https://relay.example", RELAY_KEY: STRONG }, []],
    [{ RELAY_URL: "https://relay.example", RELAY_KEY: "0".repeat(40) }, ["RELAY_KEY"]],
  ])("takes what only means something together as a whole: %j", (changes, complaints) => {
    expect(refused(changes)).toEqual(complaints);
  });
});
