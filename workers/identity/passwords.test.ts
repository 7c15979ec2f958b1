import { env } from "cloudflare:workers";
import { getRounds } from "bcryptjs";
import { expect, it } from "vitest";
import { loadConfig } from "../../shared/config/config.ts";
import { testContext } from "../testing/api.ts";
import { hashPassword, nobodysHash, passwordMatches } from "./passwords.ts";

const { config } = testContext();

it("costs ten rounds unless the configuration says otherwise, as it does for tests", async () => {
  const usual = loadConfig({ ...env, PASSWORD_COST: undefined });
  expect(getRounds(await hashPassword(usual, "rahasia-1"))).toBe(10);
  expect(getRounds(await hashPassword(config, "rahasia-1"))).toBe(4);
});

it("an unknown account costs the same work as a wrong password", async () => {
  for (const PASSWORD_COST of [4, 10]) {
    const hash = await hashPassword({ PASSWORD_COST }, "rahasia-1");
    expect(getRounds(nobodysHash({ PASSWORD_COST }))).toBe(getRounds(hash));
    expect(nobodysHash({ PASSWORD_COST })).toHaveLength(hash.length);
  }
});

it("only the whole password matches, and nothing matches without a hash", async () => {
  const hash = await hashPassword(config, "rahasia-1");
  expect(await passwordMatches(config, "rahasia-1", hash)).toBe(true);
  for (const other of ["", "rahasia-", "rahasia-1 ", "RAHASIA-1", "rahasia-1".repeat(20)]) {
    expect(await passwordMatches(config, other, hash)).toBe(false);
  }
  expect(await passwordMatches(config, "rahasia-1", undefined)).toBe(false);
});
