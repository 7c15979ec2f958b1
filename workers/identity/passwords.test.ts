import { getRounds } from "bcryptjs";
import { expect, it } from "vitest";
import { hashPassword, NOBODYS_HASH, passwordMatches } from "./passwords.ts";

it("an unknown account costs the same work as a wrong password", async () => {
  expect(getRounds(NOBODYS_HASH)).toBe(10);
  expect(getRounds(await hashPassword("rahasia-1"))).toBe(10);
});

it("only the whole password matches, and nothing matches without a hash", async () => {
  const hash = await hashPassword("rahasia-1");
  expect(await passwordMatches("rahasia-1", hash)).toBe(true);
  for (const other of ["", "rahasia-", "rahasia-1 ", "RAHASIA-1", "rahasia-1".repeat(20)]) {
    expect(await passwordMatches(other, hash)).toBe(false);
  }
  expect(await passwordMatches("rahasia-1", undefined)).toBe(false);
});
