import { describe, expect, it } from "vitest";
import { outgoingAddress, registrationWords } from "./address.ts";
import { parseConfigFile, readConfig } from "./config.ts";
import { key } from "./testing.ts";

const values = { RELAY_KEY: key, RELAY_TARGETS: "my.ipaymu.com" };

describe("the settings", () => {
  it("have a loopback address as their default", () => {
    expect(readConfig(values)).toEqual({
      key,
      targets: new Map([["https://my.ipaymu.com", null]]),
      host: "127.0.0.1",
      port: 8443,
    });
  });

  const wrong: [Record<string, string>, string][] = [
    [{ RELAY_KEY: "short" }, "RELAY_KEY"],
    [{ RELAY_TARGETS: " , " }, "RELAY_TARGETS"],
    [{ RELAY_LISTEN: "8443" }, "RELAY_LISTEN"],
    [{ RELAY_LISTEN: "0.0.0.0:8443" }, "RELAY_BEHIND_PROXY=yes"],
    [{ RELAY_TLS_CERT: "/x" }, "RELAY_TLS_KEY"],
    [{ RELAY_FROM: "eth0" }, "RELAY_FROM"],
  ];
  it.each(wrong)("with %j are refused by name", (change, words) => {
    expect(() => readConfig({ ...values, ...change })).toThrow(words);
  });

  it("take an address with brackets, and all of them behind a proxy", () => {
    expect(readConfig({ ...values, RELAY_LISTEN: "[::1]:9" })).toMatchObject({
      host: "::1",
      port: 9,
    });
    const open = { RELAY_LISTEN: "0.0.0.0:80", RELAY_BEHIND_PROXY: "yes" };
    expect(readConfig({ ...values, ...open }).host).toBe("0.0.0.0");
  });

  it("come from a file, in which a misspelt name is refused", () => {
    const text = `# relay\nRELAY_KEY="${key}"\n\nRELAY_TARGETS = a.example, b.example=x\n`;
    expect(parseConfigFile(text)).toEqual({
      RELAY_KEY: key,
      RELAY_TARGETS: "a.example, b.example=x",
    });
    expect(() => parseConfigFile("RELAY_TARGET=a.example")).toThrow("RELAY_TARGET");
  });
});

it("tells which address has to be registered, or that it is hidden behind another", async () => {
  expect(registrationWords("203.0.113.7")).toMatch(/203\.0\.113\.7$/);
  expect(registrationWords("192.168.1.7")).toContain("private");
  expect(registrationWords(null)).toContain("could not be found out");
  expect(await outgoingAddress()).toSatisfy((one) => one === null || /^[\d.]+$/.test(String(one)));
});
